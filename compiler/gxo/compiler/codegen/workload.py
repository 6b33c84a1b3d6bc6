"""One workload of the plan as the view that the skeleton prints."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property

from gxo.compiler.codegen.imports import Imports
from gxo.compiler.codegen.lifecycles import lifecycle_code
from gxo.compiler.codegen.values import Mark, Printer
from gxo.compiler.codegen.views import WorkloadView
from gxo.compiler.ir.names import is_keyword, local_name
from gxo.compiler.ir.nodes import (
    Channel,
    Constant,
    FusedLoop,
    Loop,
    Plan,
    Policies,
    Retry,
    Workload,
)
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.modules.mocked import is_called
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.python_source import Names, identifier, literal

PORT_TYPES = {"records": "Records", "inputs": "Inputs", "out": "Out"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the views of one module share.

    functions: each workload's and step's function name, and the name of each pipeline's steps; see
    `function_names`; names: the module's namespace; consumed: the workloads
    whose streams somebody reads.
    """

    functions: Mapping[str, str]
    names: Names
    imports: Imports
    mark: Mark
    consumed: frozenset[str]


@dataclass(frozen=True)
class Block:
    """Workloads that stand together: the playbook's, those of an `on_failure`, or of `finally`.

    kind: the decorator that registers one of them. owner: of which workload they are the
    `on_failure`.
    """

    kind: str
    workloads: tuple[Workload, ...]
    owner: str | None = None

    @property
    def owner_argument(self) -> tuple[str, ...]:
        """What the decorator is given first."""
        return (literal(self.owner),) if self.owner else ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each workload stands among these, by its name."""
        return {one.name: place for place, one in enumerate(self.workloads)}


def steps_key(pipeline: Workload) -> str:
    """The key of the name of a pipeline's steps in `Surroundings.functions`."""
    return f"{pipeline.name}."


def step_key(pipeline: Workload, step: Workload) -> str:
    """The key of the name of a step's function there."""
    return f"{pipeline.name}.{step.name}"


def loop_key(loop: FusedLoop) -> str:
    """The key of the name of a loop's function there."""
    return f"{loop.members[0]} > {loop.members[-1]}"


def function_names(plan: Plan, names: Names) -> dict[str, str]:
    """The name of each workload's function, then those of steps; no workload's has a dot. What is
    in a loop is called so there; the loops' functions come last."""
    found = {one.name: names.fresh(one.name) for one in every_workload(plan)}
    for pipeline in every_workload(plan):
        if pipeline.steps:
            found[steps_key(pipeline)] = names.fresh(f"{pipeline.name}_steps")
        for step in pipeline.steps:
            found[step_key(pipeline, step)] = names.fresh(f"{pipeline.name}_{step.name}")
    for loop in plan.fused:
        found[loop_key(loop)] = names.fresh(f"{loop.members[0]}_to_{loop.members[-1]}")
    return found


def awaited(call: str, arguments: Iterable[str], module: ModuleSpec) -> str:
    """The call of a module's function, whose result may have fields that are secrets."""
    result = f"await {call}({', '.join(arguments)})"
    secret = [literal(name) for name in module.secret_fields]
    return f"ctx.with_secrets({result}, {', '.join(secret)})" if secret else result


def workload_view(workload: Workload, block: Block, around: Surroundings) -> WorkloadView:
    """The view of a workload that is not in a loop."""
    module = workload.module
    assert module is not None, "a plan with errors is not compiled"
    function = around.functions[workload.name]
    printer = Printer(identifier(workload.name), around.names, around.imports, around.mark)
    name, words = literal(workload.name), settings(workload, module, printer)
    decorator = [*block.owner_argument, name, *words]
    comment = f"{workload.name}: {module.name}{', mocked' if module.is_mocked else ''}"
    if workload.is_dead:
        return never_called(comment, f"job.{block.kind}", decorator, function, printer)
    ports = taken_ports(module, _connected(workload, around.consumed))
    parameters = list(_parameters(workload, ports, around.imports))
    inner = around.names.inner(parameter.partition(":")[0] for parameter in parameters)
    printer.local = cache(inner.fresh)
    call = around.imports.use(module.source, module.function, alias(module))
    steps = around.functions[steps_key(workload)] if workload.steps else ""
    extra = [f"steps={steps}"] if steps else []
    body = [
        f"return {awaited(call, [*call_arguments(one, module, ports, printer), *extra], module)}"
        for one in _instances(workload)
    ]
    helpers = list(printer.helpers)
    if steps:
        given = "in_batches=True" if workload.in_batches else ""
        helpers.insert(0, f"{steps} = {around.imports.use('gxo.runtime', 'Steps')}({given})")
    if workload.calls:
        comment += ", a call for each item"
        if not (workload.loop and workload.loop.index):
            parameters.append(f"{inner.fresh('index')}: int")
        body = list(_by_index(body, parameters[-1].partition(":")[0]))
    return WorkloadView(
        comment=comment,
        decorator=f"job.{block.kind}",
        decorator_arguments=tuple(decorator),
        function=function,
        parameters=tuple(parameters),
        returns=returned(module, around.imports),
        body=tuple(body),
        helpers=tuple(helpers),
    )


