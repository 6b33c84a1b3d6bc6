"""Sprig's arithmetic: ints wrap at 64 bits as in Go, and whatever is no number counts as 0.

`addf` and its like compute in decimal, as Sprig does: `addf 0.1 0.2` is 0.3.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Int64, describe, format_value, wrap
from gxo.runtime.functions import function

if TYPE_CHECKING:
    from decimal import Decimal

_HALF = 1 << 63
_DIGITS = "0123456789abcdef"
_MOST = 10_000_000
_FLOAT_CHARS = frozenset("0123456789.eE+-")


def to_int64(value: object) -> int:
    """Return Go's `cast.ToInt64`: bools are 1 and 0, floats lose their fraction, texts are read as
    Go's literals (0x1f, 017, 1_000); anything else is 0."""
    if type(value) is int and -_HALF <= value < _HALF:
        return value
    if isinstance(value, int):
        return wrap(value)
    if isinstance(value, float):
        inside = value == value and -_HALF <= value < _HALF
        return int(value) if inside else -_HALF
    if isinstance(value, str):
        if len(value) < 19 and value.isascii() and value.isdecimal() and value[0] != "0":
            return int(value)
        return _parse_int(_without_zero_fraction(value)) or 0
    return 0


def _without_zero_fraction(text: str) -> str:
    whole, point, fraction = text.rpartition(".")
    return whole if point and fraction and not fraction.strip("0") else text


def _parse_int(text: str) -> int | None:
    """Return a Go int literal's value, None where the text is none or needs more than 64 bits."""
    body = text[1:] if text[:1] in ("+", "-") else text
    body = body.lower()
    if body.startswith("_") or body.endswith("_") or "__" in body:
        return None
    base, digits = 10, body
    if body[:2] in ("0x", "0o", "0b"):
        base, digits = {"x": 16, "o": 8, "b": 2}[body[1]], body[2:]
    elif body.startswith("0") and len(body) > 1:
        base, digits = 8, body[1:]
    return parse_digits(("-" if text.startswith("-") else "") + digits.replace("_", ""), base)


def parse_digits(text: str, base: int) -> int | None:
    """Return Go's `strconv.ParseInt` with a base: None for what it refuses."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits or len(digits) > 64 or not set(digits.lower()) <= set(_DIGITS[:base]):
        return None
    number = int(text, base)
    return number if -_HALF <= number < _HALF else None


def to_float64(value: object) -> float:
    """Return Go's `cast.ToFloat64`; what is no number is 0."""
    if type(value) is float:
        return value
    if isinstance(value, (int, float)):
        return float(value)
    return _parse_float(value) if isinstance(value, str) else 0.0


def _parse_float(text: str) -> float:
    body = text.lstrip("+-").lower()
    if len(text) - len(body) <= 1 and body in ("inf", "infinity", "nan"):
        return float(text)
    try:
        if body.startswith("0x"):
            return float.fromhex(text.replace("_", "")) if "p" in body else 0.0
        number = float(text)
    except (ValueError, OverflowError):
        return 0.0
    plain = _FLOAT_CHARS.issuperset(text.replace("_", ""))
    return number if plain and not math.isinf(number) else 0.0


# Ints ------------------------------------------------------------------------------------------


@function("int")
def int_(value: Any) -> int:
    """Return the value as an int, 0 for what is no number."""
    return int(to_int64(value))


@function("int64")
def int64(value: Any) -> int:
    """Return the value as an int, 0 for what is no number."""
    return Int64(to_int64(value))


