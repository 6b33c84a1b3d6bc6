"""The module `test:assert`: what a test expects."""

from collections.abc import Callable, Sequence
from typing import Any, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ExpressionError, ModuleError, ParameterError
from gxo.runtime.expr import describe, equal_deeply, gt, lt
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import module


class Assertion(TypedDict):
    """What is there, and one thing that holds for it. message: what it is about."""

    actual: Any
    equal_to: NotRequired[Any]
    not_equal_to: NotRequired[Any]
    contains: NotRequired[Any]
    not_contains: NotRequired[Any]
    is_true: NotRequired[bool]
    is_false: NotRequired[bool]
    is_nil: NotRequired[bool]
    matches_regex: NotRequired[str]
    greater_than: NotRequired[Any]
    less_than: NotRequired[Any]
    has_length: NotRequired[int]
    message: NotRequired[str]


class Passed(TypedDict):
    """assertions_passed: how many there were."""

    assertions_passed: int


@module("test:assert", idempotent=True, returns={})
async def assert_(ctx: Context, *, assertions: Sequence[Assertion]) -> Passed:
    """Fail unless each of several things holds. All are looked at; the error shows all that fail.

    `equal_to` and `not_equal_to` compare numbers by value, lists and maps by content; values of two
    kinds, such as 1 and "1", are not equal. `contains` and `not_contains` look for a part of a
    text, an element of a list, or a key of a map. `is_true: true`, `is_false: true` and `is_nil:
    true` want the value true, false or nil itself. `matches_regex` looks for a match anywhere in a
    text. `greater_than` and `less_than` compare two numbers, or two texts. `has_length` counts a
    text's characters, a list's elements, a map's keys.

    Args:
        assertions: Each has `actual`, one of the keys above, and perhaps a `message` that says what
            it is about.

    Returns:
        `assertions_passed`, how many there were.

    Raises:
        ModuleError: the assertions that do not hold, each with what was expected and what is there.
        ParameterError: an assertion that expects nothing, or several things.

    Example:
        name: check
        lifecycle: {policy: run_once}
        process:
          module: test:assert
          params:
            assertions:
              - {actual: "{{ add 1 2 }}", equal_to: 3}
              - {actual: "{{ upper `gxo` }}", contains: X, message: the name}
    """
    if not assertions:
        raise ParameterError("`assertions` is empty")
    failed = [
        found
        for number, assertion in enumerate(assertions, 1)
        if (found := await _failure(ctx, number, assertion))
    ]
    if failed:
        head = f"{len(failed)} of {len(assertions)} assertions failed"
        error = ModuleError("\n".join([head, *(text for text, _ in failed)]))
        error.failures = [data for _, data in failed]
        raise error
    return {"assertions_passed": len(assertions)}


async def _failure(
    ctx: Context, number: int, assertion: Assertion
) -> tuple[str, dict[str, Any]] | None:
    """What to tell of an assertion, as text and as data; None when it holds."""
    operators = assertion.keys() - {"actual", "message"}
    if len(operators) != 1:
        given = ", ".join(sorted(operators)) or "none"
        raise ParameterError(
            f"assertion {number} has one of {', '.join(_OPERATORS)}; given: {given}"
        )
    [operator] = operators
    actual, expected = assertion["actual"], dict(assertion)[operator]
    reason = ""
    try:
        size = weight(actual) + weight(expected)
        if await ctx.offload(size, _OPERATORS[operator], actual, expected):
            return None
    except ExpressionError as error:
        reason = f"{error}"
    words = operator.replace("_", " ") + (f": {reason}" if reason else "")
    return await ctx.thread(_told, ctx, number, assertion, operator, words)


def _told(
    ctx: Context, number: int, assertion: Assertion, operator: str, words: str
) -> tuple[str, dict[str, Any]]:
    """A failed assertion as text and as data. words: what does not hold."""
    from gxo.runtime.testing.difference import (  # start-up: only for failures
        beside,
        difference,
        excerpt,
    )
    from gxo.runtime.testing.places import assertion_place

    actual, expected = assertion["actual"], dict(assertion)[operator]
    message = assertion.get("message")
    data: dict[str, Any] = {"number": number, "operator": operator, "says": words}
    head = f"{number}: {message or 'it'}"
    if (place := assertion_place(ctx, number)) is not None:
        head = f"{place.file}:{place.line}: {message or place.text or 'it'}"
        data |= {"line": place.line, "column": place.column}
    if message:
        data["message"] = message
    data |= {"expected": excerpt(ctx.redact, expected), "actual": excerpt(ctx.redact, actual)}
    compared = difference if operator == "equal_to" else beside
    shown = (f"      {line}" for line in compared(ctx.redact, expected, actual))
    return "\n".join([f"  {head}: {words}", *shown]), ctx.redact(data)


def _contains(actual: Any, part: Any) -> bool:
    match actual:
        case str():
            if not isinstance(part, str):
                raise ExpressionError(f"a text has no part that is {describe(part)}")
            return part in actual
        case list():
            return any(equal_deeply(element, part) for element in actual)
        case dict():
            return isinstance(part, str) and part in actual
    raise ExpressionError(f"{describe(actual)} contains nothing")


def _equal(actual: Any, other: Any) -> bool:
    if actual != actual and other != other:  # which is so of NaN alone
        raise ExpressionError("NaN is not even equal to itself")
    return equal_deeply(actual, other)


def _has_length(actual: Any, length: int) -> bool:
    if not isinstance(actual, str | list | dict):
        raise ExpressionError(f"{describe(actual)} has no length")
    if len(actual) != length:
        raise ExpressionError(f"it is {len(actual)}")
    return True


def _matches(actual: Any, pattern: Any) -> bool:
    from gxo.runtime.regex import compile_pattern  # start-up: only this operator needs it

    if not isinstance(actual, str):
        raise ExpressionError(f"{describe(actual)} is no text")
    return compile_pattern(pattern).search(actual) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equal_to": _equal,
    "not_equal_to": lambda actual, other: not equal_deeply(actual, other),
    "contains": _contains,
    "not_contains": lambda actual, part: not _contains(actual, part),
    "is_true": lambda actual, wanted: (actual is True) == wanted,
    "is_false": lambda actual, wanted: (actual is False) == wanted,
    "is_nil": lambda actual, wanted: (actual is None) == wanted,
    "matches_regex": _matches,
    "greater_than": gt,
    "less_than": lt,
    "has_length": _has_length,
}
