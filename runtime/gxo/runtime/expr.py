"""The core that compiled expressions call where Go's rules and Python's differ.

    {{ .n }} items               f"{text(n)} items"       (f"{n} items" where n is an int for sure)
    {{ if eq .env "prod" }}      if eq(env, "prod"):      (env == "prod" where env is a text)
    {{ .orders.body.rows }}      field(field(orders, "body"), "rows")
    {{ .a.b | default "x" }}     default("x", ask(a, "b"))

Values are Python's: None, bool, int, float, str, list, dict. `Int64` and `NilList` remember what Go
can tell from these; `Native` is the rest (a time, a version). A text's bytes that are not UTF-8
are kept as Python's "surrogateescape" characters. Nearly every job imports this file, so it imports
nothing that costs.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import CheckedSized, function


class Int64(int):
    """An int that is an int64 in Go: `typeOf` and `deepEqual` tell the two apart, nothing else."""

    __slots__ = ()


_HALF = 1 << 63


def wrap(number: int) -> Int64:
    """Return a number as Go's 64 bits hold it."""
    if -_HALF <= number < _HALF:
        return Int64(number)
    return Int64((number + _HALF) % (2 * _HALF) - _HALF)


class NilList(list[Any]):
    """Go's nil slice: an empty list in every respect, but `null` in JSON."""

    __slots__ = ()


class Native:
    """A value that is none of Python's own, such as a time or a version: `(semver "1.2").Major`.

    `GO_TYPE` is what `typeOf` prints. `METHODS` maps the names that templates use to functions of
    the value and the arguments. `str(value)` is what Go prints.
    """

    __slots__ = ()
    GO_TYPE: ClassVar[str]
    METHODS: ClassVar[dict[str, Callable[..., Any]]]

    def json_text(self) -> str:
        """Return the text that stands for the value in JSON."""
        return str(self)


class NamedInt(int):
    """An int that prints as a name, such as a month or a duration. `GO_TYPE` and `METHODS` are as
    in `Native`; `str(value)` is what Go prints."""

    __slots__ = ()
    GO_TYPE: ClassVar[str]
    METHODS: ClassVar[dict[str, Callable[..., Any]]] = {}


# What is printed -------------------------------------------------------------------------------


def text(value: object) -> str:
    """Return what a value adds to a text in a playbook.

    Raises: ExpressionError for nil, a list or a map (language, section 3).
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is int:
        return str(value)
    if kind is float:
        return format_float(value)  # type: ignore[arg-type]
    if value is None:
        raise ExpressionError("nil cannot be part of a text", hint="give it a value with default")
    if isinstance(value, (list, dict)):
        hint = "choose one of its parts, or print it with toJson"
        raise ExpressionError(f"{describe(value)} cannot be part of a text", hint=hint)
    return format_value(value)


def show(value: object) -> str:
    """Return what Go prints for the value of an action: `<no value>` for nil, else its `%v`."""
    return "<no value>" if value is None else format_value(value)


def format_value(value: object) -> str:
    """Return Go's `%v`: maps sorted by key, `<nil>`, `[a b]`, `map[a:1]`."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is int:
        return str(value)
    if value is None:
        return "<nil>"
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, list):
        return f"[{' '.join([format_value(item) for item in value])}]"
    if isinstance(value, dict):
        return f"map[{' '.join([f'{key}:{format_value(value[key])}' for key in in_order(value)])}]"
    return str(value)


def format_float(value: float) -> str:
    """Return Go's `%v`: the shortest digits, with an exponent below 1e-4 and from 1e6 on."""
    digits = repr(value)
    if digits.endswith(".0"):
        digits = digits[:-2]
    if -1e6 < value < 1e6:
        return digits
    if value != value or value in (math.inf, -math.inf):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    if "e" in digits:
        return digits
    sign, digits = ("-", digits[1:]) if value < 0 else ("", digits)
    whole, _, fraction = digits.partition(".")
    mantissa = (whole[1:] + fraction).rstrip("0")
    return f"{sign}{whole[0]}{'.' if mantissa else ''}{mantissa}e+{len(whole) - 1:02}"


def describe(value: object) -> str:
    """Name a value in an error message: `nil`, `the int 5`, `the text "abc"`, `a list of 3`."""
    if value is None:
        return "nil"
    if isinstance(value, str):
        # Not a part of a longer one: a part of a secret could not be found, and redacted, any more.
        return f'the text "{value}"' if len(value) <= 40 else f"a text of {len(value)} characters"
    if isinstance(value, (list, dict)):
        return f"a {kind_of(value)} of {len(value)}"
    return f"the {kind_of(value)} {format_value(value)}"


_KINDS = {type(None): "nil", bool: "bool", int: "int", Int64: "int", float: "float", str: "text"}


