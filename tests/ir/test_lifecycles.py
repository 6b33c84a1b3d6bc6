"""A lifecycle is one of those that the module declares; a schedule only says when it runs once."""

import pytest

from gxo.compiler.codes import Example, complete
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.ir.build import build
from gxo.compiler.modules.index import Library, standard_roots

SLEEP = "{module: control:sleep, params: {duration: 1s}}"
EXEC = "{module: exec, params: {command: uname}}"


LISTEN = '{module: connection:listen, params: {network: tcp, address: ":0"}}'


def told(process: str, lifecycle: str, file: str = "a.yaml") -> list[str]:
    text = f"- name: a\n  lifecycle: {lifecycle}\n  process: {process}\n"
    diags = Diagnostics()
    playbook = load_playbook(complete(Example("yaml", text)).encode(), file, diags)
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


def test_a_server_runs_once_in_a_test_playbook_alone() -> None:
    assert told(LISTEN, "{policy: run_once}", "a.test.gxo.yaml") == []
    assert told(LISTEN, "{policy: supervise}", "a.test.gxo.yaml") == []
    assert told(LISTEN, "{policy: run_once}") == [
        "GXO0510: connection:listen cannot run with the lifecycle run_once (it supports: supervise,"
        " event_driven; in a test playbook also run_once, in the background)"
    ]


def test_a_test_playbook_is_no_reason_for_other_lifecycles() -> None:
    assert told(SLEEP, "{policy: supervise}", "a.test.gxo.yaml") == told(
        SLEEP, "{policy: supervise}"
    )


ASSERT = "{module: test:assert, params: {assertions: [{actual: 1, equal_to: 1}]}}"
STEP = (
    "{module: stream:pipeline, params: {steps: [{id: s, uses: test:assert,"
    " with: {assertions: [{actual: 1, equal_to: 1}]}}]}}"
)


@pytest.mark.parametrize("process", [ASSERT, STEP])
def test_modules_of_tests_are_for_test_playbooks(process: str) -> None:
    assert told(process, "{policy: run_once}", "a.test.gxo.yaml") == []
    assert told(process, "{policy: run_once}") == [
        "GXO0515: test:assert is for test playbooks only"
        " (a test playbook's name ends in .test.gxo.yaml)"
    ]
