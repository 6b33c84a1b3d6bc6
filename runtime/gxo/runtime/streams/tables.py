"""A second form of a batch: records that share their fields, kept as the rows that they came as.

    [{"id": "1", "city": "Bonn"}, {"id": "2", "city": None}]      a list of records
    Table(("id", "city"), [["1", "Bonn"], ["2", None]])           the same records

A record is made of a row only when somebody looks at it. Where a table is read, joined and written
again nobody does, and that is most of what such records cost. Readers get lists of records unless
they ask for `Records.batches`, so no module has to know that there are tables.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TypeAlias, TypeGuard, overload

from gxo.runtime.spec import Record

Row: TypeAlias = Sequence[str | None]


class Table:
    """Records as rows: of each a cell for every one of `names`, a text or null.

    Nobody changes a table or its rows, as with every batch.
    """

    __slots__ = ("_records", "names", "rows")

    def __init__(self, names: tuple[str, ...], rows: Sequence[Row]) -> None:
        self.names = names
        self.rows = rows
        self._records: list[Record] | None = None

    def __reduce__(self) -> tuple[type["Table"], tuple[tuple[str, ...], Sequence[Row]]]:
        return Table, (self.names, self.rows)  # what waits in a file needs no records beside

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records())

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> "Table": ...

    def __getitem__(self, at: int | slice) -> "Record | Table":
        if isinstance(at, slice):
            return Table(self.names, self.rows[at])
        return dict(zip(self.names, self.rows[at], strict=True))

    def records(self) -> list[Record]:
        """The same as a list, made once: all that read it get the same records."""
        if self._records is None:
            self._records = list(map(dict, map(zip, repeat(self.names), self.rows)))
        return self._records

    def cells(self, name: str) -> list[str | None]:
        """What each record has in that field; null where there is none of that name."""
        if name not in self.names:
            return [None] * len(self.rows)
        at = self.names.index(name)
        return [row[at] for row in self.rows]


Batch: TypeAlias = list[Record] | Table


def records_of(batch: Batch) -> list[Record]:
    """The batch as a list of records."""
    return batch.records() if isinstance(batch, Table) else batch


def together(batches: Iterable[Batch]) -> Batch:
    """One batch of several: a table where all are tables of the same fields."""
    parts = list(batches)
    if len(parts) == 1:
        return parts[0]
    if _is_one_table(parts):
        return Table(parts[0].names, list(chain.from_iterable(part.rows for part in parts)))
    records: list[Record] = []
    for part in parts:
        records += part  # several times as fast as a chain of them
    return records


def _is_one_table(parts: list[Batch]) -> TypeGuard[list[Table]]:
    names = {part.names if isinstance(part, Table) else None for part in parts}
    return len(names) == 1 and None not in names
