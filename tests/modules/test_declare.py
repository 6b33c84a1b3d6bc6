"""Declarations read from source: `declare.test` holds what each gives, and how a broken one is told.

`--update-golden` rewrites the expected parts.
"""

import inspect
from pathlib import Path
from typing import get_args

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.declare import parse_file, read_modules
from gxo.compiler.modules.spec import EffectKind
from gxo.runtime import spec
from tests.casefile import Case, find_cases, update
from tests.modules.show import show_spec


def read(text: str) -> dict[str, str]:
    diags = Diagnostics()
    source = parse_file(text, "sample.py", lambda _: None, diags)
    specs = read_modules(source, "gxo.stdlib.sample", diags) if source else ()
    sections = {"out": "\n".join(map(show_spec, specs)), "err": ""}
    for item in diags.sorted():
        hint = f"  ({item.hint})" if item.hint else ""
        place = f"{item.span.line}:{item.span.column}"
        sections["err"] += f"{place}: {item.code}: {item.message}{hint}\n"
    return {name: text.strip("\n") + "\n" for name, text in sections.items() if text}


@pytest.mark.parametrize("case", find_cases(Path(__file__).parent), ids=lambda case: case.id)
def test_declaration(case: Case, request: pytest.FixtureRequest) -> None:
    found = read(case.input)
    if request.config.getoption("--update-golden"):
        update(case, found)
    else:
        assert found == case.sections


@pytest.mark.parametrize("kind", get_args(EffectKind))
def test_an_effect_takes_what_its_word_takes_when_the_file_is_imported(kind: str) -> None:
    taken = inspect.signature(getattr(spec, kind)).parameters
    given = {"at": '"tcp://{a}"', "args": '"a"', "unless": '["a"]', "only": '["a"]'}
    for option, value in given.items():
        text = f"""
class S(TypedDict):
    path: str

@module("x:a", effects=[{kind}("a", {option}={value})])
async def a(ctx: Context, *, a: str) -> S: ...
"""
        assert (f"`{kind}` has no option `{option}`" in read(text).get("err", "")) == (
            option not in taken
        )
