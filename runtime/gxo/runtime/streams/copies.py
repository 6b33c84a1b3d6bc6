"""Records for modules that are not gxo's own: copies, so that one may change what it reads.

    async def enrich(ctx: Context, records: Records, out: Out | None) -> Enriched:
        return await mine.enrich(ctx, copies_of(records), out)

A batch goes to all its readers as one object, and may hold a part of the state. The library changes
no record, and its tests see to that; of others nothing is known.
"""

from typing import TypeVar

from gxo.runtime.streams.ports import Inputs, Records

Port = TypeVar("Port", Records, Inputs)


def copies_of(port: Port) -> Port:
    """The same port, which from now on gives deep copies of the records."""
    for records in port.values() if isinstance(port, Inputs) else (port,):
        records.copied = True
    return port
