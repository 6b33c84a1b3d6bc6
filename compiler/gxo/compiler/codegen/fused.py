"""The loop that several workloads share, as the view that the skeleton prints.

    parse: data:parse -> active: data:filter -> totals: data:aggregate

    async for batch in parse.read():
        passed: list[Record] = []
        for record in active.each(batch):
            try:
                if record["status"] != "on":
                    continue
            except (Exception, Unknown) as error:
                await active.failed(record, error)
                continue
            passed.append(record)
        await totals.add(passed)

Each member begins by a function in the decorator, when its module would be called. What is code of
the loop is tried a record at a time, so that an error is its stage's own; what takes whole batches
is called. Nothing else is counted than what such code leaves out before more of it follows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from gxo.compiler.codegen.records import field_codes, new_record
from gxo.compiler.codegen.values import Printer
from gxo.compiler.codegen.views import WorkloadView
from gxo.compiler.codegen.workload import (
    Block,
    Surroundings,
    alias,
    call_arguments,
    loop_key,
    settings,
)
from gxo.compiler.ir.kernels import (
    FILTER,
    FLATTEN,
    MAP,
    MapParts,
    filter_condition,
    holds_record,
    map_parts,
)
from gxo.compiler.ir.nodes import FusedLoop, Workload
from gxo.compiler.modules.spec import Kernel, ModuleSpec
from gxo.compiler.python_source import identifier, literal

_LOCALS = frozenset(("batch", "error", "passed", "record", "value"))
"""What the loop calls its own."""

_DECORATORS = {
    "workload": "pipeline",
    "on_failure": "on_failure_pipeline",
    "cleanup": "cleanup_pipeline",
}
"""What registers a loop, by what registers one workload of the same block."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A member of the loop: its name there, and what prints the code for its records."""

    name: str
    workload: Workload
    printer: Printer

    @property
    def module(self) -> ModuleSpec:
        assert self.workload.module is not None
        return self.workload.module

    @property
    def kernel(self) -> Kernel:
        assert self.module.kernel is not None
        return self.module.kernel


def loop_views(
    workload: Workload, loop: FusedLoop, block: Block, around: Surroundings
) -> Iterator[WorkloadView]:
    """What stands at the place of a member: the loop at that of the first one in the file, and at a
    later one's, where the loop alone would give another order of workloads, its place.
    """
    first = min(block.places[name] for name in loop.members)
    stand = block.workloads[first : block.places[workload.name] + 1]
    so_far = tuple([one.name for one in stand])
    if len(so_far) == 1:
        yield _loop_view(loop, block, around)
    elif so_far != loop.members[: len(so_far)]:
        yield _place_view(workload, loop, around)


def _loop_view(loop: FusedLoop, block: Block, around: Surroundings) -> WorkloadView:
    local = cache(around.names.inner(_LOCALS).fresh)
    members = [block.workloads[block.places[name]] for name in loop.members]
    stages = [_stage(one, around, local) for one in members]
    helpers: list[str] = []
    arguments = [_member(stage, around, helpers) for stage in stages]
    body = _Body(stages, around).written()
    type_ = around.imports.use("gxo.runtime", "Stage")
    return WorkloadView(
        comment=f"{', '.join(loop.members)}: fused into one loop",
        decorator=f"job.{_DECORATORS[block.kind]}",
        decorator_arguments=(*block.owner_argument, *arguments),
        function=around.functions[loop_key(loop)],
        parameters=tuple(f"{stage.name}: {type_}" for stage in stages),
        returns="None",
        body=tuple(body),
        helpers=(*helpers, *(helper for stage in stages for helper in stage.printer.helpers)),
    )


def _stage(workload: Workload, around: Surroundings, local: Callable[[str], str]) -> Stage:
    name = around.functions[workload.name]
    if name in _LOCALS:
        name = around.names.fresh(f"{name}_")
    prefix = identifier(workload.name)
    printer = Printer(prefix, around.names, around.imports, around.mark, f"{name}.ctx", local)
    printer.guarded = "value"
    return Stage(name, workload, printer)


def _member(stage: Stage, around: Surroundings, helpers: list[str]) -> str:
    """The member as the decorator is given it."""
    workload, module, kernel = stage.workload, stage.module, stage.kernel
    printer = Printer(stage.printer.prefix, around.names, around.imports, around.mark)
    printer.local = cache(around.names.inner(("ctx", *kernel.takes)).fresh)
    words = [literal(workload.name)]
    if kernel.name:
        name = f"{alias(module)}_batches" if kernel.kind == "head" else None
        called = around.imports.use(module.source, kernel.name, name)
        arguments = ", ".join(call_arguments(workload, module, list(kernel.takes), printer))
        words.append(f"lambda {', '.join(('ctx', *kernel.takes))}: {called}({arguments})")
    if module.changes:
        function = around.imports.use(module.source, module.function, alias(module))
        words.append(f"module={function}")
    words += settings(workload, module, printer)
    if kernel.summary:
        words.append(f"summary={around.imports.use(module.source, kernel.summary)}")
    helpers += printer.helpers
    return f"job.member({', '.join(words)})"