def kind_of(value: object) -> str:
    """Name a value's type in the playbook's words: nil, bool, int, float, text, list, map."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "map"
    return "int" if isinstance(value, int) else getattr(value, "GO_TYPE", type(value).__name__)


# Texts with bytes that are no characters ---------------------------------------------------------


def whole(text: str) -> str:
    """Return a text that was put together, with the characters that its ends may have made."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def in_order(texts: Iterable[str]) -> list[str]:
    """Return texts in the order of their bytes: that of their characters, where they have them."""
    found = sorted(texts)
    return found if all(map(str.isascii, found)) else sorted(found, key=_bytes)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# Truth -----------------------------------------------------------------------------------------

_FALSE_TEXTS = frozenset(("", "false", "no", "off", "0"))


def condition(value: object) -> bool:
    """Return a condition's outcome: Go's truth, which is Python's, but the texts false, no, off
    and 0 are not true (language, section 4)."""
    if isinstance(value, str):
        return value.strip().lower() not in _FALSE_TEXTS
    return bool(value)


# Comparison ------------------------------------------------------------------------------------


# These functions are called for every record: what is common is decided by two look-ups in a set.
_PLAIN = frozenset((bool, float, int, str))
_NUMBERS = frozenset((float, int))


@function("eq")
def eq_any(first: Any, second: Any, *others: Any) -> bool:
    """Return whether `first` equals one of the others; numbers by value, lists and maps deeply.

    Raises: ExpressionError where two kinds do not compare, such as a text and a number.
    """
    return eq(first, second) or any(eq(first, other) for other in others)


def eq(first: Any, second: Any) -> bool:
    """Return whether two values are equal, as `eq_any` sees it: most templates compare two."""
    kind = first.__class__
    if kind is second.__class__:
        if kind in _PLAIN:
            return first == second  # type: ignore[no-any-return]
    elif kind in _NUMBERS and second.__class__ in _NUMBERS:
        return first == second  # type: ignore[no-any-return]
    return _equal(first, second)


@function("ne")
def ne(first: Any, second: Any) -> bool:
    """Return whether two values differ, as `eq` sees it."""
    kind = first.__class__
    if kind is second.__class__:
        if kind in _PLAIN:
            return first != second  # type: ignore[no-any-return]
    elif kind in _NUMBERS and second.__class__ in _NUMBERS:
        return first != second  # type: ignore[no-any-return]
    return not _equal(first, second)


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if _comparable(left) != _comparable(right):
        raise ExpressionError(f"{describe(left)} and {describe(right)} do not compare")
    return equal_deeply(left, right)


def _comparable(value: object) -> str:
    kind = kind_of(value)
    return "number" if kind in ("int", "float") else kind


def equal_deeply(left: Any, right: Any) -> bool:
    """Return whether two values are equal: 1 is 1.0, true is not 1, lists and maps by content."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal_deeply, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            equal_deeply(value, right[key]) for key, value in left.items()
        )
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


@function("lt")
def lt(first: Any, second: Any) -> bool:
    """Return whether `first` is below `second`: two numbers, or two texts by their bytes."""
    if first.__class__ not in _NUMBERS or second.__class__ not in _NUMBERS:
        first, second = _ordered(first, second)
    return first < second  # type: ignore[no-any-return]


@function("le")
def le(first: Any, second: Any) -> bool:
    """Return whether `first` is below or equal to `second`: two numbers, or two texts."""
    if first.__class__ not in _NUMBERS or second.__class__ not in _NUMBERS:
        first, second = _ordered(first, second)
    return first <= second  # type: ignore[no-any-return]


@function("gt")
def gt(first: Any, second: Any) -> bool:
    """Return whether `first` is above `second`: two numbers, or two texts."""
    if first.__class__ not in _NUMBERS or second.__class__ not in _NUMBERS:
        first, second = _ordered(first, second)
    return first > second  # type: ignore[no-any-return]


@function("ge")
def ge(first: Any, second: Any) -> bool:
    """Return whether `first` is above or equal to `second`: two numbers, or two texts."""
    if first.__class__ not in _NUMBERS or second.__class__ not in _NUMBERS:
        first, second = _ordered(first, second)
    return first >= second  # type: ignore[no-any-return]


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Return what stands for two values in Python's order: themselves, but texts by their bytes."""
    kind = _comparable(left)
    if kind not in ("number", "text") or kind != _comparable(right):
        raise ExpressionError(f"{describe(left)} and {describe(right)} have no order")
    if kind == "number" or (left.isascii() and right.isascii()):
        return left, right
    return _bytes(left), _bytes(right)


# Arithmetic of the infix operators (language, section 3) -----------------------------------------


