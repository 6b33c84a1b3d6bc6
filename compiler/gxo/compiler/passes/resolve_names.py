"""Bind every name in every template, and note what each template reads.

    before:  Computed({{ .users.body }})                        a name
    after:   Computed({{ register users . body }}), references.registers = {users}

Innermost first (language, section 3): the loop's variables; in per-record templates the record's
fields; registers, inputs and vars; `_gxo`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from gxo.compiler.diagnostics import Diagnostics, Span, working_on
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
from gxo.compiler.ir.record_shapes import input_shapes, merged, output_shape, stream_order
from gxo.compiler.ir.value_types import item_type, register_type, var_type
from gxo.compiler.ir.walk import (
    computed,
    every_workload,
    rebuild,
    with_arguments,
    workload_templates,
)
from gxo.compiler.template.ast import Root
from gxo.compiler.template.check import check
from gxo.compiler.template.resolve import Scope, references, resolve
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    TEXT,
    UNKNOWN_RECORD,
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
    inputs = {decl.name: Root("input", decl.name, INPUT_TYPES[decl.type]) for decl in plan.inputs}
    plan = replace(plan, vars=_resolve_vars(plan.vars, inputs, diagnostics))
    names = inputs | {var.name: _var_root(var) for var in plan.vars} | _registers(plan)
    resolver = _Resolver(names, frozenset(one.name for one in every_workload(plan)), diagnostics)
    plan = resolver.blocks(plan, lambda workload, block: block.once(workload))
    return _bind_records(plan, resolver)


def _bind_records(plan: Plan, resolver: "_Resolver") -> Plan:
    """Bind the per-record templates, in the order of the streams: their types come from there."""
    downstream = _Downstream(plan)
    outputs: dict[str, Shape] = {}
    bound: dict[Span, Workload] = {}
    for workload in stream_order(plan):
        inputs = input_shapes(workload, outputs)
        with working_on(workload.span):
            hidden = downstream.registers(workload)
            done = resolver.for_each(workload, hidden, merged(list(inputs.values())))
        bound[workload.span] = done
        outputs[workload.name] = output_shape(done, inputs)

    def for_each(workload: Workload, block: "_Resolver") -> Workload:
        done = bound.get(workload.span)
        return done or block.for_each(workload, frozenset(), UNKNOWN_RECORD)

    return resolver.blocks(plan, for_each)


# Vars ------------------------------------------------------------------------------------------


def _resolve_vars(
    vars_: tuple[VarDef, ...], inputs: dict[str, Root], diagnostics: Diagnostics
) -> tuple[VarDef, ...]:
    """Bind the vars' templates, those of the vars that others read first: types come from there."""
    order = _reading_order(vars_, diagnostics)
    names = dict(inputs) | {var.name: Root("var", var.name) for var in vars_}
    resolved: dict[str, VarDef] = {}
    for var in order:
        bind = _binder(Scope(names), diagnostics)
        resolved[var.name] = replace(var, value=rebuild(var.value, bind))
        names[var.name] = _var_root(resolved[var.name])
    return tuple(resolved[var.name] for var in vars_)


def _reading_order(vars_: tuple[VarDef, ...], diagnostics: Diagnostics) -> list[VarDef]:
    """The vars, each after those it reads; a cycle is reported."""
    by_name = {var.name: var for var in vars_}
    silent = Diagnostics()
    scope = Scope({name: Root("var", name) for name in by_name})
    reads = {
        var.name: sorted(
            name
            for one in computed(var.value)
            for name in references(resolve(one.template, scope, silent)).vars
        )
        for var in vars_
    }
    order: list[VarDef] = []
    done: set[str] = set()
    for root in by_name:
        path = [root]
        while path:
            name = path[-1]
            missing = [other for other in reads[name] if other not in done]
            knot = next((other for other in missing if other in path), None)
            if knot is not None:
                circle = [*path[path.index(knot) :], knot]
                message = f"vars read each other: {' -> '.join(circle)}"
                diagnostics.error(VAR_CYCLE, by_name[knot].span, message)
                return list(vars_)
            if missing:
                path.append(missing[0])
                continue
            path.pop()
            if name not in done:
                done.add(name)
                order.append(by_name[name])
    return order


