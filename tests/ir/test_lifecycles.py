"""A lifecycle is one of those that the module declares; a schedule only says when it runs once."""

import pytest

from gxo.compiler.codes import Example, complete
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.ir.build import build
from gxo.compiler.modules.index import Library, standard_roots

SLEEP = "{module: control:sleep, params: {duration: 1s}}"
EXEC = "{module: exec, params: {command: uname}}"


def told(process: str, lifecycle: str) -> list[str]:
    text = f"- name: a\n  lifecycle: {lifecycle}\n  process: {process}\n"
    diags = Diagnostics()
    playbook = load_playbook(complete(Example("yaml", text)).encode(), "a.yaml", diags)
    assert playbook is not None
    assert not diags.items
    build(playbook, Library(standard_roots(), diags), diags)
    return [f"{item.code}: {item.message} ({item.hint})" for item in diags.sorted()]


@pytest.mark.parametrize("process", [SLEEP, EXEC])
@pytest.mark.parametrize("lifecycle", ["{policy: run_once}", '{policy: scheduled, cron: "@daily"}'])
def test_what_runs_once_may_be_scheduled(process: str, lifecycle: str) -> None:
    assert told(process, lifecycle) == []


def test_anything_else_is_declared() -> None:
    assert told(EXEC, "{policy: supervise}") == []
    assert told(SLEEP, "{policy: supervise}") == [
        "GXO0510: control:sleep cannot run with the lifecycle supervise"
        " (it supports: run_once, scheduled)"
    ]
    assert told(EXEC, "{policy: event_driven, source: b}") == [
        "GXO0510: exec cannot run with the lifecycle event_driven"
        " (it supports: run_once, supervise, scheduled)"
    ]