def never_called(
    comment: str, decorator: str, arguments: list[str], function: str, printer: Printer
) -> WorkloadView:
    """The view of a workload or step that nothing can make run: its module is not even named."""
    return WorkloadView(
        comment=comment,
        decorator=decorator,
        decorator_arguments=tuple(arguments),
        function=function,
        parameters=tuple(port_parameters([], printer.imports)),
        returns="None",
        body=('"""Never called: it cannot run."""',),
        helpers=tuple(printer.helpers),
    )


def alias(module: ModuleSpec) -> str:
    """What a generated module calls it: `data_map`."""
    return module.function if module.is_mocked else module.name.replace(":", "_")


def returned(module: ModuleSpec, imports: Imports) -> str:
    """The type of its summary."""
    if not module.summary_name:
        return f"dict[str, {imports.use('typing', 'Any')}]"
    return imports.use(module.summary_source, module.summary_name)


def _connected(workload: Workload, consumed: frozenset[str]) -> set[str]:
    """The ports that have a stream."""
    connected = {"records", "inputs"} if workload.stream_edges else set()
    if workload.name in consumed and workload.emits:
        connected.add("out")
    return connected


def taken_ports(module: ModuleSpec, connected: set[str]) -> list[str]:
    """The ports that the function takes: those the module insists on, others where connected."""
    return [port for port in module.ports if port not in module.optional_ports or port in connected]


def port_parameters(ports: list[str], imports: Imports) -> Iterator[str]:
    """The context and the ports, as a function's parameters."""
    yield f"ctx: {imports.use('gxo.runtime', 'Context')}"
    for port in ports:
        type_ = imports.use("gxo.runtime", PORT_TYPES[port])
        yield f"{port}: {type_} | None" if port == "out" else f"{port}: {type_}"


def _parameters(workload: Workload, ports: list[str], imports: Imports) -> Iterator[str]:
    yield from port_parameters(ports, imports)
    if workload.loop:
        yield f"{local_name(workload.loop.variable)}: {imports.use('typing', 'Any')}"
        if workload.loop.index:
            yield f"{local_name(workload.loop.index)}: int"


def _instances(workload: Workload) -> Iterator[Workload]:
    """The workload with the arguments of each call that is written out, or as it is."""
    for call in workload.calls or (workload.arguments,):
        yield replace(workload, arguments=call)


def _by_index(calls: list[str], index: str) -> Iterator[str]:
    """The lines that choose the call of an instance."""
    yield f"match {index}:"
    for place, call in enumerate(calls):
        yield f"    case {place if place < len(calls) - 1 else '_'}:"
        yield f"        {call}"


def call_arguments(
    workload: Workload, module: ModuleSpec, ports: list[str], printer: Printer
) -> list[str]:
    """What the module is called with."""
    if module.is_mocked:
        return _mocked_arguments(workload, module, ports, printer)
    arguments = ["ctx"]
    for port in ports:
        code = port
        if port != "out" and not module.is_own:
            code = f"{printer.imports.use('gxo.runtime', 'copies_of')}({port})"
        arguments.append(f"{port}={code}" if port in module.optional_ports else code)
    free = []
    for argument in workload.arguments:
        param = module.param(argument.name)
        code = printer.code(argument.value, argument.name)
        if param:
            arguments.append(f"{param.python}={code}")
        elif is_keyword(argument.name):
            arguments.append(f"{argument.name}={code}")
        else:
            free.append(f"{literal(argument.name)}: {code}")
    if free:
        arguments.append("**{" + ", ".join(free) + "}")
    return arguments


