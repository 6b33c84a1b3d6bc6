"""A plan as facts that can be compared one by one, whatever the YAML looks like.

- name: fetch                                 workloads    fetch              http:request
  lifecycle: {policy: run_once}               parameters   fetch url          "{{ .api }}/users"
  needs: [check]                              edges        fetch after check  (needs)
  process:                                    settings     fetch timeout      30s
    module: http:request                      effects      fetch hosts        {{ .api }}/users
    params: {url: "{{ .api }}/users"}
  timeout: 30s
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from gxo.compiler.compare.hidden import HIDDEN, is_hidden, part, without_credentials
from gxo.compiler.diagnostics import Span
from gxo.compiler.effects import KINDS, Effect
from gxo.compiler.frontend.yaml import Mapping as Tree
from gxo.compiler.frontend.yaml import Node, Scalar, Sequence
from gxo.compiler.ir.facts import lifecycle_facts
from gxo.compiler.ir.nodes import (
    Computed,
    Constant,
    Copy,
    Fields,
    ForEach,
    InputDef,
    Items,
    Plan,
    Policies,
    Retry,
    Value,
    Workload,
)
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import every_call, every_workload
from gxo.compiler.template.ast import Template
from gxo.compiler.template.pprint import expression
from gxo.compiler.types import ANY, Type

Section = Literal["workloads", "parameters", "edges", "settings", "effects"]

Written = Mapping[Span, Scalar]
"""What the author wrote, by its place."""

_NOTHING: Written = {}

SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so in a job.

    workload: what it is about, "" for the job as a whole. what: its name there, such as `url` or
    `retry`. shown: its value for people; meant: the value that is compared.
    """

    section: Section
    workload: str
    what: str
    shown: str
    meant: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value with nothing inside: where it is, as people see it, and itself."""

    path: str
    shown: str
    value: Value


def facts(plan: Plan, touched: Iterable[Effect], names: Mapping[str, str]) -> Iterator[Fact]:
    """Everything that the plan says, in order, and what it touches.

    names: those of workloads that are called anew.
    """
    yield from _of_job(plan)
    for workload in plan.workloads:
        yield from _of_workload(workload, "", "workloads", names)
    for workload in plan.cleanup:
        yield from _of_workload(workload, "", "finally", names)
    spans = {one.name: one.span for one in every_workload(plan)}
    for one in sorted(touched, key=lambda one: KINDS.index(one.kind)):
        owner, dot, step = one.workload.partition(".")
        shown = " (only the run knows)" if one.dynamic else ""
        what = f"{one.kind} {without_credentials(one.what)}{shown}"
        yield Fact("effects", names.get(owner, owner) + dot + step, what, "", "", spans.get(owner))


def parameters(workload: Workload) -> Iterator[Leaf]:
    """Each leaf of the workload's parameters."""
    written = _written_in(workload.decl.params)
    for argument in workload.arguments:
        yield from _leaves(argument.name, argument.value, argument.type, written)


def constants(plan: Plan) -> Iterator[Leaf]:
    """Each leaf of vars, inputs and parameters."""
    for var in plan.vars:
        yield from _leaves(f"vars.{var.name}", var.value, ANY)
    for decl in plan.inputs:
        if decl.default is not None:
            yield from _leaves(f"inputs.{decl.name}", decl.default, ANY)
    for call in every_call(plan):
        yield from parameters(call)


def _of_job(plan: Plan) -> Iterator[Fact]:
    yield _fact("settings", "", "name", plan.name, None)
    for decl in plan.inputs:
        yield from _of_input(decl)
    for var in plan.vars:
        yield from _each("parameters", "", _leaves(f"vars.{var.name}", var.value, ANY))
    for output in plan.outputs:
        yield _fact("settings", "", f"outputs {output}", "", None)
    if plan.test is not None:
        for name, value in plan.test.secrets:
            yield Fact("settings", "", f"secrets.{name}", HIDDEN, value, None)
        for kind, allowed in (("network", plan.test.network), ("commands", plan.test.commands)):
            for word in allowed:
                yield _fact("settings", "", f"allow.{kind} {word}", "", None)
        if plan.test.expect_failed:
            yield _fact("settings", "", "expect", "Failed", None)


def _of_input(decl: InputDef) -> Iterator[Fact]:
    said = {"type": decl.type, "pattern": decl.pattern, "description": decl.description}
    for word, text in said.items():
        if text:
            yield _fact("parameters", "", f"inputs.{decl.name}.{word}", text, decl.span)
    if decl.secret:
        yield _fact("parameters", "", f"inputs.{decl.name}.secret", "true", decl.span)
    of_values = [] if decl.default is None else [("default", decl.default)]
    if decl.enum:
        of_values.append(("enum", Items(decl.enum, decl.span)))
    for word, value in of_values:
        yield from _each("parameters", "", _leaves(f"inputs.{decl.name}.{word}", value, ANY))


