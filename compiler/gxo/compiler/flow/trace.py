"""One walk over the plan, in the order in which values move; yields what arrives where.

    vars -> workloads, each after those whose registers and records it reads -> blocks
    exec's command: "echo {{ .dsn }}"    Arrival("shell", "command", printed=(.dsn: SECRET, ...))

Only parameters that their module declares a use for are arrivals, and the messages of `fail`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gxo.compiler.diagnostics import Note, Place
from gxo.compiler.flow import declared
from gxo.compiler.flow.marks import (
    CLEAN,
    Flow,
    Key,
    Kind,
    given,
    join,
    joined,
    named_secret,
    outside,
)
from gxo.compiler.flow.order import in_order, var_order
from gxo.compiler.flow.shells import runs_commands, shell_argument, shell_runs
from gxo.compiler.flow.templates import Look, Printed, follow
from gxo.compiler.flow.uses import Steps, uses
from gxo.compiler.ir.dots import dot_argument
from gxo.compiler.ir.nodes import (
    Argument,
    Computed,
    Constant,
    Copy,
    Fields,
    ForEach,
    InputDef,
    Items,
    Plan,
    Value,
    VarDef,
    Workload,
)
from gxo.compiler.ir.steps import Graph, emits_records
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.ir.walk import blocks
from gxo.compiler.template import ast
from gxo.compiler.types import (
    BOOL,
    FLOAT,
    INT,
    Use,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the actions of one template print into a place that matters."""

    use: Use
    place: Place
    printed: tuple[Printed, ...]
    template: ast.Template | ast.Expr


def arrivals(plan: Plan) -> list[Arrival]:
    """Everything that arrives where it matters, in the plan whose names are bound."""
    tracer = _Tracer()
    for decl in plan.inputs:
        tracer.inputs[decl.name] = _input(decl)
    for var in var_order(plan.vars):
        tracer.var(var)
    for block in blocks(plan):
        for workload in in_order(block):
            tracer.workload(workload)
    return tracer.arrivals


def _input(decl: InputDef) -> Flow:
    if decl.secret:
        return named_secret(Note(decl.span, f"the input `{decl.name}` is a secret"))
    if decl.type in ("int", "float", "bool") or _is_plain(decl):
        return CLEAN
    return Flow(given(Note(decl.span, f"the caller gives the input `{decl.name}`")))


_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+-]+")


def _is_plain(decl: InputDef) -> bool:
    """Whether a caller can only choose among words that mean nothing else to a shell."""
    choices = [one.value for one in decl.enum if isinstance(one, Constant)]
    return bool(choices) and all(isinstance(one, str) and _PLAIN.fullmatch(one) for one in choices)


