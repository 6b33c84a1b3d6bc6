"""`gxo.testing.call`: one call of a module, as a user's own tests make it."""

from pathlib import Path

import pytest

from gxo.testing import Called, call

MODULE = '''"""Modules under test."""

from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Each, module
from gxo.runtime.streams.ports import Inputs, Out, Records


class Done(TypedDict):
    count: int


@module("acme:said")
async def said(ctx: Context, *, count: Any = 1) -> Done:
    """Return the parameter, whatever it is.

    Args:
        count: what is returned
    """
    if count == 0:
        raise ModuleError("none")
    return {"count": count}


@module("acme:lines", emits_when="each")
async def lines(ctx: Context, out: Out | None = None, *, each: str | None = None) -> Done:
    """Send a record, when asked.

    Args:
        each: its text
    """
    if out is not None and each is not None:
        await out.send([{"text": each}])
    return {"count": 1}


@module("acme:sums")
async def sums(ctx: Context, inputs: Inputs, *, of: Each[int]) -> Done:
    """Add up.

    Args:
        of: what to add
    """
    total = 0
    for name in inputs:
        async for batch in inputs[name]:
            total += sum(of(record) for record in batch)
    return {"count": total}
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "acme.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_call() -> None:
    assert call("acme:said") == Called("Completed", None, {"count": 1}, [])


def test_gxos_own_can_be_called_too(tmp_path: Path) -> None:
    written = {"path": "a.txt", "content": "{{ print 1 2 }}"}
    assert call("filesystem:write", written, workspace=tmp_path).summary["changed"]
    assert (tmp_path / "a.txt").read_text() == "1 2"


def test_a_module_that_breaks_its_declaration() -> None:
    with pytest.raises(
        AssertionError, match=r"acme:said does not return what it declares: .*count"
    ):
        call("acme:said", {"count": "two"})


def test_a_failure_is_the_result() -> None:
    done = call("acme:said", {"count": 0})
    assert (done.status, done.error, done.summary) == ("Failed", "none", {})


def test_a_call_that_a_playbook_could_not_make() -> None:
    with pytest.raises(AssertionError, match=r"GXO0502.*has no parameter \"cont\""):
        call("acme:said", {"cont": 0})


def test_a_workspace_that_is_not_there(folder: Path) -> None:
    with pytest.raises(AssertionError, match="the call could not begin: standard error says why"):
        call("acme:said", workspace=folder / "nowhere")


def test_streams() -> None:
    streams = {"a": [{"n": 1}, {"n": 2}], "b": [{"n": 40}], "none": []}
    assert call("acme:sums", {"of": "{{ .n }}"}, streams=streams).summary == {"count": 43}
    assert call("acme:lines", {"each": "x"}).records == [{"text": "x"}]
    assert call("acme:lines").records == []


def test_the_rest_of_the_workload() -> None:
    done = call("acme:said", {"count": "{{ .item }}"}, loop=[1], when=False)
    assert done.status == "Skipped"


def test_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert call("acme:said", folder=folder).status == "Completed"
