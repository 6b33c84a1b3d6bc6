"""The groups of `data:aggregate`, filled by the batch.

    [{team: a, n: 1}, {team: b, n: 2}, {team: a, n: 3}]  ->  a: [1, 3], b: [2]  ->  a: 4, b: 2

A record costs little more than appending its value to a list of its group's. Now and then what
waits in these lists is folded into the states of the operations, list by list.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite
from time import thread_time
from typing import Any, NamedTuple

from gxo.runtime.errors import RecordError
from gxo.runtime.expr import describe
from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH, TURN
from gxo.stdlib.data._keys import OWN_KEYS, Key, group_key, grouped_value
from gxo.stdlib.data._operations import OPERATIONS, Kinds, Operation

WAITING = (8192, 524_288)
"""Records whose values wait before they are folded, at least and at most."""

WAITING_A_GROUP = 8
"""Between the two, so many for each group: a fold is worth it only for some values of each."""

NULL = type(None)
_WEIGHT = 50
_PLAIN = frozenset([NULL, bool, int, float, str, list, dict])


class Table(NamedTuple):
    """What is needed of a batch's records, all of them sound.

    keys: of their groups; None where all are one. rows: the values of each record's sources, bare
    where there is one. kinds: of each source, the types that are among its values, maybe with
    others. times: of the records, where windows need them.
    """

    keys: list[Any] | None
    rows: list[Any]
    kinds: list[set[type]]
    times: Sequence[int] = ()

    def only(self, places: Iterable[int]) -> "Table":
        """What is needed of the records at these places."""
        keys, rows = self.keys, self.rows
        own = [keys[place] for place in places] if keys is not None else None
        return Table(own, [rows[place] for place in places], self.kinds)


class Result(NamedTuple):
    """A field of the results. source: of what values; None for the records themselves."""

    name: str
    operation: Operation
    source: str | None


class Layout:
    """What is computed of what, and how a batch's records are laid out for it."""

    def __init__(self, by: list[str], results: list[Result]) -> None:
        self.by = by
        self.results = results
        # To count records nothing is needed of them.
        counting = OPERATIONS["count"]
        needed = [one for one in results if one.source or one.operation is not counting]
        self.sources = list(dict.fromkeys(one.source for one in needed))
        self.folds = [
            (index, self.sources.index(one.source) if one in needed else None, one.operation.fold)
            for index, one in enumerate(results)
        ]
        """Of each result its place in the states and that of its source, and how values go in."""
        self._finishing = [(one.name, one.operation.result) for one in results]
        self._starts = [one.operation.start for one in results]
        self._numbers = self._taking("numbers")
        self._ordered = self._taking("what has an order")
        self._orders: dict[int, type] = {}
        """Whether such a source's values are numbers (float) or texts, once that is known."""

    def _taking(self, what: str) -> list[int]:
        """The sources of operations that take this."""
        found = [one.source for one in self.results if one.operation.takes == what]
        return [place for place, source in enumerate(self.sources) if source in found]

    def table(self, batch: list[Record]) -> Table:
        """What is needed of the records. RecordError where one of them is not sound."""
        keys = self._keys(batch)
        columns = [_column(batch, source) for source in self.sources]
        kinds = [_kinds(column) for column in columns]
        for place in self._numbers:
            _check_numbers(self.sources[place], columns[place], kinds[place])
        orders = dict(self._orders)
        for place in self._ordered:
            _check_order(self.sources[place], columns[place], kinds[place], orders, place)
        self._orders = orders
        return Table(keys, _rows(columns) if columns else [None] * len(batch), kinds)

    def _keys(self, batch: list[Record]) -> list[Any] | None:
        return _rows([_key_column(batch, name) for name in self.by]) if self.by else None

    def start(self) -> list[Any]:
        """What is known of a group without records."""
        return self._starts.copy()

    def result(self, key: Any, states: list[Any]) -> Record:
        """The record that a group becomes."""
        record: Record = {}
        if len(self.by) == 1:
            record[self.by[0]] = grouped_value(key)
        else:
            record.update(zip(self.by, map(grouped_value, key or ()), strict=True))
        for (name, finish), state in zip(self._finishing, states, strict=True):
            record[name] = finish(state)
        return record


