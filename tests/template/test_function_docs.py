"""The examples of `docs/functions.md`: one for each function, each works."""

from pathlib import Path

import pytest

from gxo.compiler.template import functions
from tests.template.evaluator import evaluate
from tests.tools.function_docs import examples, left_out, signatures

FAILING = {"fail": "exec", "call": "exec"}
"""Functions whose example shows the error: data holds no functions to call."""


SPRIG = Path(__file__).with_name("sprig.txt").read_text("utf-8").splitlines()[1:]


def test_every_function_of_sprig_is_there_or_left_out_for_a_reason() -> None:
    assert sorted(set(SPRIG) - functions.names()) == sorted(left_out())


def test_every_function_has_an_example() -> None:
    assert sorted(examples()) == sorted(functions.names() - functions.OPERATORS)


@pytest.mark.parametrize(("name", "template"), examples().items())
def test_an_example_uses_its_function_and_works(name: str, template: str) -> None:
    assert name in template
    outcome = evaluate(template, {})
    assert outcome.error == FAILING.get(name, ""), outcome


def test_every_function_says_what_it_does() -> None:
    assert [one.name for one in signatures() if one.module and not one.doc] == []
