"""Bind every name in every template, and note what each template reads.

    before:  Computed({{ .users.body }})                        a name
    after:   Computed({{ register users . body }}), references.registers = {users}

Innermost first (language, section 3): the loop's variables; in per-record templates the record's
fields; registers, inputs and vars; `_gxo`.
"""

from collections import ChainMap
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics, Span, working_on
from gxo.compiler.frozen import replace
from gxo.compiler.ir.dots import dot_type
from gxo.compiler.ir.names import local_name
from gxo.compiler.ir.nodes import (
    Computed,
    Constant,
    Fields,
    ForEach,
    Items,
    Loop,
    Plan,
    Value,
    VarDef,
    Workload,
)
from gxo.compiler.ir.order import Before, reading_order
from gxo.compiler.ir.record_shapes import (
    Inputs,
    input_shapes,
    output_shape,
    records_of,
    stream_order,
)
from gxo.compiler.ir.step_names import PipelineNames
from gxo.compiler.ir.step_shapes import StepShapes
from gxo.compiler.ir.steps import Graph, kind
from gxo.compiler.ir.value_types import item_type, register_type, var_type
from gxo.compiler.ir.walk import (
    computed,
    rebuild,
    with_arguments,
    workload_templates,
)
from gxo.compiler.template.ast import Field, Literal, Root
from gxo.compiler.template.check import check
from gxo.compiler.template.resolve import Scope, references, resolve
from gxo.compiler.template.step_names import StepNames
from gxo.compiler.template.walk import expressions
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    TEXT,
    ListOf,
    MapOf,
    Shape,
    Type,
)

VAR_CYCLE = "GXO0306"
INPUT_TYPES: Mapping[str, Type] = {
    "string": TEXT,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "list": ListOf(ANY),
    "map": MapOf(ANY),
}
FAILURE = frozenset({"failure.workload", "failure.error", "failure.attempts"})

Names = Mapping[str, Root]
Bind = Callable[[Computed], Computed]


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    inputs = {
        decl.name: Root("input", decl.name, INPUT_TYPES.get(decl.type, ANY)) for decl in plan.inputs
    }
    plan = replace(plan, vars=_resolve_vars(plan.vars, inputs, diagnostics))
    given = inputs | {var.name: _var_root(var) for var in plan.vars}
    results = registers(plan.workloads)
    both = {name: Root("register", name) for name in given.keys() & results.keys()}
    names = given | results | both  # of a name that is there twice nothing is known
    workloads = {one.name: None for one in plan.workloads}
    resolver = _Resolver(names, workloads, _elsewhere(plan), diagnostics)
    return _bind_records(*_bind_once(plan, resolver))


def _elsewhere(plan: Plan) -> dict[str, str]:
    """Names of blocks, which nothing outside can read, and where they belong."""
    blocks = [(f"`on_failure` of '{one.name}'", one.on_failure) for one in plan.workloads]
    return {
        name: place
        for place, block in (*blocks, ("`finally`", plan.cleanup))
        for workload in block
        for name in (workload.name, workload.register)
        if name
    }


def _bind_once(plan: Plan, resolver: "_Resolver") -> "tuple[Plan, _Resolver]":
    """Bind what is evaluated once a call; the resolver then knows the type of every register.

    A module that gives back its parameters has a result of their types, so such workloads come
    first, each after those whose registers it reads.
    """
    echoes = {
        workload.register: workload
        for workload in plan.workloads
        if workload.register and workload.module and workload.module.returns_values
    }
    bound: dict[Span, Workload] = {}
    names = dict(resolver.names)
    resolver = replace(resolver, names=names)
    for name in reading_order({name: _named(one, echoes) for name, one in echoes.items()}):
        with working_on(echoes[name].span):
            done = resolver.once(echoes[name])
        bound[done.span] = done
        names.update(registers([done]))

    def once(workload: Workload, block: "_Resolver") -> Workload:
        return bound.get(workload.span) or block.once(workload)

    return resolver.blocks(plan, once), resolver