@dataclass(slots=True)
class _Tracer:
    """What is known so far, by name. `faults` are the records of `<name>.errors`."""

    inputs: dict[str, Flow] = field(default_factory=dict)
    vars: dict[str, Flow] = field(default_factory=dict)
    registers: dict[str, Flow] = field(default_factory=dict)
    summaries: dict[str, Flow] = field(default_factory=dict)
    records: dict[str, Flow] = field(default_factory=dict)
    faults: dict[str, Flow] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)

    def var(self, var: VarDef) -> None:
        """A var's own texts are given, as an input's: its caller may say another value."""
        own = Flow(given(Note(var.span, f"the var `{var.name}` is given by the playbook")))
        values = _Values(self, Place("", f"vars.{var.name}"), self.look({}, CLEAN), own)
        flow = values.flow(var.value)
        self.vars[var.name] = flow.through(Note(var.span, f"the var `{var.name}` holds it"))

    def workload(self, workload: Workload) -> None:
        outer = self.look({}, CLEAN)
        if workload.when is not None:
            _Values(self, Place(workload.name, "when"), outer).flow(workload.when)
        loop: Mapping[str, Flow] = {}
        if workload.loop is not None:
            items = _Values(self, Place(workload.name, "loop"), outer).flow(workload.loop.items)
            note = Note(workload.loop.items.span, f"`{workload.loop.variable}` is one of these")
            loop = {workload.loop.variable: _item(items, workload.loop.items).through(note)}
        read = self.read_by(workload)
        flows = self.arguments(workload, Place(workload.name, "params"), self.look(loop, read))
        if workload.module is not None:
            self.results(declared.Call(workload, workload.module, flows, read))
        if workload.steps:
            self.records[workload.name] = self.steps(workload, loop, read)

    def arguments(self, workload: Workload, place: Place, look: Look) -> Mapping[str, Flow]:
        """What each parameter holds of a workload, or of a step that stands at the place."""
        flows: dict[str, Flow] = {}
        dot = dot_argument(workload)
        for argument in sorted(workload.arguments, key=lambda one: one.name != dot):
            is_on_dot = isinstance(argument.value, ForEach) and argument.value.dot is not None
            seen = _with_dot(look, flows.get(dot, CLEAN)) if dot and is_on_dot else look
            flows[argument.name] = _Values(
                self,
                Place(place.workload, f"{place.parameter}.{argument.name}"),
                seen,
                _own(workload, argument),
                workload,
                argument.name,
            ).flow(argument.value)
        return flows

    def steps(self, pipeline: Workload, loop: Mapping[str, Flow], events: Flow) -> Flow:
        """Follow what the steps of a pipeline do with its events; returns what its records hold."""
        graph = Graph(pipeline)
        emitted: dict[str, Flow] = {}
        results: dict[str, Flow] = {}
        for step in graph.in_order():
            needs = [emitted[need.name] for need in graph.needs(step) if need.name in emitted]
            record = joined(needs) if needs else events
            # A step that needs several works on the event; any other sees it behind its record.
            seen = join(record, events) if len(needs) > 1 else declared.over(record, events)
            look = self.look(loop, seen, results)
            place = Place(pipeline.name, f"params.steps.{step.name}")
            if step.when is not None:
                when = Place(place.workload, f"{place.parameter}.when")
                _Values(self, when, look).flow(step.when)
            flows = self.arguments(step, Place(place.workload, f"{place.parameter}.with"), look)
            if step.module is None:
                continue
            call = declared.Call(step, step.module, flows, record)
            sent = declared.records(call) if emits_records(step) else declared.summary(call)
            emitted[step.name] = results[step.name] = sent
        needed = {need.name for step in pipeline.steps for need in graph.needs(step)}
        return joined([flow for name, flow in emitted.items() if name not in needed])

    def results(self, call: declared.Call) -> None:
        workload = call.workload
        one = declared.summary(call)
        whole = Flow({}, {}, one) if workload.loop or workload.decl.loop else one
        self.summaries[workload.name] = whole
        if workload.register:
            self.registers[workload.register] = whole
        self.records[workload.name] = declared.records(call)
        error = Note(workload.span, f"the errors of `{workload.name}` quote what it was given")
        read = call.records if workload.decl.reads else Flow(outside(error))
        self.faults[workload.name] = Flow({}, {"record": read, "error": Flow(outside(error))})

    def read_by(self, workload: Workload) -> Flow:
        """What each record holds that the workload reads."""
        flows: list[Flow] = []
        by_stream: dict[Key, Flow] = {}
        for name in workload.decl.reads:
            source, _, suffix = name.text.partition(".")
            flow = (self.faults if suffix else self.records).get(source, CLEAN)
            flows.append(flow)
            by_stream[name.text] = flow
        merged = joined(flows)
        if workload.module is None or not workload.module.inputs:
            return merged
        # A module that gets its streams apart may send each as a field of its own.
        return join(merged, Flow({}, by_stream))

    def look(
        self, loop: Mapping[str, Flow], record: Flow, steps: Mapping[str, Flow] | None = None
    ) -> Look:
        """How names are looked up in a workload with these loop variables, records and steps."""

        def look(root: ast.Root) -> Flow:
            match root.kind:
                case "input":
                    return self.inputs.get(root.name, CLEAN)
                case "var":
                    return self.vars.get(root.name, CLEAN)
                case "register":
                    return self.registers.get(root.name, CLEAN)
                case "loop":
                    return loop.get(root.name, CLEAN)
                case "step":
                    return (steps or {}).get(root.name, CLEAN)
                case "record":
                    return record
                case "field":
                    outer = CLEAN if root.outer is None else look(root.outer)
                    return join(record.at(root.name), outer)
                case "workload" if root.attribute == "summary":
                    return self.summaries.get(root.name, CLEAN)
            return _system(root)

        return look


