"""`data:flatten`: a list in a record becomes records."""

from collections.abc import AsyncGenerator
from typing import TypedDict

from gxo.runtime import expr
from gxo.runtime.context import Context
from gxo.runtime.errors import RecordError
from gxo.runtime.spec import FieldName, Record, module
from gxo.runtime.streams.kernels import Splitter
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.tables import Batch
from gxo.stdlib.data._batches import BATCH, deliver


class Flattened(TypedDict):
    """records: how many were made."""

    records: int


@module("data:flatten", per_record=True, sends=["record values"], inline="Flattening")
async def flatten(
    ctx: Context, records: Records, out: Out | None, *, field: FieldName
) -> Flattened:
    """Send a copy of each record for every element of a list in it, which takes the list's place.

    An empty list, or null, makes no record. A record without the field, or with anything else in
    it, is a record error (language, section 5).

    Args:
        field: The name of the field that holds the list.

    Returns:
        How many records were made.

    Example:
        name: order-lines
        lifecycle: {policy: run_once}
        stream_inputs: [orders]
        process:
          module: data:flatten
          params:
            field: items
    """
    flattening = Flattening(ctx, field=field)
    made = 0
    async for batch in records:
        async for part in flattening.split(batch):
            made += len(part)
            await deliver(out, part)
    return {"records": made}


class Flattening(Splitter):
    """Makes records of the list in the field of a record."""

    def __init__(self, ctx: Context, *, field: str) -> None:
        self._ctx = ctx
        self._field = field
        self._seen = 0

    async def split(self, batch: Batch) -> AsyncGenerator[list[Record], None]:
        """The records that become of those of a batch, in batches: they can be very many."""
        field = self._field
        results: list[Record] = []
        for number, record in enumerate(batch, self._seen + 1):
            elements = record.get(field) if field in record else ""
            if elements is None:
                continue
            if not isinstance(elements, list):
                await self._ctx.record_failed(record, _unfit(record, field), number)
                continue
            for element in elements:
                results.append({**record, field: element})
                if len(results) == BATCH:
                    yield results
                    results = []
        self._seen += len(batch)
        if results:
            yield results


def _unfit(record: Record, field: str) -> RecordError:
    if field not in record:
        return RecordError(f"the record has no field '{field}'")
    return RecordError(f"the field '{field}' is {expr.describe(record[field])}, not a list")