def _named(workload: Workload, names: Container[str]) -> list[str]:
    """The names among these with which a field chain of the workload's templates begins."""
    heads = (
        str(part.names[0])
        for template in workload_templates(workload)
        for part in expressions(template.template)
        if isinstance(part, Field)
    )
    return [head for head in heads if head in names]


def _bind_records(plan: Plan, resolver: "_Resolver") -> Plan:
    """Bind the per-record templates, in the order of the streams: their types come from there."""
    bound: dict[Span, Workload] = {}
    for block, inside in resolver.each_block(plan):
        downstream = _Downstream(block)
        outputs: dict[str, Shape] = {}
        for workload in stream_order(block):
            inputs = input_shapes(workload, outputs)
            done = workload
            if next(_per_record(workload), None) is not None:
                hidden = downstream.hidden(workload)
                with working_on(workload.span):
                    done = inside.for_each(workload, hidden, inputs)
            bound[workload.span] = done
            outputs[workload.name] = output_shape(done, inputs)

    def for_each(workload: Workload, block: "_Resolver") -> Workload:
        done = bound.get(workload.span)
        return done or block.for_each(workload, frozenset(), {})

    return resolver.blocks(plan, for_each)


# Vars ------------------------------------------------------------------------------------------


def _resolve_vars(
    vars_: tuple[VarDef, ...], inputs: dict[str, Root], diagnostics: Diagnostics
) -> tuple[VarDef, ...]:
    """Bind the vars' templates, those of the vars that others read first: types come from there."""
    by_name = {var.name: var for var in vars_}

    def report(circle: list[str]) -> None:
        message = f"vars read each other: {' -> '.join(circle)}"
        diagnostics.error(VAR_CYCLE, by_name[circle[0]].span, message)

    names = dict(inputs) | {var.name: Root("var", var.name) for var in vars_}
    resolved: dict[str, VarDef] = {}
    for name in reading_order(_var_reads(vars_), report):
        bind = _binder(Scope(names), diagnostics)
        resolved[name] = replace(by_name[name], value=rebuild(by_name[name].value, bind))
        names[name] = _var_root(resolved[name])
    return tuple(resolved[var.name] for var in vars_)


def _var_reads(vars_: tuple[VarDef, ...]) -> dict[str, list[str]]:
    """Each var's name to those of the vars that its templates read."""
    silent = Diagnostics()
    scope = Scope({var.name: Root("var", var.name) for var in vars_})
    reads: dict[str, list[str]] = {}
    for var in vars_:
        trees = [resolve(one.template, scope, silent) for one in computed(var.value)]
        reads[var.name] = sorted(name for tree in trees for name in references(tree).vars)
    return reads


def _var_root(var: VarDef) -> Root:
    return Root("var", var.name, var_type(var.value))


# Registers -------------------------------------------------------------------------------------


def registers(workloads: Iterable[Workload]) -> dict[str, Root]:
    """The names under which these workloads register their results."""
    return {
        workload.register: Root("register", workload.register, register_type(workload))
        for workload in workloads
        if workload.register
    }


class _Downstream:
    """Which registers a per-record template cannot mean: its own workload's and later ones."""

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self._owners = {one.register: one.name for one in workloads if one.register}
        self._before = Before(_reads(workloads))

    def hidden(self, workload: Workload) -> frozenset[str]:
        """Those that the workload's per-record templates name; the others make no difference."""
        named = [name for name in _first_names(workload) if name in self._owners]
        return frozenset(name for name in named if self._is_later(self._owners[name], workload))

    def _is_later(self, owner: str, workload: Workload) -> bool:
        return owner == workload.name or bool(self._before.among([owner], [workload.name]))


def _first_names(workload: Workload) -> set[str]:
    """What the chains and literal keys in a workload's per-record templates begin with."""
    names: set[str] = set()
    for template in _per_record(workload):
        for expression in expressions(template.template):
            match expression:
                case Field(names=(first, *_)) | Literal(str(first)):
                    names.add(str(first))
    return names


