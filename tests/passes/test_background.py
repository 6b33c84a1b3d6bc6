"""Background modules: who is in the background with them, with modules of the tests' own."""

import json
from pathlib import Path

import pytest

from gxo.compiler.modules.docs import as_markdown
from gxo.compiler.modules.index import Library, Root
from tests.passes.own_modules import add_module, compiled

MODULE = '''
"""The module `serve`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out


class Served(TypedDict):
    port: int


@module("serve", background=True)
async def serve(ctx: Context, out: Out | None, *, port: int) -> Served:
    """Serve.

    Args:
        port: where
    """
    ctx.ready(Served(port=port))
    await ctx.clock.sleep(1e6)
    return Served(port=port)
'''
SERVER = """\
- name: server
  process: {module: serve, params: {port: 80}}
  register: server
"""


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_module("serve", MODULE, tmp_path, monkeypatch)


def told(text: str) -> list[str]:
    return [f"{item.code} {item.message}" for item in compiled(text).diagnostics.sorted()]


def test_who_reads_from_it_is_in_the_background_too() -> None:
    compilation = compiled(
        SERVER
        + "- name: some\n  stream_inputs: [server]\n  process: {module: passthrough}\n"
        + "- name: bad\n  stream_inputs: [some.errors]\n  process: {module: passthrough}\n"
        + "- name: client\n"
        + "  process: {module: exec, params: {command: 'curl', args: ['{{ .server.port }}']}}\n"
    )
    assert compilation.diagnostics.items == []
    plan = compilation.plan
    assert plan is not None
    assert [one.name for one in plan.workloads if one.background] == ["server", "some", "bad"]
    assert "workload some: passthrough\n  reads server\n  in the background\n" in (
        compilation.stage_text("plan")
    )
    python = compilation.stage_text("python")
    assert '@job.workload("server", register="server", background=True)' in python
    assert '@job.workload("some", records=["server"], background=True)' in python
    assert '@job.workload("client", after=["server"])' in python


def test_the_manifest_says_so() -> None:
    manifest = json.loads(compiled(SERVER).stage_text("manifest"))
    assert [one["background"] for one in manifest["workloads"]] == [True]


def test_it_cannot_be_repeated() -> None:
    assert told(SERVER + "  loop: [1, 2]\n") == [
        "GXO0623 serve runs in the background, and cannot be repeated by a `loop`"
    ]


@pytest.mark.parametrize("block", ["    on_failure:\n      ", "finally:\n  "])
def test_it_cannot_run_in_a_block(block: str) -> None:
    text = (
        "workloads:\n  - name: main\n    process: {module: exec, params: {command: uname}}\n"
        f"{block}- {{name: server, process: {{module: serve, params: {{port: 80}}}}}}\n"
    )
    assert told(text) == ["GXO0623 serve runs in the background, and cannot run in a block"]


def test_it_cannot_be_a_step() -> None:
    steps = "{steps: [{id: a, uses: serve, with: {port: 80}}]}"
    text = (
        "- name: one\n"
        "  process: {module: data:generate_from_list, params: {items: [{n: 1}]}}\n"
        "- name: two\n  stream_inputs: [one]\n"
        f"  process: {{module: stream:pipeline, params: {steps}}}\n"
    )
    assert told(text) == ["GXO0630 serve cannot be a step: it does not end by itself"]


def test_its_page_says_so(tmp_path: Path) -> None:
    compilation = compiled(SERVER)
    spec = Library((Root(str(tmp_path), "served"),), compilation.diagnostics).find("serve")
    assert spec is not None
    assert "once it is ready, until nothing else is left to run" in as_markdown(spec)
