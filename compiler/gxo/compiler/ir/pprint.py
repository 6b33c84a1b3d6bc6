"""The plan as stable text: what `--emit=plan` and `--dump` print, and what the pass tests
compare."""

from collections.abc import Iterator

from gxo.compiler.frontend.playbook import EventDriven, Scheduled, Supervise
from gxo.compiler.ir.nodes import (
    Computed,
    Constant,
    Copy,
    Fields,
    ForEach,
    Items,
    Plan,
    Policies,
    TestDef,
    Value,
    Workload,
)
from gxo.compiler.template.pprint import dump
from gxo.compiler.types import MapOf, Shape


def print_plan(plan: Plan) -> str:
    """The whole plan, one fact a line, in the playbook's order."""
    return "\n".join(_plan_lines(plan)) + "\n"


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield f"plan {plan.name}"
    for decl in plan.inputs:
        yield f"  input {decl.name}: {decl.type}"
    for var in plan.vars:
        yield f"  var {var.name} = {print_value(var.value)}"
    for title, names in (
        ("assets", plan.assets),
        ("outputs", plan.outputs),
        ("secrets", plan.secrets),
        ("environment", plan.environment),
    ):
        if names:
            yield f"  {title} {' '.join(names)}"
    if plan.test:
        yield from _test(plan.test)
    for loop in plan.fused:
        yield f"  one loop {' '.join(loop.members)}"
    for workload in plan.workloads:
        yield from _workload_lines(workload, "workload", "")
    for workload in plan.cleanup:
        yield from _workload_lines(workload, "finally", "")


def _test(test: TestDef) -> Iterator[str]:
    names = [name for name, _ in test.secrets]
    for title, words in (
        ("test secrets", names),
        ("allow network", test.network),
        ("allow commands", test.commands),
    ):
        if words:
            yield f"  {title} {' '.join(words)}"
    if test.expect_failed:
        yield "  expect Failed"


def _workload_lines(workload: Workload, kind: str, indent: str) -> Iterator[str]:
    module = workload.module.name if workload.module else "?"
    yield f"{indent}{kind} {workload.name}: {module}"
    for line in _facts(workload):
        yield f"{indent}  {line}"
    for argument in workload.arguments:
        yield f"{indent}  {argument.name} = {print_value(argument.value)}"
    for place, call in enumerate(workload.calls):
        words = (f"{one.name} = {print_value(one.value)}" for one in call)
        yield f"{indent}  call {place}: {', '.join(words)}"
    for step in workload.steps:
        yield from _workload_lines(step, "step", indent + "  ")
    for child in workload.on_failure:
        yield from _workload_lines(child, "on_failure", indent + "  ")


def _facts(workload: Workload) -> Iterator[str]:
    match workload.decl.lifecycle:
        case Supervise(_, restart):
            yield f"supervise, restart {restart}"
        case EventDriven(_, _, concurrency):
            yield f"event driven, {concurrency} at once"
        case Scheduled(_, cron, timezone, overlap):
            yield f"scheduled {cron} {timezone}, overlap {overlap}"
    if workload.register:
        yield f"register {workload.register}"
    for edge in workload.state_edges:
        yield f"{'observes' if edge.observes else 'after'} {edge.source} ({edge.why})"
    for stream in workload.stream_edges:
        spills = " (may spill)" if stream.spills else ""
        yield f"{'events of' if stream.events else 'reads'} {stream.name}{spills}"
    if workload.is_dead:
        yield "never called"
    if workload.is_inline:
        yield "in line"
    if workload.in_batches:
        yield "sends in batches"
    if workload.background:
        yield "in the background"
    if workload.secrets:
        yield f"secrets {' '.join(workload.secrets)}"
    if workload.when is not None:
        yield f"when {print_value(workload.when)}"
    if workload.loop:
        index = f", {workload.loop.index}" if workload.loop.index else ""
        yield (
            f"loop {workload.loop.variable}{index} in {print_value(workload.loop.items)}"
            f" parallel {workload.loop.parallel}"
        )
    if workload.retry:
        retry = workload.retry
        most = "" if retry.max_delay is None else f", at most {retry.max_delay}"
        yield (
            f"retry {retry.attempts} after {retry.delay} times {retry.backoff}{most},"
            f" jitter {retry.jitter}"
        )
    if workload.timeout is not None:
        yield f"timeout {workload.timeout}"
    if workload.ignore_errors:
        yield "ignore errors"
    if workload.on_record_error:
        yield f"on record error {workload.on_record_error}"
    yield from _policy_facts(workload.policies)


def _policy_facts(policies: Policies) -> Iterator[str]:
    default = Policies()
    if policies.channel != default.channel:
        size = policies.channel.buffer_size
        yield f"channel {100 if size is None else size} {policies.channel.overflow}"
    for allowed in policies.allow_paths:
        yield f"allows {allowed.path} {allowed.access}"
    if not policies.state_copies:
        yield "state by reference"
    if policies.skip_on_no_input:
        yield "skip on no input"


def print_value(value: Value) -> str:
    """One value on one line: constants as JSON-like text, templates in their printed form."""
    match value:
        case Constant(constant):
            return repr(constant)
        case Computed():
            lines = dump(value.template).splitlines()
            return f"{value.want}({' '.join(line.strip() for line in lines)})"
        case Copy(inner):
            return f"copy({print_value(inner)})"
        case ForEach(inner, dot=Shape(name=name)):
            return f"on({name}: {print_value(inner)})"
        case ForEach(inner, dot=MapOf()):
            return f"on({print_value(inner)})"
        case ForEach(inner, _, stream):
            return f"each({stream + ': ' if stream else ''}{print_value(inner)})"
        case Items(values):
            return f"[{', '.join(print_value(item) for item in values)}]"
        case Fields(entries):
            return "{" + ", ".join(f"{name}: {print_value(item)}" for name, item in entries) + "}"
