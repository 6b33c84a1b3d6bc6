"""Folding changes nothing: every shared case gives what it gave, and nothing takes long."""

import copy
import json
from dataclasses import replace
from time import process_time
from typing import Any

import pytest

from gxo.cli.evaluate import TEMPLATE, EvaluationError, FakeContext, Program, _module, program
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template import functions
from gxo.compiler.template.constants import LONGEST
from gxo.compiler.template.folding import Decided, fold
from gxo.compiler.template.parse import parse
from gxo.compiler.template.to_python import Want, unmarked
from gxo.compiler.types import INT, TEXT
from tests.template.test_conformance import _cases


def outcome(made: Program, data: Any) -> tuple[bool, Any]:
    try:
        return True, made.run(FakeContext(), copy.deepcopy(data))
    except EvaluationError as error:
        return False, str(error)


def folded(made: Program) -> Program | Decided:
    template = fold(made.template, made.want)
    if isinstance(template, Decided):
        return template
    source, parameters = _module(template, made.want, unmarked)  # type: ignore[arg-type]
    return replace(made, template=template, source=source, parameters=parameters)


@pytest.mark.parametrize("native", [False, True])
def test_every_case_gives_the_same(native: bool) -> None:
    decided = changed = 0
    for case in _cases():
        made = program(Diagnostics(), case["template"], native=native)
        if made is None or case.get("impure"):
            continue
        after = folded(made)
        ok, value = outcome(made, case["data"])
        if isinstance(after, Decided):
            decided += 1
            assert ok and (type(after.value), after.value) == (type(value), value), case
        elif after.template != made.template:
            changed += 1
            again, other = outcome(after, case["data"])
            assert again == ok and (not ok or other == value), case
    assert decided > 100 and changed > 20, (decided, changed)


def constant(text: str) -> Any:
    template = parse(plain(text, TEMPLATE), Diagnostics(), secrets=False)
    assert template is not None
    return fold(template, Want("native"))


SIZED = sorted(
    name
    for name in functions.names() - functions.OPERATORS
    if (found := functions.find(name)) and any(type_ == INT for _, type_ in found.parameters)
)


@pytest.mark.parametrize("name", SIZED)
def test_no_number_makes_a_value_large(name: str) -> None:
    """Whatever a function makes of a large number, folding does not wait for it."""
    found = functions.find(name)
    assert found is not None
    words = {TEXT: '"x"', INT: "123456789"}
    given = " ".join(words.get(type_, "123456789") for _, type_ in found.parameters)
    before = process_time()
    value = constant(f"{{{{ {name} {given} }}}}")
    assert process_time() - before < 0.5
    assert not isinstance(value, Decided) or len(json.dumps(value.value)) <= LONGEST


def test_what_grows_with_each_call_stops_growing() -> None:
    text = '"aa"'
    for _ in range(20):
        text = f'(replace "a" "aaaaaaaa" {text})'
    before = process_time()
    assert not isinstance(constant(f"{{{{ len {text} }}}}"), Decided)
    assert process_time() - before < 0.5