class Groups:
    """What is known of each group: a state for each result, and the rows that wait.

    weight: about how many bytes their results are made of, at most.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._states: dict[Key, list[Any]] = {}
        self._waiting: defaultdict[Any, list[Any]] = defaultdict(list)
        self._rows = 0
        self.weight = 0
        self._kinds: list[set[type]] = [set() for _ in layout.sources]

    async def add(self, table: Table) -> None:
        """Take the rows of a batch."""
        waiting = self._waiting
        if table.keys is None:
            waiting[None].extend(table.rows)
        else:
            for key, row in zip(table.keys, table.rows, strict=True):
                waiting[key].append(row)
        for known, new in zip(self._kinds, table.kinds, strict=True):
            known |= new
        self._rows += len(table.rows)
        self.weight += _WEIGHT * len(table.rows)
        least, most = WAITING
        if self._rows >= min(max(least, WAITING_A_GROUP * len(self._states)), most):
            await self.fold()

    async def fold(self) -> None:
        """Fold what waits into the states."""
        kinds = [frozenset(one) for one in self._kinds]
        with_nulls = [place for place, one in enumerate(kinds) if NULL in one]
        began = thread_time()
        for number, (key, rows) in enumerate(self._waiting.items()):
            states = self._states.get(key)
            if states is None:
                states = self.begin(key)
            columns = [rows] if len(kinds) < 2 else list(map(list, zip(*rows, strict=True)))
            for place in with_nulls:
                columns[place] = [value for value in columns[place] if value is not None]
            for index, source, fold in self._layout.folds:
                if source is None:
                    states[index] = fold(states[index], rows, _ANY)
                elif values := columns[source]:
                    states[index] = fold(states[index], values, kinds[source])
            if number % 64 == 63 and thread_time() - began > TURN:
                await asyncio.sleep(0)
                began = thread_time()
        self._waiting.clear()
        self._rows = 0
        self._kinds = [set() for _ in kinds]

    def begin(self, key: Key) -> list[Any]:
        """Have a group, though it may be of no records. Returns its states."""
        return self._states.setdefault(key, self._layout.start())

    def results(self, bounds: Record) -> Iterator[list[Record]]:
        """The groups' results in batches, when all is folded; a group that is told is forgotten.

        bounds: what all of them have besides.
        """
        while keys := list(islice(self._states, BATCH)):
            results = [self._layout.result(key, self._states.pop(key)) for key in keys]
            if bounds:
                for result in results:
                    result.update(bounds)
            yield results


_ANY: Kinds = frozenset()


def _column(batch: list[Record], name: str | None) -> list[Any]:
    """The field's values, None where it is missing; without a name the records."""
    if name is None:
        return batch
    try:
        return [record[name] for record in batch]
    except KeyError:
        return [record.get(name) for record in batch]


def _key_column(batch: list[Record], name: str) -> list[Any]:
    column = _column(batch, name)
    return column if OWN_KEYS.issuperset(map(type, column)) else list(map(group_key, column))


def _rows(columns: list[list[Any]]) -> list[Any]:
    """The values of each record, bare where there is one."""
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _kinds(column: list[Any]) -> set[type]:
    """The types of the values, those that derive from a plain one, as templates yield, as that."""
    kinds = set(map(type, column))
    return kinds if kinds <= _PLAIN else set(map(_plain, kinds))


def _plain(kind: type) -> type:
    return next((plain for plain in (bool, int, float, str) if issubclass(kind, plain)), kind)


# Is a value what an operation takes? -------------------------------------------------------------

_NUMBERS = frozenset([NULL, int, float])
_TEXTS = frozenset([NULL, str])


def _check_numbers(name: str | None, column: list[Any], kinds: set[type]) -> None:
    """RecordError if some value is neither null nor a finite number."""
    if kinds <= _NUMBERS and (float not in kinds or _is_finite(column, kinds)):
        return
    for value in column:
        if not _kinds([value]) <= _NUMBERS or (isinstance(value, float) and not isfinite(value)):
            raise RecordError(
                f"the field '{name}' is {describe(value)}, not a number",
                hint="make it one with data:map, for example {{ float64 .amount }}",
            )


def _is_finite(column: list[Any], kinds: set[type]) -> bool:
    """Whether all are finite for sure."""
    try:
        return isfinite(sum(filter(None, column) if NULL in kinds else column))
    except OverflowError:
        return False


def _check_order(
    name: str | None, column: list[Any], kinds: set[type], orders: dict[int, type], place: int
) -> None:
    """RecordError if some value cannot be compared with those before."""
    kind = float if kinds <= _NUMBERS else str
    if kinds == {NULL}:
        return
    if kinds <= _NUMBERS or kinds <= _TEXTS:
        earlier = orders.setdefault(place, kind)
        if earlier is kind and (float not in kinds or _is_finite(column, kinds)):
            return
    for value in column:
        if value is not None:
            _check_one_order(name, value, orders, place)


def _check_one_order(name: str | None, value: Any, orders: dict[int, type], place: int) -> None:
    kinds = _kinds([value])
    if not (kinds <= _NUMBERS or kinds <= _TEXTS) or value != value:
        raise RecordError(f"the field '{name}' is {describe(value)}, which has no order")
    kind = float if kinds <= _NUMBERS else str
    if orders.setdefault(place, kind) is not kind:
        earlier = "numbers" if kind is str else "texts"
        raise RecordError(f"the field '{name}' is {describe(value)}, and was {earlier} before")