def _var_root(var: VarDef) -> Root:
    return Root("var", var.name, var_type(var.value))


# Registers -------------------------------------------------------------------------------------


def _registers(plan: Plan) -> dict[str, Root]:
    return {
        workload.register: Root("register", workload.register, register_type(workload))
        for workload in every_workload(plan)
        if workload.register
    }


@dataclass(slots=True)
class _Downstream:
    """Which registers a per-record template cannot mean: its own workload's and later ones."""

    plan: Plan

    def registers(self, workload: Workload) -> frozenset[str]:
        if not any(isinstance(node, ForEach) for node in _nodes(workload)):
            return frozenset()
        readers = self._readers()
        reached = {workload.name}
        pending = [workload.name]
        while pending:
            for name in readers.get(pending.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    pending.append(name)
        return frozenset(
            one.register for one in self.plan.workloads if one.register and one.name in reached
        )

    def _readers(self) -> dict[str, list[str]]:
        by_register = {one.register: one.name for one in self.plan.workloads if one.register}
        readers: dict[str, list[str]] = {}
        for workload in self.plan.workloads:
            sources = {name.text.partition(".")[0] for name in workload.decl.stream_inputs}
            sources.update(name.text for name in workload.decl.needs)
            for template in workload_templates(workload):
                sources.update(by_register.get(name, "") for name in template.references.registers)
            for source in sources:
                readers.setdefault(source, []).append(workload.name)
        return readers


def _nodes(workload: Workload) -> Iterable[Value]:
    pending: list[Value] = [argument.value for argument in workload.arguments]
    while pending:
        value = pending.pop()
        yield value
        match value:
            case Items(values):
                pending.extend(values)
            case Fields(entries):
                pending.extend(item for _, item in entries)


# Workloads -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Resolver:
    """Binds the templates of workloads. `names` is what every workload sees.

    `system` is what `_gxo` holds besides, in `on_failure` and in `finally`.
    """

    names: Names
    workloads: frozenset[str]
    diagnostics: Diagnostics
    system: frozenset[str] = frozenset()

    def blocks(self, plan: Plan, change: "Callable[[Workload, _Resolver], Workload]") -> Plan:
        """The plan with every workload changed, given the resolver of the block it stands in."""

        def at(workload: Workload, block: _Resolver) -> Workload:
            with working_on(workload.span):
                return change(workload, block)

        on_failure = replace(self, system=FAILURE)
        cleanup = replace(self, system=FAILURE | {"status"})

        def deep(workload: Workload) -> Workload:
            inside = tuple(at(child, on_failure) for child in workload.on_failure)
            return replace(at(workload, self), on_failure=inside)

        return replace(
            plan,
            workloads=tuple(deep(workload) for workload in plan.workloads),
            cleanup=tuple(at(workload, cleanup) for workload in plan.cleanup),
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
        inner = self._bind({**self.names, **_loop_roots(loop)})
        return with_arguments(workload, lambda one: _except_each(one.value, inner))

    def for_each(self, workload: Workload, hidden: frozenset[str], record: Shape) -> Workload:
        """Bind the per-record templates, which do not see the `hidden` registers."""
        names = {name: root for name, root in self.names.items() if name not in hidden}
        bind = self._bind({**names, **_loop_roots(workload.loop)}, record)
        return with_arguments(workload, lambda one: _only_each(one.value, bind))

    def _bind(self, names: Names, record: Shape | None = None) -> Bind:
        scope = Scope(names, record=record, workloads=self.workloads, system=self.system)
        return _binder(scope, self.diagnostics)


def _except_each(value: Value, bind: Bind) -> Value:
    return _descend(value, lambda leaf: leaf if isinstance(leaf, ForEach) else rebuild(leaf, bind))


def _only_each(value: Value, bind: Bind) -> Value:
    return _descend(value, lambda leaf: rebuild(leaf, bind) if isinstance(leaf, ForEach) else leaf)


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


def _loop_roots(loop: Loop | None) -> dict[str, Root]:
    if loop is None:
        return {}
    item = item_type(loop.items)
    roots = {loop.variable: Root("loop", loop.variable, item, local_name(loop.variable))}
    if loop.index:
        roots[loop.index] = Root("loop", loop.index, INT, local_name(loop.index))
    return roots