def _reads(workloads: Sequence[Workload]) -> dict[str, list[str]]:
    """Workload name to the names of those that it reads, in the state or as a stream, or needs."""
    by_register = {one.register: one.name for one in workloads if one.register}
    reads: dict[str, list[str]] = {}
    for workload in workloads:
        sources = {name.text.partition(".")[0]: None for name in workload.decl.reads}
        sources.update((name.text, None) for name in workload.decl.needs)
        for template in workload_templates(workload):
            registers = sorted(template.references.registers)
            sources.update((by_register.get(name, ""), None) for name in registers)
        reads[workload.name] = list(sources)
    return reads


def _per_record(workload: Workload) -> Iterator[Computed]:
    pending: list[Value] = [argument.value for argument in workload.arguments]
    while pending:
        value = pending.pop()
        match value:
            case ForEach():
                yield from computed(value)
            case Items(values):
                pending.extend(values)
            case Fields(entries):
                pending.extend(item for _, item in entries)
    for step in workload.steps:
        yield from workload_templates(step)


# Workloads -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Resolver:
    """Binds the templates of workloads. `names` and `workloads` are what can be read.

    `elsewhere` are names of blocks, which only the block itself can read; `system` is what `_gxo`
    holds besides, in `on_failure` and in `finally`.
    """

    names: MutableMapping[str, Root]
    workloads: MutableMapping[str, None]
    elsewhere: Mapping[str, str]
    diagnostics: Diagnostics
    system: frozenset[str] = frozenset()

    def each_block(self, plan: Plan) -> "Iterator[tuple[tuple[Workload, ...], _Resolver]]":
        """The workloads that can see each other, and the resolver of where they stand."""
        yield plan.workloads, self
        for workload in plan.workloads:
            if workload.on_failure:
                yield workload.on_failure, self._inside(workload.on_failure, FAILURE)
        yield plan.cleanup, self._inside(plan.cleanup, FAILURE | {"status"})

    def blocks(self, plan: Plan, change: "Callable[[Workload, _Resolver], Workload]") -> Plan:
        """The plan with every workload changed, given the resolver of the block it stands in."""

        def at(workload: Workload, block: _Resolver) -> Workload:
            with working_on(workload.span):
                return change(workload, block)

        def deep(workload: Workload) -> Workload:
            if not workload.on_failure:
                return at(workload, self)
            on_failure = self._inside(workload.on_failure, FAILURE)
            inside = tuple(at(child, on_failure) for child in workload.on_failure)
            return replace(at(workload, self), on_failure=inside)

        cleanup = self._inside(plan.cleanup, FAILURE | {"status"})

        return replace(
            plan,
            workloads=tuple(deep(workload) for workload in plan.workloads),
            cleanup=tuple(at(workload, cleanup) for workload in plan.cleanup),
        )

    def _inside(self, block: tuple[Workload, ...], system: frozenset[str]) -> "_Resolver":
        """The resolver of a block: its workloads see each other too."""
        return replace(
            self,
            names=ChainMap(registers(block), self.names),
            workloads=ChainMap({one.name: None for one in block}, self.workloads),
            system=system,
        )

    def once(self, workload: Workload) -> Workload:
        """Bind what is evaluated once a call; `when` and `loop` do not see the loop's variables."""
        bind = self._bind(self.names)
        when = workload.when and rebuild(workload.when, bind)
        assert when is None or isinstance(when, Constant | Computed)
        loop = workload.loop
        if loop:
            loop = replace(loop, items=rebuild(loop.items, bind))
        workload = replace(workload, when=when, loop=loop)
        inner = self._bind(_with_loop(self.names, loop))
        return with_arguments(workload, lambda one: _except_each(one.value, inner))

    def for_each(self, workload: Workload, hidden: frozenset[str], inputs: Inputs) -> Workload:
        """Bind the per-record templates, which do not see the `hidden` registers."""
        names = self.names
        if hidden:
            names = {name: root for name, root in names.items() if name not in hidden}
        shown = _with_loop(names, workload.loop)

        def bind(one: ForEach) -> Bind:
            if one.dot is not None:
                return self._bind(shown, dot=dot_type(workload, one))
            has_records = inputs or not _can_read_none(workload)
            return self._bind(shown, records_of(inputs, one.stream) if has_records else None)

        workload = with_arguments(workload, lambda one: _only_each(one.value, bind))
        if not workload.steps:
            return workload
        outer = _with_loop(self.names, workload.loop)
        return self._steps(workload, outer, shown, records_of(inputs))

    def _steps(self, pipeline: Workload, outer: Names, shown: Names, events: Shape) -> Workload:
        """Bind the templates of the steps, each after those that it needs: its types come from
        there. `shown` are the outer names that what is evaluated for each event sees.
        """
        graph = Graph(pipeline)
        shapes = StepShapes(graph, events)
        names = PipelineNames(graph, shapes)
        bound: list[Workload] = []
        for step in graph.in_order():
            with working_on(step.span):
                bound.append(self._step(step, names, outer, shown))
                shapes.learn(bound[-1])
        return replace(pipeline, steps=tuple(bound))

    def _step(self, step: Workload, names: PipelineNames, outer: Names, shown: Names) -> Workload:
        bind = self._bind(shown, step=names.of_when(step))
        when = step.when and rebuild(step.when, bind)
        assert when is None or isinstance(when, Constant | Computed)
        step = replace(step, when=when)

        def bind_of(one: ForEach) -> Bind:
            return self._bind(
                shown, step=names.of_record(step, one.stream), dot=dot_type(step, one)
            )

        if kind(step) == "call":
            bind = self._bind(shown, step=names.of_record(step))
            step = with_arguments(step, lambda one: _except_each(one.value, bind))
            return with_arguments(step, lambda one: _only_each(one.value, bind_of))
        once = self._bind(outer, step=names.once(step))
        step = with_arguments(step, lambda one: _except_each(one.value, once))
        return with_arguments(step, lambda one: _only_each(one.value, bind_of))

    def _bind(
        self,
        names: Names,
        record: Shape | None = None,
        step: StepNames | None = None,
        dot: Type | None = None,
    ) -> Bind:
        scope = Scope(
            names,
            record=record,
            dot=dot,
            workloads=self.workloads,
            elsewhere=self.elsewhere,
            system=self.system,
            step=step,
        )
        return _binder(scope, self.diagnostics)


