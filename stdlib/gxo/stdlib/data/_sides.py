"""The build streams of a join, in memory: which records each key has.

records   {"customer": 1, "city": "Bonn"}, {"customer": 2, "city": "Rome"}, {"customer": 2}
index     {"1": the first one, "2": the list of the other two}
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch, Table, records_of
from gxo.stdlib.data._keys import Key

if TYPE_CHECKING:
    from gxo.stdlib.data.join import JoinOn


_ROW = 100
"""Bytes: what most rows have at most."""


class Side:
    """One build stream, by key: a key's one item, or the list of its items.

    An item is a record; or a row of a table (`in_rows`), as long as all batches were tables of the
    same fields. has_lists: whether some key has a list. fields: those of its records. items, keys,
    matched: for joins that keep records without a partner.
    """

    __slots__ = (
        "fields",
        "has_lists",
        "in_rows",
        "index",
        "items",
        "keys",
        "matched",
        "on",
        "stream",
    )

    def __init__(self, on: "JoinOn") -> None:
        self.on = on
        self.stream = on["stream"]
        self.in_rows = True
        self.index: dict[Key, Any] = {}
        self.has_lists = False
        self.fields: Record = {}
        self.items: list[Any] = []
        self.keys: list[Key] = []
        self.matched: set[Key] = set()

    def takes(self, batch: Batch) -> bool:
        """Whether the batch can be added as things are; otherwise `use_records` comes before."""
        if not self.in_rows:
            return True
        return isinstance(batch, Table) and (not self.fields or batch.names == tuple(self.fields))

    def add(self, batch: Batch, keys: Sequence[Key], keep: bool) -> None:
        """Add records with their keys. keep: also those whose key is null, in their order."""
        if isinstance(batch, Table) and self.in_rows:
            self.fields = dict.fromkeys(batch.names)
            self._add(list(map(tuple, batch.rows)), keys, keep)
        else:
            for record in batch:
                self.fields.update(record)
            self._add(records_of(batch), keys, keep)

    @property
    def weight(self) -> int:
        """About how many bytes `use_records` has to go through."""
        return _ROW * max(len(self.index), len(self.items)) if self.in_rows else 0

    def use_records(self) -> None:
        """Make records of all rows, from now on. It may take its time."""
        if not self.in_rows:
            return
        if self.items:
            records, keys = [self.record(row) for row in self.items], self.keys
            self.index, self.items, self.keys = {}, [], []
            self._add(records, keys, keep=True)
        else:
            for key, found in self.index.items():
                several = isinstance(found, list)
                self.index[key] = list(map(self.record, found)) if several else self.record(found)
        self.in_rows = False

    def record(self, item: Any) -> Record:
        """The item as a record."""
        return dict(zip(self.fields, item, strict=True)) if self.in_rows else item

    def forget(self) -> None:
        """Give back the memory. It may take its time."""
        self.index.clear()
        self.items.clear()
        self.keys.clear()
        self.matched.clear()

    def _add(self, items: list[Any], keys: Sequence[Key], keep: bool) -> None:
        index = self.index
        for key, item in zip(keys, items, strict=True):
            if key not in index:
                if key is not None:
                    index[key] = item
            elif isinstance(found := index[key], list):
                found.append(item)
            else:
                index[key] = [found, item]
                self.has_lists = True
        if keep:
            self.items += items
            self.keys += keys