def plus(left: Any, right: Any) -> Any:
    """Return `left + right`: the sum of two numbers, two texts or two lists joined."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        if type(left) is type(right) is str:
            return whole(left + right)
        if not (isinstance(left, list) and isinstance(right, list)):
            _require_numbers(left, "+", right)
    return left + right


def minus(left: Any, right: Any) -> Any:
    """Return the difference of two numbers."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        _require_numbers(left, "-", right)
    return left - right


def times(left: Any, right: Any) -> Any:
    """Return the product of two numbers."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        _require_numbers(left, "*", right)
    return left * right


def divide(left: Any, right: Any) -> float:
    """Return the true quotient of two numbers."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        _require_numbers(left, "/", right)
    try:
        return float(left / right)
    except ArithmeticError as error:
        raise ExpressionError(f"{format_value(left)} / {format_value(right)}: {error}") from None


def remainder(left: Any, right: Any) -> Any:
    """Return the remainder of two numbers with the sign of `left`."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        _require_numbers(left, "%", right)
    if not right:
        raise ExpressionError(f"{format_value(left)} % {format_value(right)}: division by zero")
    if isinstance(left, float) or isinstance(right, float):
        return math.fmod(left, right)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _require_numbers(left: object, operator: str, right: object) -> None:
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ExpressionError(f"{describe(left)} {operator} {describe(right)} has no meaning")


# Parts of values -------------------------------------------------------------------------------


def field(value: Any, name: str | int) -> Any:
    """Return a map's field, a list's element (`name` is an int) or a native value's method called.

    Raises: ExpressionError when it is missing, or when the value has no fields.
    """
    if isinstance(value, dict):
        try:
            return value[str(name)]
        except KeyError:
            raise ExpressionError(f'the map has no field "{name}"', hint=_known(value)) from None
    if isinstance(value, list) and isinstance(name, int):
        if name >= len(value):
            raise ExpressionError(f"there is no element {name} in {describe(value)}")
        return value[name]
    return method(value, str(name))


def _known(value: dict[str, Any]) -> str:
    if not value:
        return "it is empty"
    names = [str(name) for name in list(value)[:10]]
    return f"it has {', '.join(names)}{'...' if len(value) > 10 else ''}"


def ask(value: Any, *names: str | int) -> Any:
    """Follow a chain of fields; nil where one is missing or is a field of nil (section 3, Missing
    values). Raises: ExpressionError for a field of what has no fields, such as a text."""
    for name in names:
        if value is None:
            return None
        if isinstance(value, dict):
            value = value.get(str(name))
        elif isinstance(value, list) and isinstance(name, int):
            value = value[name] if name < len(value) else None
        else:
            value = method(value, str(name))
    return value


def method(value: Any, name: str, *arguments: Any) -> Any:
    """Call a native value's method: `(semver "1.2").LessThan (semver "2")`."""
    known = value.METHODS if isinstance(value, (Native, NamedInt)) else {}
    if name in known:
        return known[name](value, *arguments)
    if arguments and isinstance(value, dict) and name in value:
        raise ExpressionError(f"{name} is a field, not a function: it takes no arguments")
    raise ExpressionError(f'{describe(value)} has no field "{name}"')


@function("index")
def index(value: Any, *keys: Any) -> Any:
    """Return the element the keys lead to: list positions, map keys (nil when absent), or the
    number of a text's byte."""
    if value is None:
        raise ExpressionError("nil has no elements")
    for key in keys:
        value = _element(value, key)
    return value


def _element(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        if not isinstance(key, str):
            raise ExpressionError(f"a map's key is a text, not {describe(key)}")
        return value.get(key)
    if not isinstance(value, (list, str)):
        raise ExpressionError(f"{describe(value)} has no elements")
    if isinstance(key, bool) or not isinstance(key, int):
        raise ExpressionError(f"a position in a {kind_of(value)} is an int, not {describe(key)}")
    sequence = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if not 0 <= key < len(sequence):
        raise ExpressionError(f"there is no element {key} in {describe(value)}")
    return sequence[key]


@function("len")
def length(value: CheckedSized) -> int:
    """Return the number of elements, or of a text's bytes in UTF-8."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, (list, dict)):
        return len(value)
    raise ExpressionError(f"{describe(value)} has no length")


@function("call")
def call(value: Any, *arguments: Any) -> Any:  # noqa: ARG001
    """Refuse: no value of a playbook is a function."""
    raise ExpressionError(f"{describe(value)} cannot be called: it is not a function")


def elements(value: Any) -> Iterable[Any]:
    """Return what `range` visits: a list's elements, a map's values by key, nothing for nil."""
    if isinstance(value, list):
        return value
    return [element for _, element in pairs(value)]


def pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what `range $key, $element` visits: (position, element), or (key, value) by key."""
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict):
        return [(key, value[key]) for key in in_order(value)]
    if value is None:
        return ()
    raise ExpressionError(f"range cannot go through {describe(value)}")