def _mocked_arguments(
    workload: Workload, module: ModuleSpec, ports: list[str], printer: Printer
) -> list[str]:
    """What is called in place of a module gets: its name, the parameters by theirs, and ports.

    What the module itself would call is left out: no mock does. The default of a parameter that is
    left out is there if a mock expects it.
    """
    codes = {
        argument.name: printer.code(argument.value, argument.name)
        for argument in workload.arguments
        if not is_called(argument.type)
    }
    for param in module.params:
        if param.name in (module.compared or ()) and not param.required:
            codes.setdefault(param.name, literal(param.default))
    pairs = (f"{literal(name)}: {code}" for name, code in codes.items())
    given = ["ctx", literal(module.name), "{" + ", ".join(pairs) + "}"]
    return [*given, *(f"{port}={port}" for port in ports)]


def settings(workload: Workload, module: ModuleSpec, printer: Printer) -> Iterator[str]:
    """The decorator's keywords: only what differs from the defaults."""
    if lifecycle := lifecycle_code(workload, printer.imports):
        yield f"lifecycle={lifecycle}"
    if workload.register:
        yield f"register={literal(workload.register)}"
    yield from _edges(workload, module)
    if workload.background:
        yield "background=True"
    if module.pauses:
        yield "pauses=True"
    if workload.when is not None and workload.when != Constant(True, workload.when.span):
        yield f"when={printer.deciding(workload.when, 'when', ('ctx',), all_=True)}"
    if workload.loop:
        yield f"loop={_loop(workload.loop, printer)}"
    if workload.retry:
        yield f"retry={_retry(workload.retry, module, printer.imports)}"
    if workload.timeout is not None:
        yield f"timeout={literal(workload.timeout)}"
    if workload.ignore_errors:
        yield "ignore_errors=True"
    if workload.on_record_error == "skip":
        yield 'on_record_error="skip"'
    yield from _policies(workload.policies, printer.imports)
    if workload.secrets:
        yield f"secrets={literal(workload.secrets)}"


def _edges(workload: Workload, module: ModuleSpec) -> Iterator[str]:
    after = [edge.source for edge in workload.state_edges if not edge.observes]
    observes = [edge.source for edge in workload.state_edges if edge.observes]
    streams = [edge.name for edge in workload.stream_edges if not edge.events]
    if after:
        yield f"after={literal(after)}"
    if observes:
        yield f"observes={literal(observes)}"
    if streams:
        yield f"{'inputs' if module.inputs else 'records'}={literal(streams)}"
    if spills := [edge.name for edge in workload.stream_edges if edge.spills]:
        yield f"spills={literal(spills)}"


def _loop(loop: Loop, printer: Printer) -> str:
    constant = printer.is_constant(loop.items)
    items = (
        printer.code(loop.items, "loop")
        if constant
        else printer.deciding(loop.items, "loop", ("ctx",), all_=True)
    )
    parallel = f", parallel={loop.parallel}" if loop.parallel != 1 else ""
    return f"{printer.imports.use('gxo.runtime', 'Loop')}({items}{parallel})"


def _retry(retry: Retry, module: ModuleSpec, imports: Imports) -> str:
    words = [f"attempts={retry.attempts}", f"delay={literal(retry.delay)}"]
    if retry.max_delay is not None:
        words.append(f"max_delay={literal(retry.max_delay)}")
    if retry.backoff != 1:
        words.append(f"backoff={literal(retry.backoff)}")
    if retry.jitter:
        words.append(f"jitter={literal(retry.jitter)}")
    if module.retry_after_records:
        words.append("after_records=True")
    return f"{imports.use('gxo.runtime', 'Retry')}({', '.join(words)})"


def _bounds(channel: Channel) -> Iterator[str]:
    if channel.buffer_size is None:
        yield f"overflow={literal(channel.overflow)}"
    else:
        yield str(channel.buffer_size)
        yield literal(channel.overflow)


def _policies(policies: Policies, imports: Imports) -> Iterator[str]:
    if policies.channel != Channel(None, "block"):
        channel = imports.use("gxo.runtime", "Channel")
        yield f"channel={channel}({', '.join(_bounds(policies.channel))})"
    if policies.skip_on_no_input:
        yield "skip_on_no_input=True"
    if policies.allow_paths:
        paths = {allowed.path: allowed.access for allowed in policies.allow_paths}
        yield f"allow_paths={literal(paths)}"