def _of_workload(
    workload: Workload, above: str, block: str, names: Mapping[str, str]
) -> Iterator[Fact]:
    name = above + names.get(workload.name, workload.name)
    module = workload.module.name if workload.module else workload.decl.module.text
    yield _fact("workloads", name, "module", module, workload.span)
    yield _fact("workloads", name, "block", block, workload.span)
    yield from _each("parameters", name, parameters(workload))
    for what in dict.fromkeys(_edges(workload, names)):
        yield _fact("edges", name, what, "", workload.span)
    yield from _settings(workload, name)
    for step in workload.steps:
        yield from _of_workload(step, f"{name}.", f"steps of {name}", {})
    for child in workload.on_failure:
        yield from _of_workload(child, "", f"on_failure of {name}", names)


def _edges(workload: Workload, names: Mapping[str, str]) -> Iterator[str]:
    for edge in workload.state_edges:
        source = names.get(edge.source, edge.source)
        yield f"observes {source}" if edge.observes else f"after {source} ({edge.why})"
    for stream in workload.stream_edges:
        source = names.get(stream.source, stream.source) + (".errors" if stream.errors else "")
        yield f"{'events of' if stream.events else 'reads'} {source}"


def _settings(workload: Workload, name: str) -> Iterator[Fact]:
    def said(what: str, text: str) -> Fact:
        return _fact("settings", name, what, text, workload.span)

    lifecycle = lifecycle_facts(workload.decl.lifecycle)
    if workload.decl.lifecycle:
        yield said("lifecycle", _listed(lifecycle))
    if workload.register:
        yield said("register", workload.register)
    if workload.when is not None:
        yield from _each(
            "settings", name, _leaves("when", workload.when, ANY, _written_in(workload.decl.when))
        )
    if workload.loop:
        yield from _each("settings", name, _leaves("loop", workload.loop.items, ANY))
        yield said("loop_var", workload.loop.variable)
        yield said("parallel", str(workload.loop.parallel))
        if workload.loop.index:
            yield said("index_var", workload.loop.index)
    if workload.retry:
        yield said("retry", _retry(workload.retry))
    if workload.timeout is not None:
        yield said("timeout", f"{workload.timeout:g}s")
    if workload.ignore_errors:
        yield said("ignore_errors", "true")
    if workload.on_record_error:
        yield said("on_record_error", workload.on_record_error)
    for what, text in _policies(workload.policies):
        yield said(what, text)


def _policies(policies: Policies) -> Iterator[tuple[str, str]]:
    default = Policies()
    if policies.channel != default.channel:
        size = policies.channel.buffer_size
        yield "channel_policy", f"{'' if size is None else f'{size} '}{policies.channel.overflow}"
    for allowed in policies.allow_paths:
        yield f"allow_paths {allowed.path}", allowed.access
    if not policies.state_copies:
        yield "state_policy", "unsafe_direct_reference"
    if policies.skip_on_no_input:
        yield "skip_on_no_input", "true"


def _retry(retry: Retry) -> str:
    said: dict[str, object] = {"attempts": retry.attempts, "delay": f"{retry.delay:g}s"}
    if retry.max_delay is not None:
        said["max_delay"] = f"{retry.max_delay:g}s"
    if retry.backoff != 1:
        said["backoff_factor"] = f"{retry.backoff:g}"
    if retry.jitter:
        said["jitter"] = f"{retry.jitter:g}"
    return _listed(said)


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _each(section: Section, workload: str, leaves: Iterator[Leaf]) -> Iterator[Fact]:
    for leaf in leaves:
        meant = print_value(leaf.value)
        yield Fact(section, workload, leaf.path, leaf.shown, meant, leaf.value.span)


def _fact(section: Section, workload: str, what: str, text: str, span: Span | None) -> Fact:
    return Fact(section, workload, what, text, text, span)


def _leaves(path: str, value: Value, kind: Type, written: Written = _NOTHING) -> Iterator[Leaf]:
    """The leaves of a value; a list or map with nothing in it is one itself."""
    match value:
        case Copy(inner) | ForEach(inner):
            yield from _leaves(path, inner, kind, written)
        case Items(values) if values:
            for place, item in enumerate(values):
                yield from _leaves(f"{path}.{place}", item, part(kind, ""), written)
        case Fields(entries) if entries:
            for name, item in entries:
                yield from _leaves(f"{path}.{name}", item, part(kind, name), written)
        case Constant(constant):
            hidden = is_hidden(path.rpartition(".")[2], kind) and constant is not None
            text = _as_written(constant, written.get(value.span))
            yield Leaf(path, HIDDEN if hidden else without_credentials(text), value)
        case Computed(Template(source=source)):
            yield Leaf(path, without_credentials(source.value), value)
        case Computed(template) if not isinstance(template, Template):
            scalar = written.get(value.span)
            text = scalar.text.value if scalar else expression(template)
            yield Leaf(path, without_credentials(text), value)
        case _:
            yield Leaf(path, print_value(value), value)


def _as_written(value: str | int | float | bool | None, scalar: Scalar | None) -> str:
    """A constant as JSON; a text of several lines as it is, and `30s` as it was written."""
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        return value
    if scalar and isinstance(scalar.value, str) and not isinstance(value, str):
        return scalar.value
    return json.dumps(value, ensure_ascii=False)


def _written_in(node: Node | None) -> dict[Span, Scalar]:
    match node:
        case Scalar():
            return {node.span: node}
        case Sequence(items=items):
            return {key: one for item in items for key, one in _written_in(item).items()}
        case Tree(entries=entries):
            return {key: one for item in entries for key, one in _written_in(item.value).items()}
    return {}
