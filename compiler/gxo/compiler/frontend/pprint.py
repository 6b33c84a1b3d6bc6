"""The typed playbook as stable text: what `--emit=ast` prints and the frontend's tests compare.

playbook etl
  input limit: int = 10
  workload fetch: http:request (run_once)
    register users
    retry attempts 3, delay 1.0, backoff_factor 2.0
    params {"url": "{{ .api }}/users"}
"""

import json
from collections.abc import Iterator
from dataclasses import fields

from gxo.compiler.diagnostics import Span
from gxo.compiler.frontend.playbook import (
    Backoff,
    ChannelPolicy,
    EventDriven,
    InputDecl,
    Lifecycle,
    LoopControl,
    Name,
    Playbook,
    RetryDecl,
    Scheduled,
    StatePolicy,
    Supervise,
    TestDecl,
    WorkloadDecl,
)
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar


def print_playbook(playbook: Playbook) -> str:
    """The whole playbook, one fact a line, in the file's order; what is not given is left out."""
    return "\n".join(_playbook_lines(playbook)) + "\n"


def print_node(node: Node) -> str:
    """A value of the tree on one line, as JSON."""
    if isinstance(node, Scalar):
        return json.dumps(node.value, ensure_ascii=False)
    if isinstance(node, Mapping):
        entries = [
            f"{json.dumps(entry.key.text.value, ensure_ascii=False)}: {print_node(entry.value)}"
            for entry in node.entries
        ]
        return "{" + ", ".join(entries) + "}"
    return "[" + ", ".join(print_node(item) for item in node.items) + "]"


def _playbook_lines(playbook: Playbook) -> Iterator[str]:
    yield f"playbook {playbook.name}"
    for declaration in playbook.inputs:
        yield f"  input {_input(declaration)}"
    for var in playbook.vars:
        yield f"  var {var.name.text} = {print_node(var.value)}"
    yield from _names("  assets", playbook.assets)
    yield from _names("  outputs", playbook.outputs)
    yield from _policies(playbook, "  ")
    if playbook.test:
        yield from _test(playbook.test)
    for workload in playbook.workloads:
        yield from _workload_lines(workload, "workload", "  ")
    for workload in playbook.cleanup:
        yield from _workload_lines(workload, "finally", "  ")


def _input(declaration: InputDecl) -> str:
    text = f"{declaration.name.text}: {declaration.type}"
    if declaration.default is not None:
        text += f" = {print_node(declaration.default)}"
    if declaration.enum:
        text += f" one of {', '.join(print_node(value) for value in declaration.enum)}"
    if declaration.pattern is not None:
        text += f" like {declaration.pattern}"
    if declaration.secret:
        text += " secret"
    return text


def _test(test: TestDecl) -> Iterator[str]:
    yield from _names("  secrets", tuple(name for name, _ in test.secrets))
    yield from _names("  allow network", test.network)
    yield from _names("  allow commands", test.commands)
    if test.expect_failed:
        yield "  expect Failed"


def _workload_lines(workload: WorkloadDecl, kind: str, indent: str) -> Iterator[str]:
    policy = f" ({workload.lifecycle.policy.text})" if workload.lifecycle else ""
    yield f"{indent}{kind} {workload.name.text}: {workload.module.text}{policy}"
    yield from (f"{indent}  {fact}" for fact in _lifecycle(workload.lifecycle))
    yield from (f"{indent}  {fact}" for fact in _facts(workload))
    yield from _policies(workload, indent + "  ")
    for step in workload.steps:
        yield from _workload_lines(step, "step", indent + "  ")
    for block in workload.on_failure:
        yield from _workload_lines(block, "on_failure", indent + "  ")


def _lifecycle(lifecycle: Lifecycle | None) -> Iterator[str]:
    match lifecycle:
        case Supervise(_, restart, backoff):
            yield f"restart {restart}"
            yield f"backoff {_settings(backoff)}"
        case EventDriven(_, source, concurrency) if source:
            yield f"source {source.text}, concurrency {concurrency}"
        case Scheduled(_, cron, timezone, overlap):
            yield f"cron {cron}, timezone {timezone}, overlap {overlap}"


def _facts(workload: WorkloadDecl) -> Iterator[str]:
    if workload.register:
        yield f"register {workload.register.text}"
    yield from _names("stream_inputs", workload.stream_inputs)
    yield from _names("needs", workload.needs)
    if workload.when:
        yield f"when {print_node(workload.when)}"
    if workload.loop:
        yield f"loop {print_node(workload.loop)}"
    if workload.loop_control:
        yield f"loop_control {_settings(workload.loop_control)}"
    if workload.retry:
        yield f"retry {_settings(workload.retry)}"
    if workload.timeout is not None:
        yield f"timeout {workload.timeout}"
    if workload.ignore_errors:
        yield "ignore_errors"
    if workload.on_record_error:
        yield f"on_record_error {workload.on_record_error}"
    if workload.params and not workload.steps:
        yield f"params {print_node(workload.params)}"


def _policies(owner: Playbook | WorkloadDecl, indent: str) -> Iterator[str]:
    if owner.state_policy:
        yield f"{indent}state_policy {_settings(owner.state_policy)}"
    if owner.channel_policy:
        yield f"{indent}channel_policy {_settings(owner.channel_policy)}"
    for allowed in owner.allow_paths or ():
        yield f"{indent}allow_paths {allowed.normal} {allowed.access}"
    if owner.skip_on_no_input is not None:
        yield f"{indent}skip_on_no_input {str(owner.skip_on_no_input).lower()}"


def _names(title: str, names: tuple[Name, ...]) -> Iterator[str]:
    if names:
        yield f"{title} {' '.join(name.text for name in names)}"


def _settings(settings: LoopControl | RetryDecl | StatePolicy | ChannelPolicy | Backoff) -> str:
    """The fields of a group of settings that are given: `attempts 3, delay 1.0`."""
    parts = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value is not None and not isinstance(value, Span):
            parts.append(f"{field.name} {value.text if isinstance(value, Name) else value}")
    return ", ".join(parts)
