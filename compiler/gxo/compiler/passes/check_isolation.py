"""Refuse in a test playbook what the test would be refused when it runs, as far as its text tells.

before:  module: exec, params: {command: kubectl, args: [version]}
after:   GXO0571: "kubectl" is neither mocked nor allowed in this test

What a template makes is for the runtime (`gxo.runtime.testing`), whose rules these are. That a
module is mocked takes its effects from the plan, and so there is nothing to refuse.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics, did_you_mean, one_slip_away
from gxo.compiler.flow.shells import shell_runs
from gxo.compiler.ir.addresses import places
from gxo.compiler.ir.calls import touching
from gxo.compiler.ir.nodes import Constant, Fields, Plan, TestDef, Value, Workload
from gxo.compiler.ir.texts import Part
from gxo.compiler.ir.walk import every_workload, live_calls

SHELL_TEXT, COMMAND, HOST = "GXO0570", "GXO0571", "GXO0572"
MOCK = "test:mock_command"

_LOCAL = "exec"
"""The module whose commands run on this host: others' run where they are connected to."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a test may touch. commands: the mocked ones too; None where only the run knows them.
    hosts: names and addresses.
    """

    commands: frozenset[str] | None
    hosts: frozenset[str]


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    if plan.test is not None:
        check(plan, isolation_of(plan, plan.test), diagnostics)
    return plan


def isolation_of(plan: Plan, test: TestDef) -> Isolation:
    """What a test lets itself, and the playbook that it includes, touch."""
    from gxo.runtime.testing.network import split_address  # start-up: only tests need it

    mocked = [
        _names(argument.value)
        for workload in every_workload(plan)
        if workload.module is not None and workload.module.name == MOCK
        for argument in workload.arguments
        if argument.name == "commands"
    ]
    known = [names for names in mocked if names is not None]
    commands = frozenset(test.commands).union(*known) if len(known) == len(mocked) else None
    return Isolation(commands, frozenset(split_address(text)[0] for text in test.network))


def check(plan: Plan, isolation: Isolation, diagnostics: Diagnostics) -> None:
    """Report what the plan's calls would be refused."""
    for call in live_calls(plan):
        for effect, value in touching(call):
            if not isinstance(value, Constant) or not isinstance(value.value, str):
                continue
            if effect == "connects":
                _check_address(value, value.value, isolation, diagnostics)
            elif effect == "runs" and call.module is not None and call.module.name == _LOCAL:
                _check_command(call, value, value.value, isolation, diagnostics)


def _names(value: Value) -> list[str] | None:
    """The keys of a map; None where only the run knows them."""
    return [name for name, _ in value.entries] if isinstance(value, Fields) else None


def _check_command(
    call: Workload, value: Constant, text: str, isolation: Isolation, diagnostics: Diagnostics
) -> None:
    if shell_runs(call):
        if what := next(_outside(text), None):
            message = f"the line for the shell names {what}"
            hint = "in a test a command goes by its name alone, and a file is one of the workspace"
            diagnostics.error(SHELL_TEXT, value.span, message, hint)
        return
    name = posixpath.basename(text)
    known = isolation.commands
    if known is None or name in known or ("/" in text and not text.startswith("/")):
        return
    message = f'"{name}" is neither mocked nor allowed in this test'
    hint = f"mock it by a {MOCK}, or let it run: `allow: {{commands: [{name}]}}`"
    diagnostics.error(COMMAND, value.span, message, did_you_mean(name, known) or hint)


def _outside(text: str) -> Iterator[str]:
    from gxo.runtime.testing.shelltext import outside  # start-up: only tests need it

    return outside(text, exists=lambda _path: False)


def _check_address(
    value: Constant, text: str, isolation: Isolation, diagnostics: Diagnostics
) -> None:
    from gxo.runtime.testing.network import is_local  # start-up: only tests need it

    found = {one.kind: one.what for one in places((Part(text),)) if not one.dynamic}
    host = found.get("hosts", "")
    # What has neither a scheme nor a port may be no address.
    if not host or ("://" not in text and "ports" not in found):
        return
    if is_local(host) or host in isolation.hosts:
        return
    near = one_slip_away(host, isolation.hosts)
    hint = (
        "let a test:mock_http_server or a test:mock_module answer, or allow it: "
        f'`allow: {{network: ["{found.get("ports", f"{host}:PORT")}"]}}`'
    )
    message = f'"{host}" is another host, which this test may not reach'
    diagnostics.error(HOST, value.span, message, f'did you mean "{near}"?' if near else hint)
