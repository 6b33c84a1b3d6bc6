"""`data:dedupe`: each record goes on once."""

from hashlib import blake2b
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, FieldName, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import Paced, deliver
from gxo.stdlib.data._keys import content


class DedupeLimits(TypedDict, total=False):
    """max_keys: how many different records may be remembered, a million by default."""

    max_keys: int


class Deduped(TypedDict):
    """records: how many went on. dropped: how many were repeats."""

    records: int
    dropped: int


@module("data:dedupe", per_record=True, sends=["records"])
async def dedupe(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    by: list[FieldName] | None = None,
    within: Duration | None = None,
    limits: DedupeLimits | None = None,
) -> Deduped:
    """Send on the records that are there for the first time, and drop the others.

    Records are the same when all fields, or those of `by`, are. 1 and 1.0 are the same, `"1"` is
    another; lists and maps are the same when their contents are. In `by`, a missing field is null.

    What was sent is remembered to the end of the stream, or for as long as `within` says: a record
    goes on again when the one like it was sent longer ago than that. Of each a few bytes are kept,
    however long it is.

    Args:
        by: The fields that tell records apart; by default all.
        within: For how long a record is remembered after it was sent.
        limits: How many are remembered at most. One more fails the workload.

    Returns:
        How many records went on, and how many did not.

    Raises:
        ModuleError: more different records than `limits.max_keys`.
        ParameterError: `by` is empty, `within` is not above 0, `max_keys` is below 1.

    Example:
        name: one-a-team
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:dedupe
          params:
            by: [team]
    """
    seen = Seen(by, within, (limits or {}).get("max_keys", 1_000_000))
    read = sent = 0
    async for batch in Paced(records):
        fresh = seen.fresh(batch, ctx.clock.monotonic())
        await deliver(out, fresh)
        if seen.is_full:
            raise ModuleError(
                f"there are more than {seen.most:,} different records to remember",
                hint="`within` forgets them after some time; `limits.max_keys` allows for more",
            )
        read += len(batch)
        sent += len(fresh)
    return {"records": sent, "dropped": read - sent}


class Seen:
    """The keys of the records that were sent. is_full: there was a record more than it can hold."""

    def __init__(self, by: list[str] | None, within: float | None, most: int) -> None:
        if by is not None and not by:
            raise ParameterError("by: it names no field")
        if within is not None and within <= 0:
            raise ParameterError(f"within: {within:g} s is no time to remember anything")
        if most < 1:
            raise ParameterError(f"limits.max_keys: {most} is below 1")
        self.most = most
        self.is_full = False
        self._by = by
        self._within = within
        self._sent: dict[str | int | bytes, float] = {}
        """When each was, the oldest first."""

    def fresh(self, batch: list[Record], now: float) -> list[Record]:
        """The records that are new at this time; those from one on that cannot be held are not."""
        self._forget(now)
        fresh: list[Record] = []
        for record in batch:
            key = _key(record, self._by)
            if key in self._sent:
                continue
            if len(self._sent) == self.most:
                self.is_full = True
                break
            self._sent[key] = now
            fresh.append(record)
        return fresh

    def _forget(self, now: float) -> None:
        if self._within is not None:
            old = now - self._within
            while self._sent and self._sent[oldest := next(iter(self._sent))] <= old:
                del self._sent[oldest]


_SHORT = 32
"""Characters of a text, or bytes of what is shown, that are kept as they are."""

_PLAIN = frozenset([str, int, bool, type(None)])
"""Types whose equal values have one `repr`, and others have another."""


def _key(record: Record, by: list[str] | None) -> str | int | bytes:
    """What is the same for records that are: a value, or the digest of what shows them."""
    if by is None:
        names = sorted(record)
        parts: list[Any] = [*names, *[record[name] for name in names]]
    elif len(by) == 1:
        value = record.get(by[0])
        if type(value) not in _PLAIN:
            value = _plain(value)
        if type(value) is int or (type(value) is str and len(value) <= _SHORT):
            return value
        parts = [value]
    else:
        parts = [record.get(name) for name in by]
    if not _PLAIN.issuperset(map(type, parts)):
        parts = [_plain(part) for part in parts]
    try:
        shown = repr(parts).encode()
    except ValueError:  # an integer of thousands of digits
        shown = repr([hex(part) if type(part) is int else part for part in parts]).encode()
    return shown if len(shown) <= _SHORT else blake2b(shown, digest_size=16).digest()


def _plain(value: Any) -> Any:
    """The same for values that are, and with one `repr`."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(value)
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, (list, dict)):
        return ("json", content(value))
    return value if isinstance(value, bool) or value is None else ("other", str(value))
