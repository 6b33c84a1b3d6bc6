"""Plan to Python: of each file views first, then the skeletons, then the output gate.

The workloads are rendered before the imports are known, so a file imports what it uses and nothing
else. Each goes through the gate by itself, so that no more than one syntax tree is held.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gxo.compiler.codegen.fused import loop_views
from gxo.compiler.codegen.gate import check_unique
from gxo.compiler.codegen.imports import Imports
from gxo.compiler.codegen.parts import JOB, Layout, Part, split
from gxo.compiler.codegen.pieces import BETWEEN, Finish, Piece, finishing
from gxo.compiler.codegen.sourcemap import (
    AssertionPlace,
    Entry,
    Marks,
    Texts,
    entries,
    excerpt,
    source_map,
)
from gxo.compiler.codegen.step import step_view
from gxo.compiler.codegen.values import Printer
from gxo.compiler.codegen.views import HeadView, WorkloadView
from gxo.compiler.codegen.workload import (
    Block,
    Surroundings,
    function_names,
    step_key,
    workload_view,
)
from gxo.compiler.diagnostics import Span, working_on
from gxo.compiler.ir.assertions import assertions
from gxo.compiler.ir.names import local_name, module_words
from gxo.compiler.ir.nodes import FusedLoop, InputDef, Plan, TestDef, Workload
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.python_source import Names, literal

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True, slots=True)
class Module:
    """The generated program, and the map from its expressions to the playbook's.

    sources: its files by their path in the archive: one, or first a table and then its parts.
    heads: the beginning of each of these, in which all its imports are. included: of a test, the
    program of the playbook that it includes.
    """

    sources: Mapping[str, str]
    heads: Mapping[str, str]
    source_map: str
    included: "Module | None" = None

    @property
    def text(self) -> str:
        """The file that is run: all there is of a program in one file."""
        return next(iter(self.sources.values()))


@dataclass(frozen=True, slots=True)
class _File:
    """A finished file, and its entries of the source map."""

    text: str
    head: str
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class _Program:
    """What the files of a program share.

    compiled: what each says of its origin. functions: as `function_names` gives them.
    """

    plan: Plan
    layout: Layout
    compiled: str
    functions: Mapping[str, str]
    finish: Finish
    texts: Texts


def emit(
    plan: Plan,
    version: str,
    playbook_text: str,
    pretty: bool = True,
    layout: Layout = JOB,
) -> Module:
    """Generate the program. With `pretty` it is formatted; without, it runs the same.

    Raises `gate.GateError` when the result is not right, which is a defect of gxo.
    """
    file = os.path.basename(plan.file)
    compiled = f"compiled by gxo {version} from {file}. Change the playbook, not this file."
    functions = function_names(plan, Names(module_words()))
    lines = {one.name: one.span.line for one in _all_workloads(plan)}
    with finishing(f"{plan.name} {file}", len(lines), pretty=pretty) as finish:
        program = _Program(plan, layout, compiled, functions, finish, _texts(plan, playbook_text))
        files = dict(_files(program))
    return Module(
        {path: one.text for path, one in files.items()},
        {path: one.head for path, one in files.items()},
        source_map(
            file,
            lines,
            {path: one.entries for path, one in files.items()},
            dict(_assertion_places(plan, program.texts)),
        ),
    )


def _assertion_places(plan: Plan, texts: Texts) -> Iterator[tuple[str, list[AssertionPlace]]]:
    """Of each `test:assert`, by its name, where its assertions stand."""
    for workload in every_workload(plan):
        named = [(workload.name, workload)]
        named += [(step_key(workload, step), step) for step in workload.steps]
        for name, one in named:
            spans = [assertion.actual.span for assertion in assertions(one)]
            places = [(it.line, it.column, _template(excerpt(texts.playbook, it))) for it in spans]
            if places:
                yield name, places


def _template(text: str) -> str:
    """What is written in the YAML, without the quotes around it; empty where it is no template."""
    if "{{" not in text:
        return ""
    return text[1:-1] if text[0] == text[-1] and text[0] in "\"'" else text


def _texts(plan: Plan, playbook: str) -> Texts:
    templates = {one.path: (one.name, one.text.splitlines()) for one in plan.templates}
    return Texts(playbook.splitlines(), templates)


def _files(program: _Program) -> Iterator[tuple[str, _File]]:
    """Yield the program's files by their path, the one that is run first."""
    plan, layout = program.plan, program.layout
    parts = split(plan, layout)
    name = _on_one_line(plan.name)
    if [part.path for part in parts] == [layout.job]:
        yield layout.job, _file(parts[0], name, program, makes_job=True)
        return
    table = _skeleton("table.py.j2").render(
        title=_docstring(f"{name}, {program.compiled}"),
        modules=[part.module for part in parts],
        folder=layout.folder,
    )
    text = program.finish(table).text
    yield layout.job, _File(text, text)
    if layout is JOB:
        yield f"{layout.folder}/__init__.py", _File("", "")
    yield f"{layout.folder}/job.py", _file(Part("", (), ()), name, program, makes_job=True)
    for part in parts:
        workloads = (*part.workloads, *part.cleanup)
        title = f"{workloads[0].name} to {workloads[-1].name} of {name}"
        yield part.path, _file(part, title, program, makes_job=False)