@function("atoi")
def atoi(text: str) -> int:
    """Return the decimal number in a text, 0 for what is none; the nearest that 64 bits hold."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdecimal()):
        return 0
    number = int(digits) if len(digits) < 40 else _HALF
    return max(-number, -_HALF) if text.startswith("-") else min(number, _HALF - 1)


@function("toDecimal")
def to_decimal(value: Any) -> int:
    """Return the octal number that the value prints as, 0 for what is none."""
    return Int64(parse_digits(format_value(value), 8) or 0)


@function("add")
def add(*values: Any) -> int:
    """Return the sum."""
    total = 0
    for value in values:
        total += value if type(value) is int else to_int64(value)
    return wrap(total)


@function("add1")
def add1(value: Any) -> int:
    """Return the value plus 1."""
    return wrap((value if type(value) is int else to_int64(value)) + 1)


@function("sub")
def sub(left: Any, right: Any) -> int:
    """Return the difference."""
    if type(left) is int and type(right) is int:
        return wrap(left - right)
    return wrap(to_int64(left) - to_int64(right))


@function("mul")
def mul(first: Any, *others: Any) -> int:
    """Return the product."""
    product = to_int64(first)
    for other in others:
        product *= to_int64(other)
    return wrap(product)


@function("div")
def div(left: Any, right: Any) -> int:
    """Return the quotient without its fraction."""
    dividend, divisor = _operands("div", left, right)
    quotient = abs(dividend) // abs(divisor)
    return wrap(quotient if (dividend < 0) == (divisor < 0) else -quotient)


@function("mod")
def mod(left: Any, right: Any) -> int:
    """Return the remainder, with the sign of the dividend."""
    dividend, divisor = _operands("mod", left, right)
    rest = abs(dividend) % abs(divisor)
    return wrap(-rest if dividend < 0 else rest)


def _operands(name: str, left: object, right: object) -> tuple[int, int]:
    divisor = to_int64(right)
    if not divisor:
        raise ExpressionError(f"{name}: {describe(left)} cannot be divided by {describe(right)}")
    return to_int64(left), divisor


@function("max", "biggest")
def max_(first: Any, *others: Any) -> int:
    """Return the largest of the values as ints."""
    return Int64(max(map(to_int64, (first, *others))))


@function("min")
def min_(first: Any, *others: Any) -> int:
    """Return the smallest of the values as ints."""
    return Int64(min(map(to_int64, (first, *others))))


# Ranges ----------------------------------------------------------------------------------------


@function("until")
def until(count: int) -> list[int]:
    """Return the ints from 0 up, or down, to the count without it."""
    return until_step(0, count, -1 if count < 0 else 1)


@function("untilStep")
def until_step(start: int, stop: int, step: int) -> list[int]:
    """Return the ints from `start` to `stop` without it, in steps of `step`."""
    if step == 0 or (stop < start) != (step < 0):
        return []
    numbers = range(start, stop, step)
    if len(numbers) > _MOST:
        raise ExpressionError(f"{len(numbers)} numbers are too many for a list")
    return [*numbers]


@function("seq")
def seq(*numbers: int) -> str:
    """Return ints as a text with spaces between, as the command `seq` does: last; first and last;
    first, step and last."""
    if len(numbers) == 3:
        start, step, end = numbers
        if end < start and step > 0:
            return ""
    elif 1 <= len(numbers) <= 2:
        start, end = numbers if len(numbers) == 2 else (1, numbers[0])
        step = -1 if end < start else 1
    else:
        return ""
    return " ".join(map(str, until_step(start, end + (-1 if end < start else 1), step)))


# Floats ----------------------------------------------------------------------------------------


@function("float64")
def float64(value: Any) -> float:
    """Return the value as a float, 0 for what is no number."""
    return to_float64(value)


@function("maxf")
def maxf(first: Any, *others: Any) -> float:
    """Return the largest of the values as floats."""
    return _ordered(first, *others)[-1]


@function("minf")
def minf(first: Any, *others: Any) -> float:
    """Return the smallest of the values as floats."""
    return _ordered(first, *others)[0]


def _ordered(*values: object) -> list[float]:
    """Return the values as floats in order, -0 before 0; only NaN if there is one."""
    numbers = [to_float64(value) for value in values]
    if any(map(math.isnan, numbers)):
        return [math.nan]
    return sorted(numbers, key=lambda number: (number, math.copysign(1, number)))


@function("floor")
def floor(value: Any) -> float:
    """Return the largest whole float that is not above the value."""
    return _whole(math.floor, to_float64(value))


@function("ceil")
def ceil(value: Any) -> float:
    """Return the smallest whole float that is not below the value."""
    return _whole(math.ceil, to_float64(value))


def _whole(cut: Callable[[float], int], number: float) -> float:
    return math.copysign(cut(number), number) if math.isfinite(number) else number


@function("round")
def round_(value: Any, places: int, *threshold: float) -> float:
    """Return the value rounded to decimal places; up from .5 on, or from the threshold on."""
    power = 10.0**places if abs(places) <= 308 else math.nan
    digit = power * (value if type(value) is float else to_float64(value))
    if digit - digit != 0:
        return digit / power  # infinite, or no number
    limit = threshold[0] if threshold else 0.5
    return (-(-digit // 1) if math.fmod(digit, 1) >= limit else digit // 1) / power


@function("addf")
def addf(*values: Any) -> float:
    """Return the sum, computed in decimal."""
    return _in_decimal((0.0, *values), lambda left, right: left + right)


@function("add1f")
def add1f(value: Any) -> float:
    """Return the value plus 1, computed in decimal."""
    return _in_decimal((value, 1), lambda left, right: left + right)


@function("subf")
def subf(first: Any, *others: Any) -> float:
    """Return the first value less the others, computed in decimal."""
    return _in_decimal((first, *others), lambda left, right: left - right)


@function("mulf")
def mulf(first: Any, *others: Any) -> float:
    """Return the product, computed in decimal."""
    return _in_decimal((first, *others), lambda left, right: left * right)


@function("divf")
def divf(first: Any, *others: Any) -> float:
    """Return the first value divided by the others, to 16 decimal places."""
    return _in_decimal((first, *others), _divide)


def _in_decimal(
    values: tuple[Any, ...], combine: Callable[["Decimal", "Decimal"], "Decimal"]
) -> float:
    from decimal import Context, Decimal, localcontext  # only where a float is computed so

    numbers = [Decimal(repr(to_float64(value))) for value in values]
    if not all(number.is_finite() for number in numbers):
        raise ExpressionError("an infinite number has no decimal digits to compute with")
    with localcontext(Context(prec=5000)):
        result = numbers[0]
        for number in numbers[1:]:
            result = combine(result, number)
        return float(result) + 0.0


def _divide(left: "Decimal", right: "Decimal") -> "Decimal":
    """Return the quotient to 16 places, rounded half away from zero."""
    if not right:
        raise ExpressionError("divf: division by zero")
    numerator, scale = (left * 10**16).as_integer_ratio()
    divisor, factor = right.as_integer_ratio()
    top, bottom = abs(numerator * factor), abs(scale * divisor)
    quotient, rest = divmod(top, bottom)
    quotient += 2 * rest >= bottom
    return type(left)(-quotient if (left < 0) != (right < 0) else quotient).scaleb(-16)