def _can_read_none(workload: Workload) -> bool:
    """Whether its module also works without records: its templates are then evaluated once."""
    return workload.module is not None and "records" in workload.module.optional_ports


def _except_each(value: Value, bind: Bind) -> Value:
    return _descend(value, lambda leaf: leaf if isinstance(leaf, ForEach) else rebuild(leaf, bind))


def _only_each(value: Value, bind: Callable[[ForEach], Bind]) -> Value:
    """bind: of the records of a stream, of all that are read, or of a value of the module's."""

    def change(leaf: Value) -> Value:
        return rebuild(leaf, bind(leaf)) if isinstance(leaf, ForEach) else leaf

    return _descend(value, change)


def _descend(value: Value, change: Callable[[Value], Value]) -> Value:
    """Apply `change` to the parts of the value that are neither lists nor maps."""
    match value:
        case Items(values):
            return replace(value, values=tuple(_descend(item, change) for item in values))
        case Fields(entries):
            pairs = tuple((name, _descend(item, change)) for name, item in entries)
            return replace(value, entries=pairs)
    return change(value)


def _binder(scope: Scope, diagnostics: Diagnostics) -> Bind:
    def bind(value: Computed) -> Computed:
        template = resolve(value.template, scope, diagnostics)
        check(template, diagnostics, text=value.want == "text")
        return replace(value, template=template, references=references(template))

    return bind


def _with_loop(names: MutableMapping[str, Root], loop: Loop | None) -> Names:
    """The names, and the loop's variables before them; many names are not copied."""
    if loop is None:
        return names
    item = item_type(loop.items)
    roots = {loop.variable: Root("loop", loop.variable, item, local_name(loop.variable))}
    if loop.index:
        roots[loop.index] = Root("loop", loop.index, INT, local_name(loop.index))
    return ChainMap(roots, names)
