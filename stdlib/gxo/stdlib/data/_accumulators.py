"""The operations of `data:aggregate`: values go in one at a time, one result comes out.

All pass over nothing: null values are not added (as in SQL). Numbers reach them checked.
"""

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from gxo.stdlib.data._keys import distinct_key


class Accumulator(Protocol):
    """Takes a group's values of one field."""

    def add(self, value: Any) -> None: ...

    def result(self) -> Any: ...


class Count:
    """How many values, or records, there are."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Any) -> None:  # noqa: ARG002 - what is counted does not matter
        self._count += 1

    def result(self) -> int:
        return self._count


class Sum:
    """The total, 0 of nothing. Integers are added exactly, floats with Neumaier's compensation."""

    __slots__ = ("_float", "_lost", "_saw_float", "_whole")

    def __init__(self) -> None:
        self._whole = 0
        self._float = 0.0
        self._lost = 0.0
        self._saw_float = False

    def add(self, value: int | float) -> None:
        if value.__class__ is not float:
            self._whole += value  # type: ignore[assignment]
            return
        total = self._float + value
        if abs(self._float) >= abs(value):
            self._lost += (self._float - total) + value
        else:
            self._lost += (value - total) + self._float
        self._float = total
        self._saw_float = True

    def result(self) -> int | float:
        if self._saw_float:
            return self._float + self._lost + self._whole
        # As everywhere in the data plane, an integer past 64 bits becomes a float.
        return self._whole if -(2**63) <= self._whole < 2**64 else float(self._whole)


class Average:
    """The arithmetic mean; null of nothing."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._sum = Sum()
        self._count = 0

    def add(self, value: int | float) -> None:
        self._sum.add(value)
        self._count += 1

    def result(self) -> float | None:
        return self._sum.result() / self._count if self._count else None


class Extreme:
    """The smallest or largest number, or the first or last text by code points; null of nothing."""

    __slots__ = ("_best", "_better")

    def __init__(self, better: Callable[[Any, Any], bool]) -> None:
        self._better = better
        self._best: Any = None

    def add(self, value: Any) -> None:
        if self._best is None or self._better(value, self._best):
            self._best = value

    def result(self) -> Any:
        return self._best


class First:
    """The first value that arrived; null of nothing."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: Any = None

    def add(self, value: Any) -> None:
        if self._value is None:
            self._value = value

    def result(self) -> Any:
        return self._value


class Last:
    """The last value that arrived; null of nothing."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: Any = None

    def add(self, value: Any) -> None:
        self._value = value

    def result(self) -> Any:
        return self._value


class Distinct:
    """How many different values there are."""

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: set[Any] = set()

    def add(self, value: Any) -> None:
        self._keys.add(distinct_key(value))

    def result(self) -> int:
        return len(self._keys)


class Deviation:
    """The standard deviation of a sample (n - 1), by Welford's method; null of fewer than two."""

    __slots__ = ("_count", "_mean", "_squares")

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, value: int | float) -> None:
        self._count += 1
        delta = value - self._mean
        self._mean += delta / self._count
        self._squares += delta * (value - self._mean)

    def result(self) -> float | None:
        return math.sqrt(self._squares / (self._count - 1)) if self._count > 1 else None


class Values:
    """What a function makes of all values together, in the order in which they arrived."""

    __slots__ = ("_finish", "_values", "add")

    def __init__(self, finish: Callable[[list[Any]], Any]) -> None:
        self._finish = finish
        self._values: list[Any] = []
        self.add = self._values.append

    def result(self) -> Any:
        return self._finish(self._values)


def median(values: list[int | float]) -> int | float | None:
    """The middle value, or the mean of the middle two; null of nothing."""
    values = sorted(values)
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def percentile_95(values: list[int | float]) -> int | float | None:
    """The value that 95 % lie below, interpolated between neighbours as SQL's PERCENTILE_CONT does.

    Null of nothing.
    """
    values = sorted(values)
    if not values:
        return None
    below, rest = divmod(95 * (len(values) - 1), 100)
    if not rest:
        return values[below]
    return (values[below] * (100 - rest) + values[below + 1] * rest) / 100


ACCUMULATORS: dict[str, Callable[[], Accumulator]] = {
    "count": Count,
    "sum": Sum,
    "avg": Average,
    "min": partial(Extreme, operator.lt),
    "max": partial(Extreme, operator.gt),
    "first": First,
    "last": Last,
    "distinct": Distinct,
    "stddev": Deviation,
    "median": partial(Values, median),
    "p95": partial(Values, percentile_95),
    "collect": partial(Values, list),
}
NUMERIC = frozenset(["sum", "avg", "stddev", "median", "p95"])
"""Operations on numbers only."""
ORDERED = frozenset(["min", "max"])
"""Operations on numbers or on texts, not on both at once."""
