"""Plan to Python module: views first, then the skeleton, then the output gate.

The body is rendered before the imports are known, so a module imports what it uses and nothing
else.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gxo.compiler.codegen.fused import loop_views
from gxo.compiler.codegen.gate import check_module, format_module
from gxo.compiler.codegen.imports import Imports
from gxo.compiler.codegen.sourcemap import Marks, no_mark, source_map
from gxo.compiler.codegen.step import step_view
from gxo.compiler.codegen.values import Mark, Printer
from gxo.compiler.codegen.views import ProgramView, WorkloadView
from gxo.compiler.codegen.workload import Block, Surroundings, function_names, workload_view
from gxo.compiler.diagnostics import working_on
from gxo.compiler.ir.names import local_name, module_words
from gxo.compiler.ir.nodes import FusedLoop, InputDef, Plan, Workload
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.python_source import Names, literal

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True, slots=True)
class Module:
    """The generated module and the map from its expressions to the playbook's."""

    text: str
    source_map: str


def emit(plan: Plan, version: str, playbook_text: str, pretty: bool = True) -> Module:
    """Generate the module. With `pretty` it is formatted; without, it runs the same.

    Raises `gate.GateError` when the result is not right, which is a defect of gxo.
    """
    text = render(plan, version, no_mark)
    marks = Marks()
    marked = render(plan, version, marks.mark)
    if pretty:
        text = format_module(text)
    else:
        check_module(text)
    file = os.path.basename(plan.file)
    lines = {one.name: one.span.line for one in _all_workloads(plan)}
    return Module(text, source_map(text, marked, marks, file, playbook_text, lines))


def render(plan: Plan, version: str, mark: Mark) -> str:
    """The module's text before formatting, each expression that can fail passed through `mark`."""
    names = Names(module_words())
    functions = function_names(plan, names)
    _keep_loop_variables(plan, names)
    imports = Imports(names)
    imports.use_line("from gxo.runtime import Job")
    consumed = frozenset(edge.source for one in every_workload(plan) for edge in one.stream_edges)
    around = Surroundings(functions, names, imports, mark, consumed)
    printer = Printer("var", names, imports, mark)
    arguments = tuple(_job_arguments(plan, printer))
    workloads = tuple(_workload_views(plan, around))
    name = " ".join(plan.name.split()).replace('"', "'")
    title = _docstring(
        f"{name}, compiled by gxo {version} from {os.path.basename(plan.file)}."
        " Change the playbook, not this file."
    )
    program = ProgramView(title, imports.render(), tuple(printer.helpers), arguments, workloads)
    return _skeleton().render(program=program)


def _keep_loop_variables(plan: Plan, names: Names) -> None:
    """Let no module that is called, and no helper, have the name of a loop's variable."""
    inner = names.inner()
    loops = [one.loop for one in every_workload(plan) if one.loop]
    for variable in sorted(
        {name for loop in loops for name in (loop.variable, loop.index) if name}
    ):
        inner.fresh(local_name(variable))


def _all_workloads(plan: Plan) -> Iterator[Workload]:
    """Yield the workloads, those of blocks too, in the playbook's order."""
    for workload in plan.workloads:
        yield workload
        yield from workload.on_failure
    yield from plan.cleanup


def _workload_views(plan: Plan, around: Surroundings) -> Iterator[WorkloadView]:
    loops = {name: loop for loop in plan.fused for name in loop.members}
    for workload in plan.workloads:
        yield from _views(workload, Block("workload", plan.workloads), loops, around)
        block = Block("on_failure", workload.on_failure, workload.name)
        for child in workload.on_failure:
            yield from _views(child, block, loops, around)
    for workload in plan.cleanup:
        yield from _views(workload, Block("cleanup", plan.cleanup), loops, around)


def _views(
    workload: Workload, block: Block, loops: Mapping[str, FusedLoop], around: Surroundings
) -> Iterator[WorkloadView]:
    """The views of the workload: its own, or that of its loop, and those of its steps."""
    with working_on(workload.span):
        if workload.name in loops:
            yield from loop_views(workload, loops[workload.name], block, around)
        else:
            yield workload_view(workload, block, around)
    for step in workload.steps:
        with working_on(step.span):
            yield step_view(workload, step, around)


def _job_arguments(plan: Plan, printer: Printer) -> Iterator[str]:
    yield literal(plan.name)
    if plan.inputs:
        input_class = printer.imports.use("gxo.runtime", "Input")
        pairs = (f"{literal(one.name)}: {_input(one, input_class, printer)}" for one in plan.inputs)
        yield f"inputs={{{', '.join(pairs)}}}"
    if plan.vars:
        pairs = (
            f"{literal(var.name)}: "
            + (
                printer.code(var.value, var.name)
                if printer.is_constant(var.value)
                else printer.function_of("ctx", var.value, var.name)
            )
            for var in plan.vars
        )
        yield f"vars={{{', '.join(pairs)}}}"
    for keyword, words in (
        ("secrets", plan.secrets),
        ("assets", plan.assets),
        ("outputs", plan.outputs),
    ):
        if words:
            yield f"{keyword}={literal(words)}"


def _input(decl: InputDef, input_class: str, printer: Printer) -> str:
    words = [literal(decl.type)]
    if decl.default is not None:
        words.append(f"default={printer.code(decl.default, decl.name)}")
    if decl.enum:
        options = ", ".join(printer.code(option, decl.name) for option in decl.enum)
        words.append(f"enum=[{options}]")
    if decl.pattern is not None:
        words.append(f"pattern={literal(decl.pattern)}")
    if decl.description:
        words.append(f"description={literal(decl.description)}")
    if decl.secret:
        words.append("secret=True")
    return f"{input_class}({', '.join(words)})"


def _docstring(text: str) -> str:
    """The text as black leaves it: no quotes or blanks at its ends, and on one line."""
    return text.replace("\\", "\\\\")


@cache
def _skeleton() -> "Template":
    import jinja2  # heavy, and `gxo validate` never needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gxo.compiler.codegen", "skeletons"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it prints Python, and values enter through literal()
    )
    return environment.get_template("program.py.j2")
