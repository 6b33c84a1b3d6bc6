"""Check what `test:assert` is asked to check: one thing each time, and one that can hold.

before:  {actual: "{{ .got.status_code }}", equal_to: "200"}     an int, and a text
after:   warning: this never holds: an int is not equal to the text "200"

Only what every run shares is said: of values whose type is not known nothing is.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.assertions import Assertion, assertions, listed
from gxo.compiler.ir.nodes import Computed, Constant, Fields, Items, Plan, Value
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.ir.walk import every_call
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.template.ast import Template
from gxo.compiler.template.check import check_status
from gxo.compiler.template.parse import single_action
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Shape,
    Type,
    describe,
    simplified,
)

NOT_ONE, NEVER = "GXO0565", "GXO0566"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        found = listed(workload)
        if workload.module is None or found is None:
            continue
        if not found.values:
            message = "there is nothing in `assertions`, so nothing is tested"
            diagnostics.error(NOT_ONE, found.span, message)
        for assertion in assertions(workload):
            if len(assertion.operators) != 1:
                _report(assertion, workload.module, diagnostics)
            else:
                _check(assertion, diagnostics)
    return plan


def _report(assertion: Assertion, module: ModuleSpec, diagnostics: Diagnostics) -> None:
    given = [f"`{name}`" for name, _ in assertion.operators]
    if given:
        message = f"assertion {assertion.number} says {' and '.join(given)}, where one is meant"
        hint = "make an assertion of each"
    else:
        message = f"assertion {assertion.number} says nothing about `actual`"
        hint = f"add one of: {', '.join(_operators(module))}"
    diagnostics.error(NOT_ONE, assertion.fields.span, message, hint)


def _operators(module: ModuleSpec) -> list[str]:
    param = module.param("assertions")
    shape = param.type.item if param and isinstance(param.type, ListOf) else None
    names = shape.names() if isinstance(shape, Shape) else ()
    return [name for name in names if name not in ("actual", "message")]


def _check(assertion: Assertion, diagnostics: Diagnostics) -> None:
    [(operator, expected)] = assertion.operators
    _check_status(assertion.actual, operator, expected, diagnostics)
    known = value_type(assertion.actual)
    found = None if known == ANY else _RULES[operator](known, expected)
    if found is None:
        return
    known, value = found.known, found.expected
    message = f"this {'always' if found.holds else 'never'} holds: {describe(known)} {found.says}"
    hint = _hint(known, value) if operator in _COMPARING else None
    diagnostics.warning(NEVER, value.span, message, hint)


def _check_status(actual: Value, operator: str, expected: Value, diagnostics: Diagnostics) -> None:
    match actual, operator, expected:
        case (
            Computed(Template() as template, "native"),
            "equal_to" | "not_equal_to",
            Constant(str(word), span),
        ) if action := single_action(template):
            check_status(action, word, span, diagnostics)


def _hint(known: Type, expected: Value) -> str | None:
    """For quotes around a number or a bool, or around none, which is the classic slip."""
    match expected:
        case Constant(str(text)) if _is_literal(text, known):
            return f"without quotes it is {describe(known)}: {text}"
        case Constant(bool() | int() | float()) if known == TEXT:
            return f'in quotes it is text: "{_shown(expected)}"'
    return None


def _is_literal(text: str, known: Type) -> bool:
    if known == BOOL:
        return text in ("true", "false")
    try:
        return known in (INT, FLOAT) and math.isfinite(float(text))
    except ValueError:
        return False


# What holds in every run, or in none, by operator -------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Finding:
    """holds: always, or never. known: the type of which it is so; expected: beside what."""

    holds: bool
    known: Type
    expected: Value
    says: str


_Rule = Callable[[Type, Value], _Finding | None]


def _equality(*, wanted: bool) -> _Rule:
    def rule(known: Type, expected: Value) -> _Finding | None:
        unequal = _unequal(known, expected)
        if unequal is None:
            return None
        one, other = unequal
        return _Finding(not wanted, one, other, f"is not equal to {_shown(other)}")

    return rule


def _part(*, wanted: bool) -> _Rule:
    def rule(known: Type, expected: Value) -> _Finding | None:
        options = _options(known)
        if all(isinstance(one, Scalar) and one not in (TEXT, ANY) for one in options):
            return _Finding(False, known, expected, "contains nothing")
        if any(_can_contain(one, expected) for one in options):
            return None
        # Of a text, what is no text cannot even be asked.
        holds = not wanted and TEXT not in options
        return _Finding(holds, known, expected, f"does not contain {_shown(expected)}")

    return rule


def _is(kind: Type, word: str) -> _Rule:
    def rule(known: Type, expected: Value) -> _Finding | None:
        is_asked = not (isinstance(expected, Constant) and expected.value is False)
        if not is_asked or _has(known, kind):
            return None
        return _Finding(False, known, expected, f"is not {word}")

    return rule


def _pattern(known: Type, expected: Value) -> _Finding | None:
    return None if _has(known, TEXT) else _Finding(False, known, expected, "is no text")


def _order(known: Type, expected: Value) -> _Finding | None:
    for one in _options(known):
        for other in _options(value_type(expected)):
            both = (one, other)
            if ANY in both or both == (TEXT, TEXT) or all(kind in (INT, FLOAT) for kind in both):
                return None
    return _Finding(False, known, expected, f"and {_shown(expected)} have no order")


def _length(known: Type, expected: Value) -> _Finding | None:
    if _has(known, TEXT) or any(map(_is_container, _options(known))):
        return None
    return _Finding(False, known, expected, "has no length")


_RULES: Mapping[str, _Rule] = {
    "equal_to": _equality(wanted=True),
    "not_equal_to": _equality(wanted=False),
    "contains": _part(wanted=True),
    "not_contains": _part(wanted=False),
    "is_true": _is(BOOL, "true"),
    "is_false": _is(BOOL, "false"),
    "is_nil": _is(NIL, "nil"),
    "matches_regex": _pattern,
    "greater_than": _order,
    "less_than": _order,
    "has_length": _length,
}


_COMPARING = ("equal_to", "not_equal_to", "contains", "not_contains", "greater_than", "less_than")


def _options(type_: Type) -> tuple[Type, ...]:
    type_ = simplified(type_)
    return type_.options if isinstance(type_, OneOf) else (type_,)


def _has(known: Type, kind: Type) -> bool:
    """Whether a value of the type can be of the kind."""
    return any(one in (kind, ANY) for one in _options(known))


def _is_container(type_: Type) -> bool:
    return isinstance(type_, ListOf | MapOf | Shape)


def _can_contain(whole: Type, part: Value) -> bool:
    if whole == ANY:
        return True
    if isinstance(whole, ListOf):
        return _unequal(whole.item, part) is None
    return (whole == TEXT or _is_container(whole)) and _unequal(TEXT, part) is None


def _unequal(known: Type, expected: Value) -> tuple[Type, Value] | None:
    """The innermost parts of the two that are never equal; None where all of them may be."""
    options = _options(known)
    if ANY in options:
        return None
    match expected:
        case Items(values):
            lists = [one for one in options if isinstance(one, ListOf)]
            found = [_first(one.item, values) for one in lists]
        case Fields(entries):
            maps = [one for one in options if isinstance(one, MapOf | Shape)]
            found = [_unequal_map(one, expected, dict(entries)) for one in maps]
        case _:
            others = _options(value_type(expected))
            may_be = any(_alike(one, other) for one in options for other in others)
            return None if may_be else (known, expected)
    if None in found:
        return None
    return found[0] if len(found) == len(options) == 1 else (known, expected)


def _first(item: Type, values: Iterable[Value]) -> tuple[Type, Value] | None:
    return next(filter(None, (_unequal(item, value) for value in values)), None)


def _unequal_map(
    known: MapOf | Shape, expected: Fields, entries: Mapping[str, Value]
) -> tuple[Type, Value] | None:
    if isinstance(known, MapOf):
        return _first(known.value, entries.values())
    has_others = any(known.field(name) is None for name in entries)
    if has_others or any(known.requires(name) and name not in entries for name in known.names()):
        return known, expected
    pairs = (_unequal(known.field(name) or ANY, value) for name, value in entries.items())
    return next(filter(None, pairs), None)


def _alike(one: Type, other: Type) -> bool:
    """Whether values of two types can be equal, as far as their kinds say."""
    if ANY in (one, other):
        return True
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return one == other or {one, other} == {INT, FLOAT}
    both_lists = isinstance(one, ListOf) and isinstance(other, ListOf)
    return both_lists or (isinstance(one, MapOf | Shape) and isinstance(other, MapOf | Shape))


def _shown(expected: Value) -> str:
    match expected:
        case Constant(str(text)):
            return f'the text "{text}"' if len(text) <= 40 else "a text"
        case Constant(None):
            return "nil"
        case Constant(bool(value)):
            return str(value).lower()
        case Constant(value):
            return str(value)
    return describe(value_type(expected))
