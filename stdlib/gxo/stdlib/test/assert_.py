"""The module `test:assert`: what a test expects."""

import json
from collections.abc import Callable, Iterator, Sequence
from difflib import unified_diff
from itertools import islice, takewhile
from typing import Any, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ExpressionError, ModuleError, ParameterError
from gxo.runtime.expr import describe, equal_deeply, gt, lt
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import module

LONGEST, COMPARED, SHOWN, CONTEXT = 2_000, 200, 40, 2
"""Characters of a line that a failure shows; lines that are compared from the first that differs
on; lines of a difference that are shown; and lines around each change."""


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
    failures = [
        text
        for number, assertion in enumerate(assertions, 1)
        if (text := await _failure(ctx, number, assertion))
    ]
    if failures:
        head = f"{len(failures)} of {len(assertions)} assertions failed"
        raise ModuleError("\n".join([head, *failures]))
    return {"assertions_passed": len(assertions)}


async def _failure(ctx: Context, number: int, assertion: Assertion) -> str | None:
    """What to tell of an assertion; None when it holds."""
    operators = assertion.keys() - {"actual", "message"}
    if len(operators) != 1:
        given = ", ".join(sorted(operators)) or "none"
        raise ParameterError(
            f"assertion {number} has one of {', '.join(_OPERATORS)}; given: {given}"
        )
    [operator] = operators
    actual, expected = assertion["actual"], dict(assertion)[operator]
    try:
        size = weight(actual) + weight(expected)
        if await ctx.offload(size, _OPERATORS[operator], actual, expected):
            return None
        reason = operator.replace("_", " ")
    except ExpressionError as error:
        reason = f"{operator.replace('_', ' ')}: {error}"
    about = f"{number}: {assertion.get('message') or 'it'}"
    shown = await ctx.thread(lambda: list(_difference(ctx, expected, actual)))
    return "\n".join([f"  {about}: {reason}", *shown])


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


def _length(actual: Any) -> int:
    if not isinstance(actual, str | list | dict):
        raise ExpressionError(f"{describe(actual)} has no length")
    return len(actual)


def _matches(actual: Any, pattern: Any) -> bool:
    from gxo.runtime.regex import compile_pattern  # start-up: only this operator needs it

    if not isinstance(actual, str):
        raise ExpressionError(f"{describe(actual)} is no text")
    return compile_pattern(pattern).search(actual) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equal_to": equal_deeply,
    "not_equal_to": lambda actual, other: not equal_deeply(actual, other),
    "contains": _contains,
    "not_contains": lambda actual, part: not _contains(actual, part),
    "is_true": lambda actual, wanted: (actual is True) == wanted,
    "is_false": lambda actual, wanted: (actual is False) == wanted,
    "is_nil": lambda actual, wanted: (actual is None) == wanted,
    "matches_regex": _matches,
    "greater_than": gt,
    "less_than": lt,
    "has_length": lambda actual, length: _length(actual) == length,
}


def _difference(ctx: Context, expected: Any, actual: Any) -> Iterator[str]:
    """Both values if they are short, else the lines from the first one on in which they differ."""
    wanted, found = _lines(ctx, expected), _lines(ctx, actual)
    if len(wanted) == len(found) == 1:
        yield f"      expected: {wanted[0]}"
        yield f"      actual:   {found[0]}"
        return
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False))
    first = max(0, sum(1 for _ in alike) - CONTEXT)
    yield f"      - expected, + actual, from line {first + 1} on:"
    window = slice(first, first + COMPARED)
    changes = unified_diff(wanted[window], found[window], lineterm="", n=CONTEXT)
    lines = [line for line in islice(changes, 2, None) if not line.startswith("@@")]
    yield from (f"      {line}" for line in (lines or found)[:SHOWN])
    if max(len(lines), len(wanted) - first, len(found) - first) > SHOWN:
        yield "      ..."


def _lines(ctx: Context, value: Any) -> list[str]:
    """A value as JSON, or a text of several lines as it is."""
    text = value
    if not isinstance(value, str) or "\n" not in value.strip("\n"):
        text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=repr)
    lines = ctx.redact(text).splitlines()
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}..." for line in lines]