class _Body:
    """Writes the function's lines."""

    def __init__(self, stages: list[Stage], around: Surroundings) -> None:
        self._stages = stages
        self._around = around
        self._lines: list[str] = []
        self._depth = 0
        self._owned = stages[0].kernel.fresh
        self._declared = False
        self._limits: list[tuple[int, Stage]] = []

    def written(self) -> list[str]:
        first, last = self._stages[0], self._stages[-1]
        self._open(f"async for batch in {first.name}.read():")
        rest = self._stages[1:] if first.kernel.kind == "head" else self._stages
        have = "batch"
        segment: list[Stage] = []
        for stage in rest:
            if stage.kernel.is_code:
                segment.append(stage)
                continue
            have, segment = self._passed(segment, have), []
            have = self._batches(stage, have)
        have = self._passed(segment, have)
        if last.kernel.kind != "tail":
            self._line(f"await {last.name}.send({have})")
        for depth, limit in reversed(self._limits):
            self._depth = depth
            self._open(f"if {limit.name}.is_full:")
            self._line("return")
        return self._lines

    def _batches(self, stage: Stage, have: str) -> str:
        """A stage that takes whole batches; the expression for what comes of them."""
        if stage.kernel.kind == "tail":
            self._line(f"await {stage.name}.add({have})")
        elif stage.module.name == FLATTEN:
            self._open(f"async for batch in {stage.name}.split({have}):")
            self._owned = True
            return "batch"
        else:
            self._limits.append((self._depth, stage))
        return f"{stage.name}.take({have})"

    def _passed(self, segment: list[Stage], have: str) -> str:
        """Stages that are code; the expression for what passes them all."""
        if not segment:
            return have
        first = segment[0]
        if all(stage.module.name not in (FILTER, MAP) for stage in segment):
            return f"{first.name}.all({have})"
        record = self._around.imports.use("gxo.runtime", "Record")
        if self._declared and have != "batch":  # it is made of those that passed before
            self._line(f"batch = {have}")
            have = "batch"
        self._line("passed = []" if self._declared else f"passed: list[{record}] = []")
        self._declared = True
        with self._inside(f"for record in {first.name}.each({have}):"):
            for stage in segment:
                if stage.module.name == FILTER:
                    self._filter(stage, counts=stage is not segment[-1])
                elif stage.module.name == MAP:
                    self._map(stage)
            self._line("passed.append(record)")
        return "passed"

    def _filter(self, stage: Stage, *, counts: bool) -> None:
        condition = filter_condition(stage.workload)
        assert condition is not None
        with (
            self._tried(stage),
            self._inside(f"if {stage.printer.opposite(condition, 'condition')}:"),
        ):
            if counts:
                self._line(f"{stage.name}.dropped += 1")
            self._line("continue")

    def _map(self, stage: Stage) -> None:
        parts = map_parts(stage.workload)
        assert parts is not None
        with self._tried(stage):
            for line in self._made(parts, stage.printer):
                self._line(line)
        self._owned = True

    def _made(self, parts: MapParts, printer: Printer) -> Iterator[str]:
        """The lines that make the record, or change it where it is the loop's own."""
        changes = self._owned and parts.keep and not (parts.drop and parts.fields)
        if not changes or holds_record(parts):
            yield f"record = {new_record(parts, printer)}"
        elif parts.drop:
            yield from (f"record.pop({literal(name)}, None)" for name in parts.drop)
        elif len(pairs := field_codes(parts, printer)) == 1:
            yield f"record[{pairs[0][0]}] = {pairs[0][1]}"
        else:
            yield f"record.update({{{', '.join(f'{name}: {code}' for name, code in pairs)}}})"

    @contextmanager
    def _tried(self, stage: Stage) -> Iterator[None]:
        """What fails inside is an error of the record, and the stage's."""
        with self._inside("try:"):
            yield
        unknown = self._around.imports.use("gxo.runtime", "Unknown")
        with self._inside(f"except (Exception, {unknown}) as error:"):
            self._line(f"await {stage.name}.failed(record, error)")
            self._line("continue")

    @contextmanager
    def _inside(self, head: str) -> Iterator[None]:
        self._open(head)
        yield
        self._depth -= 1

    def _open(self, head: str) -> None:
        self._line(head)
        self._depth += 1

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)


def _place_view(workload: Workload, loop: FusedLoop, around: Surroundings) -> WorkloadView:
    """What stands at the place of a member that other workloads stand before."""
    assert workload.module is not None
    return WorkloadView(
        comment=f"{workload.name}: {workload.module.name}, in {around.functions[loop_key(loop)]}",
        decorator="",
        decorator_arguments=(),
        function="",
        parameters=(),
        returns="",
        body=(f"job.place({literal(workload.name)})",),
        helpers=(),
    )
