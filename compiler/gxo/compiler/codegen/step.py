"""One step of a `stream:pipeline` as the view that the skeleton prints."""

from collections.abc import Iterator
from functools import cache

from gxo.compiler.codegen.records import new_record
from gxo.compiler.codegen.values import Printer
from gxo.compiler.codegen.views import WorkloadView
from gxo.compiler.codegen.workload import (
    Surroundings,
    alias,
    awaited,
    call_arguments,
    never_called,
    port_parameters,
    returned,
    step_key,
    steps_key,
    taken_ports,
)
from gxo.compiler.ir.evaluation import is_code
from gxo.compiler.ir.kernels import FILTER, MAP, filter_condition, map_parts
from gxo.compiler.ir.nodes import Constant, Workload
from gxo.compiler.ir.steps import emits_records, kind
from gxo.compiler.python_source import identifier, literal

_TYPES = {"record": "Record", "event": "Event", "steps": "Results"}
"""What a step's function can ask for besides its ports, in the order in which it does."""


def step_view(pipeline: Workload, step: Workload, around: Surroundings) -> WorkloadView:
    """The view of a step, which stands behind that of its pipeline."""
    module = step.module
    assert module is not None, "a plan with errors is not compiled"
    function = around.functions[step_key(pipeline, step)]
    prefix = identifier(f"{pipeline.name}_{step.name}")
    printer = Printer(prefix, around.names, around.imports, around.mark)
    comment = f"{pipeline.name}, step {step.name}: {module.name}"
    if module.is_mocked:
        comment += ", mocked"
    how: str = kind(step)
    if step.is_inline:
        how = "inline" if is_code(step) else "kernel"
    decorator = f"{around.functions[steps_key(pipeline)]}.{how}"
    if step.is_dead:
        settings = [literal(step.name), *_settings(step, printer)]
        return never_called(comment, decorator, settings, function, printer)
    if step.is_inline:
        view = _inline_view if is_code(step) else _kernel_view
        return view(step, f"{comment}, in line", decorator, function, printer)
    ports = taken_ports(module, _connected(step))
    printer.local = cache(around.names.inner(("ctx", *ports, *_TYPES)).fresh)
    arguments = call_arguments(step, module, ports, printer)
    # The record of a module that reads a stream is its own: it is a parameter of its lambdas.
    given = [name for name in _TYPES if name in printer.used]
    if kind(step) != "call":
        given = [name for name in given if name != "record"]
    uses = around.imports.use
    call = uses(module.source, module.function, alias(module))
    parameters = [f"{name}: {uses('gxo.runtime', _TYPES[name])}" for name in given]
    return WorkloadView(
        comment=comment,
        decorator=decorator,
        decorator_arguments=(literal(step.name), *_settings(step, printer)),
        function=function,
        parameters=(*port_parameters(ports, around.imports), *parameters),
        returns=returned(module, around.imports),
        body=(f"return {awaited(call, arguments, module)}",),
        helpers=tuple(printer.helpers),
    )


def _inline_view(
    step: Workload, comment: str, decorator: str, function: str, printer: Printer
) -> WorkloadView:
    """The view of a step whose code makes the records itself."""
    use = printer.imports.use
    printer.local = cache(printer.names.inner(("ctx", *_TYPES)).fresh)
    made = _made(step, printer)
    given = [name for name in _TYPES if name == "record" or name in printer.used]
    parameters = (f"{name}: {use('gxo.runtime', _TYPES[name])}" for name in given)
    return WorkloadView(
        comment=comment,
        decorator=decorator,
        decorator_arguments=(literal(step.name), *_settings(step, printer)),
        function=function,
        parameters=(*port_parameters([], printer.imports), *parameters),
        returns=f"list[{use('gxo.runtime', 'Record')}]",
        body=(f"return {made}",),
        helpers=tuple(printer.helpers),
        waits=False,
    )


def _kernel_view(
    step: Workload, comment: str, decorator: str, function: str, printer: Printer
) -> WorkloadView:
    """The view of a step whose module has a kernel, which takes the records in its place."""
    module = step.module
    assert module is not None and module.kernel is not None
    printer.local = cache(printer.names.inner(("ctx",)).fresh)
    kernel = printer.imports.use(module.source, module.kernel.name)
    arguments = call_arguments(step, module, list(module.kernel.takes), printer)
    return WorkloadView(
        comment=comment,
        decorator=decorator,
        decorator_arguments=(literal(step.name), *_settings(step, printer)),
        function=function,
        parameters=tuple(port_parameters([], printer.imports)),
        returns=kernel,
        body=(f"return {kernel}({', '.join(arguments)})",),
        helpers=tuple(printer.helpers),
        waits=False,
    )


def _made(step: Workload, printer: Printer) -> str:
    """The list of records that the step makes of one."""
    assert step.module is not None
    if step.module.name == FILTER:
        condition = filter_condition(step)
        assert condition is not None
        return f"[record] if {printer.code(condition, 'condition')} else []"
    if step.module.name == MAP:
        parts = map_parts(step)
        assert parts is not None
        return f"[{new_record(parts, printer)}]"
    return "[record]"


def _connected(step: Workload) -> set[str]:
    connected = {"out"} if emits_records(step) else set()
    return connected | {"records", "inputs"} if kind(step) != "call" else connected


def _settings(step: Workload, printer: Printer) -> Iterator[str]:
    if step.state_edges:
        yield f"needs={literal([edge.source for edge in step.state_edges])}"
    if step.when is not None and step.when != Constant(True, step.when.span):
        yield f"when={printer.deciding(step.when, 'when', ('ctx', *_TYPES), all_=False)}"
