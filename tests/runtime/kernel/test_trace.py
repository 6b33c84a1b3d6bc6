"""Errors of generated code, told in the playbook's words and with its places."""

import json
import linecache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from gxo.runtime import Job
from gxo.runtime.settings import Settings
from tests.runtime.kernel.harness import Stage, play

TABLE = yaml.safe_load((Path(__file__).parent / "trace.yaml").read_text(encoding="utf-8"))

MODULE = """
from gxo.runtime import Job

job = Job("case")


@job.workload("first", register="users")
async def first(ctx):
    return {state!r}


# é: not all columns are characters
@job.workload("second", after=["first"])
async def second(ctx):
    return await module(ctx, é=1, value=lambda: {expression})


async def module(ctx, é, value):
    return value()
"""


class FakeBundle:
    """An artifact that holds nothing but a source map."""

    def __init__(self, entries: list[list[Any]]) -> None:
        self.source_map = {"file": "case.gxo.yaml", "generated": "gxo_job.py", "entries": entries}

    def read(self, name: str) -> bytes:
        if name != "_gxo/sourcemap.json":
            raise FileNotFoundError(name)
        return json.dumps(self.source_map).encode()

    def names(self) -> list[str]:
        return ["_gxo/sourcemap.json"]


def load(text: str, path: Path, **names: object) -> Job:
    """The job of a generated module that stands in a file. names: what it has imported."""
    path.write_text(text, encoding="utf-8")
    linecache.checkcache(str(path))
    module = ModuleType("gxo_job")
    module.__dict__.update(names)
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module.__dict__["job"]


def entry(text: str, part: str, place: tuple[int, int], expression: str) -> list[Any]:
    """The source map's entry for a part of the generated text."""
    start = text.index(part)
    end = start + len(part)

    def position(offset: int) -> list[int]:
        before = text[:offset]
        return [before.count("\n") + 1, len(before.rpartition("\n")[2].encode())]

    return [*position(start), *position(end), *place, expression, "second"]


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["expression"])
def test_an_expression_that_fails(case: dict[str, str], tmp_path: Path) -> None:
    text = MODULE.format(state=TABLE["state"]["users"], expression=case["expression"])
    job = load(text, tmp_path / "gxo_job.py")
    call = text[text.index("await module") : text.index("\n\n\nasync def module")]
    bundle = FakeBundle(
        [
            entry(text, call, (9, 5), "module"),
            entry(text, case["expression"], (9, 16), "{{ .x }}"),
        ]
    )
    played = play(job, Stage(), bundle=bundle)
    assert played.run.nodes["second"].error == f"{case['error']} (case.gxo.yaml:9:16: {{{{ .x }}}})"


def test_an_error_of_a_module_names_its_call_and_no_expression(tmp_path: Path) -> None:
    text = MODULE.format(state={}, expression="1").partition("\n\n\nasync def module")[0]

    async def module(ctx: object, é: int, value: object) -> None:
        raise KeyError("an error of the module's own")

    job = load(text, tmp_path / "gxo_job.py", module=module)
    call = text[text.index("await module") :]
    played = play(job, Stage(), bundle=FakeBundle([entry(text, call, (9, 5), "{{ .x }}")]))
    assert played.run.nodes["second"].error == (
        'KeyError: "an error of the module\'s own" (case.gxo.yaml:9:5)'
    )


def test_without_a_source_map_there_is_no_place(tmp_path: Path) -> None:
    job = load(MODULE.format(state={}, expression="{}['x']"), tmp_path / "gxo_job.py")
    played = play(job, Stage())
    assert played.run.nodes["second"].error == 'the map has no key "x"'


def test_traceback_shows_both(tmp_path: Path) -> None:
    job = load(MODULE.format(state={}, expression="{}['x']"), tmp_path / "gxo_job.py")
    settings = Settings()
    settings.traceback = True
    played = play(job, Stage(), settings=settings)
    assert 'second: failed: the map has no key "x"' in played.log
    assert "KeyError: 'x'" in played.log