def _with_dot(look: Look, dot: Flow) -> Look:
    """How names are looked up where the dot is another parameter of the module."""
    return lambda root: dot if root.kind == "dot" else look(root)


def _system(root: ast.Root) -> Flow:
    """What `_gxo` holds: an error quotes what a command or a server said."""
    if root.span is None:
        return CLEAN
    if root.name == "failure.error" or root.attribute == "error":
        return Flow(outside(Note(root.span, "an error quotes what came from outside")))
    if root.kind == "dot":
        return Flow(outside(Note(root.span, "the module gives the value")))
    if root.name == "workspace.path":
        return Flow(given(Note(root.span, "the caller may say where the workspace is")))
    return CLEAN


def _own(workload: Workload, argument: Argument) -> Flow:
    """What texts hold for where they stand: in a record, they are as any record's."""
    sends = workload.module.sends if workload.module else ()
    if argument.name not in sends:
        return CLEAN
    note = Note(argument.value.span, f"a text of the records of `{workload.name}`")
    return Flow(outside(note))


def _item(items: Flow, value: Value) -> Flow:
    """What one item of a loop holds; over a map, items are `{key, value}`."""
    if items.is_list or isinstance(value, Items):
        return items.elements()
    pair = Flow({}, {"key": items.keys(), "value": items.elements()})
    return pair if isinstance(value, Fields) else join(items.elements(), pair)


@dataclass(slots=True)
class _Values:
    """Follows the values of one parameter, var, `when` or `loop`; `own` is what its texts hold."""

    tracer: _Tracer
    place: Place
    look: Look
    own: Flow = CLEAN
    workload: Workload | None = None
    argument: str = ""

    def flow(self, value: Value, path: str = "") -> Flow:
        match value:
            case Constant(constant):
                return self.own if isinstance(constant, str) else CLEAN
            case Computed():
                return self.template(value, path)
            case Copy(inner) | ForEach(inner):
                return self.flow(inner, path)
            case Items(values):
                parts = [self.flow(item, f"{path}[{i}]") for i, item in enumerate(values)]
                return Flow({}, dict(enumerate(parts)))
            case Fields(entries):
                return Flow({}, {name: self.flow(item, f"{path}.{name}") for name, item in entries})
        raise AssertionError(value)

    def template(self, value: Computed, path: str) -> Flow:
        outcome = follow(value.template, value.want == "native", self.look)
        place = Place(self.place.workload, self.place.parameter + path)
        found = self.tracer.arrivals
        if outcome.messages:
            found.append(Arrival("message", place, outcome.messages, value.template))
        for use, steps in uses(value.type):
            printed = tuple(
                Printed(one.span, _part(one.flow, steps), one.node)
                for one in outcome.printed
                if not self.is_ambiguous(one)
            )
            found.append(Arrival(self.in_shell(use, path), place, printed, value.template))
        if value.want == "condition" or value_type(value) in (INT, FLOAT, BOOL):
            return CLEAN
        is_outside = Kind.OUTSIDE in outcome.value.whole and Kind.OUTSIDE in self.own.whole
        return outcome.value if is_outside else join(outcome.value, self.own)

    def is_ambiguous(self, printed: Printed) -> bool:
        """Whether it is a `${NAME}` that must be written in another way first."""
        module = self.workload.module if self.workload else None
        shorthand = printed.node is not None and printed.node.shorthand
        return shorthand and module is not None and runs_commands(module)

    def in_shell(self, use: Use, path: str) -> Use:
        """What a command or an argument is when a shell reads it."""
        if self.workload is None or use not in ("command", "argument"):
            return use
        if use == "command":
            return "shell" if shell_runs(self.workload) else "command"
        return "shell" if self.argument + path == shell_argument(self.workload) else use


def _part(flow: Flow, steps: Steps) -> Flow:
    for step in steps:
        flow = flow.elements() if step is None else flow.at(step)
    return flow
