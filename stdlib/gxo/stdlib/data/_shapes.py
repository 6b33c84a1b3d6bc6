"""What a join makes of the records that belong together: one merged, or one with a field for each.

    probe   {"order": 7, "customer": "1"}        build   {"customer": 1, "city": "Bonn"}

    Flat      {"order": 7, "customer": "1", "city": "Bonn"}
    Nested    {"orders": {"order": 7, "customer": "1"}, "cities": {"customer": 1, "city": "Bonn"}}
    FlatRows  the rows ["7", "1"] and ("1", "Bonn") of two tables make ["7", "1", "Bonn"]

A shape starts with the probe's records and merges one of each build stream into them in turn. Which
records these are it is told; it looks at no key.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Protocol

from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch, Row, Table
from gxo.stdlib.data._sides import Side


class Shape(Protocol):
    """How joined records look. Items are records, or rows of a table."""

    def start(self, items: Sequence[Any]) -> Sequence[Any]:
        """What becomes of the probe's items before anything is merged into them."""
        ...

    def nothing(self, level: int) -> Any:
        """What stands for the item that the build stream at that level does not have."""
        ...

    def merge(self, level: int, pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
        """Each item with the one of the build stream at that level; not where that is None."""
        ...

    def batch(self, joined: list[Any]) -> Batch:
        """Items that all streams have been merged into, as a batch."""
        ...


class Flat:
    """Merges records into one; what is merged first keeps its fields."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self._nulls = [dict.fromkeys(side.fields) for side in sides]

    def start(self, items: Sequence[Record]) -> Sequence[Record]:
        return items

    def nothing(self, level: int) -> Record:
        return self._nulls[level]

    def merge(self, level: int, pairs: Iterable[tuple[Record, Any]]) -> list[Record]:  # noqa: ARG002 - as Nested
        return [{**merged, **row, **merged} for merged, row in pairs if row is not None]

    def batch(self, joined: list[Record]) -> Batch:
        return joined

    def build_only(self, level: int, row: Record, probe_fields: Record) -> Record:  # noqa: ARG002 - as Nested
        """A build stream's record to which the probe has none."""
        nulls = dict.fromkeys(probe_fields)
        for fields in self._nulls:
            nulls.update(fields)
        return {**nulls, **row}


_NOTHING: Record = {}
"""Stands for the record that a build stream does not have."""


class Nested:
    """Puts each stream's record into a field of its own."""

    def __init__(self, probe: str, sides: Sequence[Side], keys: dict[str, str]) -> None:
        streams = [probe, *(side.stream for side in sides)]
        if unknown := sorted(keys.keys() - set(streams)):
            raise ParameterError(f"output.nesting_keys: '{unknown[0]}' is no stream of this join")
        self._probe, *self._builds = [keys.get(stream, stream) for stream in streams]
        if len({self._probe, *self._builds}) < len(streams):
            raise ParameterError("output.nesting_keys: two streams have the same key")

    def start(self, items: Sequence[Record]) -> list[Record]:
        name = self._probe
        return [{name: record} for record in items]

    def nothing(self, level: int) -> Record:  # noqa: ARG002 - as Flat
        return _NOTHING

    def merge(self, level: int, pairs: Iterable[tuple[Record, Any]]) -> list[Record]:
        name = self._builds[level]
        return [
            {**merged, name: None if row is _NOTHING else row}
            for merged, row in pairs
            if row is not None
        ]

    def batch(self, joined: list[Record]) -> Batch:
        return joined

    def build_only(self, level: int, row: Record, probe_fields: Record) -> Record:  # noqa: ARG002 - as Flat
        """A build stream's record to which the probe has none."""
        empty: dict[str, Any] = dict.fromkeys([self._probe, *self._builds])
        return {**empty, self._builds[level]: row}


class FlatRows:
    """As `Flat`, of rows that need not become records for it. probe: the names of the probe's."""

    def __init__(self, probe: tuple[str, ...], sides: Sequence[Side]) -> None:
        names = dict.fromkeys(probe)
        self.probe = probe
        self._new: list[Callable[[Row], Row]] = []
        self._nulls: list[Row] = []
        for side in sides:
            new = [at for at, name in enumerate(side.fields) if name not in names]
            self._new.append(_cells(new))
            self._nulls.append((None,) * len(side.fields))
            names.update(side.fields)
        self._names = tuple(names)

    def start(self, items: Sequence[Row]) -> Sequence[Row]:
        return items

    def nothing(self, level: int) -> Row:
        return self._nulls[level]

    def merge(self, level: int, pairs: Iterable[tuple[Row, Any]]) -> list[Row]:
        new = self._new[level]
        return [[*merged, *new(row)] for merged, row in pairs if row is not None]

    def batch(self, joined: list[Row]) -> Batch:
        return Table(self._names, joined)


def _cells(places: list[int]) -> Callable[[Row], Row]:
    """What takes the cells at these places from a row."""
    if len(places) > 1:
        return itemgetter(*places)
    # One alone would be no sequence.
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))
