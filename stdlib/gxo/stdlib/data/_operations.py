"""The operations of `data:aggregate`: a group's values go in by the list, one result comes out.

    sum   start (0, ())   fold [2, 0.5] -> (2, (0.5,))   fold [1] -> (3, (0.5,))   result -> 3.5

What is known of the values so far is the *state*, a plain value, so that hundreds of thousands of
groups stay small. A result depends on the values and their order, and not on how they were cut into
lists: sums are exact until they are rounded once, at the end.

A fold gets at least one value, no null (as in SQL), and the types that are among them, maybe with
others. Numbers reach it checked: they are finite, and none is a bool.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any, Literal

from gxo.stdlib.data._keys import distinct_key

Kinds = frozenset[type]
Number = int | float


@dataclass(frozen=True, slots=True)
class Operation:
    """takes: what values it can do with. start: the state of no values, never changed in place."""

    takes: Literal["anything", "numbers", "what has an order"]
    start: Any
    fold: Callable[[Any, list[Any], Kinds], Any]
    result: Callable[[Any], Any]


# Sums -------------------------------------------------------------------------------------------

Total = tuple[int, tuple[float, ...]]
"""An exact sum: that of the integers, and floats whose sum is that of all floats; () of none."""

_NOTHING: Total = (0, ())
_PARTS = 16
"""Floats that a sum is made of at most: so many cost less to keep than to add up."""

_HUGE = 2.0**900
"""Floats from here on are integers; those below can be added up by the million."""


def _added(total: Total, values: list[Number], kinds: Kinds) -> Total:
    whole, parts = total
    if float not in kinds:
        return whole + sum(values), parts  # type: ignore[return-value]
    floats: Sequence[Any] = values
    if int in kinds:
        floats = [value for value in values if isinstance(value, float)]
        whole += sum([value for value in values if isinstance(value, int)])
    if len(floats) > _PARTS:
        more, floats = _condensed(floats)
        whole += more
    parts = (*parts, *floats)
    if len(parts) > _PARTS:
        more, parts = _condensed(parts)
        whole += more
    return whole, parts


def _condensed(floats: Sequence[float]) -> Total:
    """The exact sum of floats, by a few."""
    try:
        return 0, _parts(floats)
    except OverflowError:
        huge = [int(value) for value in floats if abs(value) >= _HUGE]
        return sum(huge), _parts([value for value in floats if abs(value) < _HUGE])


def _parts(floats: Sequence[float]) -> tuple[float, ...]:
    """A few floats with exactly the same sum. OverflowError where a float cannot hold it."""
    near = sum(floats)  # takes a tenth of the time that the float nearest to the sum does
    if not math.isfinite(near):
        raise OverflowError
    parts, left = [near], [*floats, -near]
    least = min(floats, default=0.0)
    while rest := math.fsum(left):
        parts.append(rest)
        # All are whole multiples of the last bit of the least, if that is above zero, and so is
        # what they come to. Of what is below the least, a float can hold every such multiple.
        if abs(rest) < least:
            break
        left.append(-rest)
    return tuple(parts)


def _ratio(total: Total) -> tuple[int, int]:
    """The sum as a ratio."""
    whole, parts = total
    ratios = [part.as_integer_ratio() for part in (whole, *parts)]
    unit = max([below for _, below in ratios])  # all are powers of two
    return sum([above * (unit // below) for above, below in ratios]), unit


def _rounded(above: int, below: int) -> float:
    """The float nearest to a ratio; infinity past the largest."""
    try:
        return above / below
    except OverflowError:
        return math.inf if above > 0 else -math.inf


def _float_sum(total: Total) -> float:
    whole, parts = total
    if whole:
        return _rounded(*_ratio(total))
    try:
        return math.fsum(parts)
    except OverflowError:  # on the way: what is added up may be less
        return _rounded(*_ratio(total))


def _sum(total: Total) -> Number:
    whole, parts = total
    if parts:
        return _float_sum(total)
    # As everywhere in the data plane, an integer past 64 bits becomes a float.
    return whole if -(2**63) <= whole < 2**64 else _rounded(whole, 1)


Mean = tuple[int, Total]
"""How many values there are, and their sum."""


def _meant(mean: Mean, values: list[Number], kinds: Kinds) -> Mean:
    return mean[0] + len(values), _added(mean[1], values, kinds)


def _average(mean: Mean) -> float | None:
    count, total = mean
    above, below = _ratio(total)
    return _rounded(above, below * count) if count else None


Spread = tuple[int, int, int, int]
"""How many values there are; a power of two; in units of one such part, their sum; in units of its
square, that of their squares."""


def _spread(spread: Spread, values: list[Number], kinds: Kinds) -> Spread:
    count, unit, total, squares = spread
    ratios = [value.as_integer_ratio() for value in values]
    finest = max([unit, *[below for _, below in ratios]]) if float in kinds else unit
    whole = [above * (finest // below) for above, below in ratios]
    finer = finest // unit
    return (
        count + len(values),
        finest,
        total * finer + sum(whole),
        squares * finer * finer + sum(map(mul, whole, whole)),
    )


def _deviation(spread: Spread) -> float | None:
    """That of a sample (n - 1); null of fewer than two values."""
    count, unit, total, squares = spread
    if count < 2:
        return None
    return _root(count * squares - total * total, count * (count - 1) * unit * unit)


def _root(above: int, below: int) -> float:
    """The float nearest to the square root of a ratio."""
    # Bits enough below the point, and the last one says whether any is left out.
    shift = max(0, 130 + below.bit_length() - above.bit_length()) // 2
    root = math.isqrt((above << 2 * shift) // below)
    return _rounded(root | (root * root * below != above << 2 * shift), 1 << shift)


# Values that are kept ---------------------------------------------------------------------------


def _kept(values: list[Any] | None, more: list[Any], _: Kinds) -> list[Any]:
    if values is None:
        return [*more]
    values += more
    return values


def _median(values: list[Number] | None) -> Number | None:
    """The middle value, or the mean of the middle two; null of nothing."""
    if values is None:
        return None
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else _between(values[middle - 1], values[middle], 1, 2)


def _percentile_95(values: list[Number] | None) -> Number | None:
    """The value that 95 % lie below, interpolated between neighbours as SQL's PERCENTILE_CONT does.

    Null of nothing.
    """
    if values is None:
        return None
    values = sorted(values)
    below, rest = divmod(95 * (len(values) - 1), 100)
    return _between(values[below], values[below + 1], rest, 100) if rest else values[below]


def _between(low: Number, high: Number, share: int, of: int) -> float:
    """The float nearest to what is `share / of` of the way from one to the other."""
    from fractions import Fraction  # start-up: only medians and percentiles need it

    exact = (Fraction(low) * (of - share) + Fraction(high) * share) / of
    return _rounded(exact.numerator, exact.denominator)


def _told_apart(keys: set[Any] | None, values: list[Any], kinds: Kinds) -> set[Any]:
    found = values if kinds <= _OWN_KEYS else map(distinct_key, values)
    if keys is None:
        return set(found)
    keys.update(found)
    return keys


_OWN_KEYS: Kinds = frozenset([str, int])


# All of them ------------------------------------------------------------------------------------


def _least(least: Any, values: list[Any], _: Kinds) -> Any:
    found = min(values)
    return found if least is None or found < least else least


def _most(most: Any, values: list[Any], _: Kinds) -> Any:
    found = max(values)
    return found if most is None or found > most else most


def _same(state: Any) -> Any:
    return state


OPERATIONS: dict[str, Operation] = {
    "count": Operation("anything", 0, lambda count, values, _: count + len(values), _same),
    "sum": Operation("numbers", _NOTHING, _added, _sum),
    "avg": Operation("numbers", (0, _NOTHING), _meant, _average),
    "min": Operation("what has an order", None, _least, _same),
    "max": Operation("what has an order", None, _most, _same),
    "first": Operation(
        "anything", None, lambda first, values, _: values[0] if first is None else first, _same
    ),
    "last": Operation("anything", None, lambda _last, values, _: values[-1], _same),
    "distinct": Operation("anything", None, _told_apart, lambda keys: len(keys or ())),
    "stddev": Operation("numbers", (0, 1, 0, 0), _spread, _deviation),
    "median": Operation("numbers", None, _kept, _median),
    "p95": Operation("numbers", None, _kept, _percentile_95),
    "collect": Operation("anything", None, _kept, lambda values: values or []),
}