def _file(part: Part, title: str, program: _Program, *, makes_job: bool) -> _File:
    """The file with the part's workloads. Raises `gate.GateError`."""
    plan = program.plan
    names = Names(module_words(), taken=program.functions.values())
    _keep_loop_variables(part, names)
    imports = Imports(names)
    if makes_job:
        imports.use_line("from gxo.runtime import Job")
    else:
        imports.use_line(f"from {program.layout.folder}.job import job")
    marks = Marks()
    printer = Printer("var", names, imports, marks.mark)
    arguments = tuple(_job_arguments(plan, printer)) if makes_job else ()
    of_head = marks.take()
    consumed = frozenset(edge.source for one in every_workload(plan) for edge in one.stream_edges)
    around = Surroundings(program.functions, names, imports, marks.mark, consumed)
    bodies = []
    for view in _workload_views(part, plan, around):
        rendered = _skeleton("workload.py.j2").render(workload=view)
        bodies.append((program.finish(rendered), marks.take()))
    title = _docstring(f"{title}, {program.compiled}")
    head = HeadView(title, imports.render(), tuple(printer.helpers), arguments)
    rendered = _skeleton("head.py.j2").render(head=head)
    return _joined([(program.finish(rendered), of_head), *bodies], program.texts)


def _joined(pieces: Sequence[tuple[Piece, list[Span]]], texts: Texts) -> _File:
    """The file of the pieces, each with what was marked in it."""
    check_unique(name for piece, _ in pieces for name in piece.names)
    found: list[Entry] = []
    above = 0
    for piece, spans in pieces:
        found += entries(piece.places, above, spans, texts)
        above += piece.text.count("\n") + len(BETWEEN)
    return _File(BETWEEN.join(piece.text for piece, _ in pieces), pieces[0][0].text, found)


def _keep_loop_variables(part: Part, names: Names) -> None:
    """Let no module that is called, and no helper, have the name of a loop's variable."""
    inner = names.inner()
    workloads = (*part.workloads, *part.cleanup)
    loops = [one.loop for each in workloads for one in (each, *each.on_failure) if one.loop]
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


def _workload_views(part: Part, plan: Plan, around: Surroundings) -> Iterator[WorkloadView]:
    loops = {name: loop for loop in plan.fused for name in loop.members}
    top = Block("workload", plan.workloads)
    for workload in part.workloads:
        yield from _views(workload, top, loops, around)
        block = Block("on_failure", workload.on_failure, workload.name)
        for child in workload.on_failure:
            yield from _views(child, block, loops, around)
    cleanup = Block("cleanup", plan.cleanup)
    for workload in part.cleanup:
        yield from _views(workload, cleanup, loops, around)


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
    if plan.test:
        test_class = printer.imports.use("gxo.runtime.testing", "Test")
        yield f"test={test_class}({', '.join(_test_arguments(plan.test))})"


def _test_arguments(test: TestDef) -> Iterator[str]:
    if test.secrets:
        yield f"secrets={literal(dict(test.secrets))}"
    for keyword, names in (("network", test.network), ("commands", test.commands)):
        if names:
            yield f"{keyword}={literal(names)}"
    if test.expect_failed:
        yield "expect_failed=True"


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


def _on_one_line(name: str) -> str:
    return " ".join(name.split()).replace('"', "'")


def _docstring(text: str) -> str:
    """The text as black leaves it: no quotes or blanks at its ends, and on one line."""
    return text.replace("\\", "\\\\")


@cache
def _skeleton(name: str) -> "Template":
    import jinja2  # heavy, and `gxo validate` never needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gxo.compiler.codegen", "skeletons"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it prints Python, and values enter through literal()
    )
    return environment.get_template(name)
