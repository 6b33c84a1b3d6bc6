"""An event on its way through the steps of a `stream:pipeline`, with what they have made of it.

    event {url: u}  --fetch-->  Row(results {fetch: {...}})  --parts-->  two rows, one a part

A step may emit several records for one event, as `data:flatten` does. Each is a row that later
steps work on one by one; a step that needs several gets every pair of rows that come of the same
records.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.spec import Record


class OneEvent:
    """A record that steps work on. failed: one of them could not, and left it out."""

    __slots__ = ("failed", "number", "record")

    def __init__(self, number: int, record: Record) -> None:
        self.number = number
        self.record = record
        self.failed = False


class Done(dict[str, Any]):
    """Results by step id. That of a step that its `when` skipped is nil where it is asked for."""

    def __missing__(self, name: str) -> Any:
        raise ExpressionError(
            f"the step '{name}' has no result: its `when` skipped it",
            hint="ask for it with `default` or `if`",
        )


class Live(Mapping[str, Any]):
    """The fields, or the results, of the event that a transform works on just now."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now: Mapping[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self.now[name]

    def __contains__(self, name: object) -> bool:
        return name in self.now

    def get(self, name: str, default: Any = None) -> Any:
        return self.now.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.now)

    def __len__(self) -> int:
        return len(self.now)


class Row:
    """An event and the results so far. places: which of its records each step gave it, by id."""

    __slots__ = ("event", "places", "results")

    def __init__(self, event: OneEvent, results: Done, places: dict[str, int]) -> None:
        self.event = event
        self.results = results
        self.places = places

    def emits(self, name: str, records: Iterable[Any]) -> "list[Row]":
        """A row for each record that the step makes of this one."""
        rows = []
        for place, record in enumerate(records):
            results = Done(self.results)
            results[name] = record
            rows.append(Row(self.event, results, {**self.places, name: place}))
        return rows

    def skips(self, name: str) -> "Row":
        """The row after a step that was skipped."""
        return Row(self.event, self.results, {**self.places, name: 0})

    def agrees(self, other: "Row") -> bool:
        """Whether both come of the same records, as far as they have steps in common."""
        return all(other.places.get(name, place) == place for name, place in self.places.items())

    def joined(self, other: "Row") -> "Row":
        """Both rows in one."""
        results = Done(self.results | other.results)
        return Row(self.event, results, {**self.places, **other.places})


def matching(lists: list[list[Row]]) -> list[Row]:
    """The rows of several steps of one event, joined where they agree."""
    rows, *others = lists
    for other in others:
        rows = [one.joined(two) for one, two in product(rows, other) if one.agrees(two)]
    return rows
