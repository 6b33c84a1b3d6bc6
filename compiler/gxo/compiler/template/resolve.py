"""Bind the names of a template: `.users.body` becomes the field `body` of the register `users`.

    before:  Field(Dot, ("users", "body"))
    after:   Field(Root("register", "users", Shape(...)), ("body",))

Innermost first (language, section 3): the loop's variables; the fields of the value that a module
evaluates the template with; in a per-record template the record's; registers, inputs and vars;
`_gxo`.
Inside `with`, `range` and `define` the dot is a value of the template's own and stays as it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.frozen import replace
from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.infer import kinds
from gxo.compiler.template.step_names import RecordNames, Refusal, StepNames
from gxo.compiler.template.typed import mutates
from gxo.compiler.types import (
    ANY,
    INT,
    TEXT,
    UNKNOWN_RECORD,
    MapOf,
    Shape,
    Type,
    one_of,
    simplified,
)

T = TypeVar("T", bound="ast.Template | ast.Expr")

SYSTEM = frozenset(("playbook.name", "playbook.run_id", "workspace.path"))
"""What `_gxo` holds everywhere, besides `workloads`."""
ONLY_INSIDE = "only the workloads of that block can read it"
RENAME = "give one of the two another name"
_SYSTEM_TYPES: Mapping[str, Type] = {"failure.attempts": INT, "failure.error": ANY}
_RESULT_TYPES: Mapping[str, Type] = {"status": TEXT, "error": ANY, "summary": ANY}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template can name.

    names: the inputs, vars, registers and loop variables that are visible.
    record: the shape of the records when the template is evaluated for each of them; their fields
    come before outer names.
    dot: the type of the value that a module evaluates the template with, if it does; `dot_name` is
    the name that generated code gives it (for a per-record template it is `record`). workloads:
    whose status, error and summary can be read. elsewhere: names of workloads and registers that
    only their own block can read, and which that is. system: names of `_gxo` besides `SYSTEM`
    (`failure.workload`, `status`...). step: what is visible besides in a step of a pipeline.
    """

    names: Mapping[str, ast.Root]
    record: Shape | None = None
    dot: Type | None = None
    dot_name: str = "value"
    workloads: Collection[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    system: frozenset[str] = frozenset()
    step: StepNames | None = None


@dataclass(frozen=True, slots=True)
class References:
    """What a template reads. `statuses`: workloads whose status or error it asks for; `impure`: two
    evaluations may differ (the clock, the environment, secrets, random numbers); `needs`: the
    distributions of its functions."""

    registers: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    summaries: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    vars: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    records: bool = False
    impure: bool = False


def resolve(template: T, scope: Scope, diags: Diagnostics) -> T:
    """Bind every name that the scope defines; report those that nothing defines."""
    if not isinstance(template, ast.Template):
        return cast(T, _Resolver(scope, diags).expression(template, True))
    changes = mutates(template)
    scope = _changed(scope) if changes else scope
    nodes = _Resolver(scope, diags, changes).body(template.nodes, True)
    if not template.defines:
        return cast(T, replace(template, nodes=nodes))
    inner = _Resolver(scope, diags, changes, own_dollar=True)
    defines = [replace(define, body=inner.body(define.body, False)) for define in template.defines]
    return cast(T, replace(template, nodes=nodes, defines=tuple(defines)))


def _changed(scope: Scope) -> Scope:
    """The scope of a template that may put other fields into its records, and into its dot."""
    dot, step = scope.dot, scope.step
    if step is not None:
        records = tuple(RecordNames(one.python, UNKNOWN_RECORD) for one in step.records)
        step = replace(step, records=records)
    return replace(
        scope,
        record=None if scope.record is None else UNKNOWN_RECORD,
        dot=replace(dot, open=True) if isinstance(dot, Shape) else dot,
        step=step,
    )


def references(template: ast.Template | ast.Expr) -> References:
    """What a resolved template reads."""
    found: dict[str, set[str]] = {}
    records = impure = False
    for expression in walk.expressions(template):
        if isinstance(expression, ast.Root):
            records = records or expression.kind in ("record", "field", "step")
            _add_root(expression, found)
        elif isinstance(expression, ast.Call):
            signature = functions.find(expression.function)
            if signature is not None:
                impure = impure or not signature.pure
                found.setdefault("needs", set()).update(signature.needs)
            _add_outside(expression, found)
    names = {key: frozenset(value) for key, value in found.items()}
    return References(**names, records=records, impure=impure)


def _add_root(root: ast.Root, found: dict[str, set[str]]) -> None:
    kinds = {"register": "registers", "input": "inputs", "var": "vars"}
    if root.kind in kinds:
        found.setdefault(kinds[root.kind], set()).add(root.name)
    elif root.kind == "workload":
        key = "summaries" if root.attribute == "summary" else "statuses"
        found.setdefault(key, set()).add(root.name)
    elif root.outer is not None:
        _add_root(root.outer, found)


def _add_outside(call: ast.Call, found: dict[str, set[str]]) -> None:
    key = {"secret": "secrets", "env": "env"}.get(call.function)
    if key and call.args and isinstance(call.args[0], ast.Literal):
        found.setdefault(key, set()).add(str(call.args[0].value))


@dataclass(slots=True)
class _Resolver:
    """Binds the parts of one template.

    The methods' `root` says whether the dot is still the one that the template started with;
    `own_dollar`, whether `$` is not (in a definition, or after `{{ $ := ... }}`); `changes`,
    whether the template changes maps, so that nothing is known of what is in them.
    """

    scope: Scope
    diags: Diagnostics
    changes: bool = False
    own_dollar: bool = False

    def body(self, nodes: tuple[ast.Node, ...], root: bool) -> tuple[ast.Node, ...]:
        own_dollar = self.own_dollar
        resolved: list[ast.Node] = []
        for node in nodes:
            resolved.append(self.node(node, root))
            if isinstance(node, ast.Assign) and node.declare and not node.variable:
                self.own_dollar = True
        self.own_dollar = own_dollar
        return tuple(resolved)

    def node(self, node: ast.Node, root: bool) -> ast.Node:
        match node:
            case ast.Action(pipe) | ast.Assign(pipe=pipe):
                return replace(node, pipe=self.expression(pipe, root))
            case ast.If(branches, otherwise):
                parts = []
                for branch in branches:
                    condition = self.expression(branch.condition, root)
                    body = self.body(branch.body, root)
                    parts.append(replace(branch, condition=condition, body=body))
                return replace(node, branches=tuple(parts), otherwise=self.body(otherwise, root))
            case ast.With() | ast.Range():
                return replace(
                    node,
                    pipe=self.expression(node.pipe, root),
                    body=self.body(node.body, False),
                    otherwise=self.body(node.otherwise, root),
                )
            case ast.Include(_, argument) if argument is not None:
                return replace(node, argument=self.expression(argument, root))
            case _:
                return node

    def expression(self, expression: ast.Expr, root: bool) -> ast.Expr:
        if self._is_root(expression, root):
            return self._unless_changed(self._whole(expression))
        match expression:
            case ast.Field(base, names, span):
                if self._is_root(base, root):
                    return self._chain(names, span)
                return replace(expression, base=self.expression(base, root))
            case ast.Call("index", args) if self._is_keyed(args, root):
                return self._indexed(expression, root)
            case ast.Call(args=args):
                return replace(expression, args=self._all(args, root))
            case ast.Method(base, name, args):
                if self._is_root(base, root):
                    message = f"`.{name}` is a value: it takes no arguments"
                    self.diags.error("GXO0407", expression.span, message)
                    return self._chain((name,), expression.span)
                base = self.expression(base, root)
                return replace(expression, base=base, args=self._all(args, root))
            case ast.Binary(_, left, right):
                left = self.expression(left, root)
                return replace(expression, left=left, right=self.expression(right, root))
            case ast.Not(operand):
                return replace(expression, operand=self.expression(operand, root))
            case ast.And(operands) | ast.Or(operands):
                return replace(expression, operands=self._all(operands, root))
            case _:
                return expression

    def _all(self, parts: tuple[ast.Expr, ...], root: bool) -> tuple[ast.Expr, ...]:
        resolved = []
        for part in parts:
            resolved.append(self.expression(part, root))  # noqa: PERF401 - one frame less a level
        return tuple(resolved)

    # Names

    def _is_root(self, expression: ast.Expr, root: bool) -> bool:
        """Whether this is the value that the whole template started with."""
        if isinstance(expression, ast.Variable):
            return not expression.name and not self.own_dollar
        return isinstance(expression, ast.Dot) and root

    def _whole(self, expression: ast.Expr) -> ast.Expr:
        """The dot or `$` itself, as a value."""
        scope, span = self.scope, expression.span
        assert span is not None
        if scope.dot is not None:
            return ast.Root("dot", "", scope.dot, scope.dot_name, span=span)
        if scope.record is not None:
            return ast.Root("record", "", scope.record, "record", span=span)
        if scope.step is not None and scope.step.records:
            return ast.Root("record", "", scope.step.records[0].shape, "record", span=span)
        message = "the dot as a whole is no value here: it stands for all names together"
        self.diags.error("GXO0303", span, message, "name what you mean, as in {{ .name }}")
        return expression

    def _is_keyed(self, args: tuple[ast.Expr, ...], root: bool) -> bool:
        """Whether this is `index . "name"` where the dot stands for the playbook's names."""
        if self.scope.record is not None or self.scope.dot is not None or len(args) < 2:
            return False
        if self.scope.step is not None and self.scope.step.records:
            return False
        return self._is_root(args[0], root) and _text(args[1]) is not None

    def _indexed(self, call: ast.Call, root: bool) -> ast.Expr:
        """`index . "content-type" 0`: the literal key is a name like any other."""
        names = [_text(call.args[1]) or ""]
        if names[0] == "_gxo":
            for key in call.args[2:]:
                if (name := _text(key)) is None:
                    break
                names.append(name)
        found = self._chain(tuple(names), call.span)
        rest = self._all(call.args[1 + len(names) :], root)
        return replace(call, args=(found, *rest)) if rest else found

    def _chain(self, names: tuple[str | int, ...], span: Span) -> ast.Expr:
        """`.a.b` from the root: its first name, or the names of `_gxo`, are bound."""
        if self.scope.dot == ANY:
            whole = ast.Root("dot", "", ANY, self.scope.dot_name, span=span)
            return ast.Field(whole, names, span)
        if names[0] == "_gxo":
            return self._system(names, span)
        root = self._name(str(names[0]), span)
        if root is None:
            return ast.Field(ast.Dot(span), names, span)
        rest = names if root.kind == "dot" else names[1:]
        bound = self._unless_changed(root)
        return ast.Field(bound, rest, span) if rest else bound

    def _unless_changed(self, expression: ast.Expr) -> ast.Expr:
        """Without what is known of a map, or of one in a list, that `set` may have changed."""
        if not self.changes or not isinstance(expression, ast.Root):
            return expression
        maps = kinds(simplified(expression.type)) & {"list", "map"}
        return replace(expression, type=ANY) if maps else expression

    def _name(self, name: str, span: Span) -> ast.Root | None:
        scope = self.scope
        outer = scope.names.get(name)
        if outer is not None:
            outer = replace(outer, span=span)
            if outer.kind == "loop":
                return outer
        if isinstance(scope.dot, Shape) and scope.dot.field(name) is not None:
            return ast.Root("dot", "", scope.dot, scope.dot_name, span=span)
        if scope.step is not None:
            return self._step_name(scope.step, name, outer, span)
        if scope.record is not None:
            return self._record_field((RecordNames("record", scope.record),), name, outer, span)
        if isinstance(scope.dot, MapOf):
            return ast.Root("field", name, scope.dot.value, scope.dot_name, outer=outer, span=span)
        if outer is None and isinstance(scope.dot, Shape):
            self._report_not_given(scope.dot, name, span)
        elif outer is None:
            self._report_unknown(name, span)
        return outer

    def _step_name(
        self, step: StepNames, name: str, outer: ast.Root | None, span: Span
    ) -> ast.Root | None:
        if name not in step.ids:
            return self._record_field(step.records, name, outer, span)
        found = step.find(name)
        if isinstance(found, Refusal):
            self.diags.error(found.code, span, found.message, found.hint)
            return None
        if step.certain(name):
            message = f"`.{name}` is the result of a step and also a field of these records"
            self.diags.warning("GXO0320", span, f"{message}; the step comes first", RENAME)
        return replace(found, span=span)

    def _record_field(
        self, records: tuple[RecordNames, ...], name: str, outer: ast.Root | None, span: Span
    ) -> ast.Root | None:
        """The field of the first record that can have it, with what stands behind; else the outer
        name."""
        found = outer
        for record in reversed(records):
            declared = record.shape.field(name)
            if declared is None:
                continue
            if outer is not None and name in record.shape.names():
                self._warn_ambiguous(outer, name, span)
            behind = None if record.shape.requires(name) else found
            types = [declared] if behind is None else [declared, behind.type]
            type_ = one_of(map(simplified, types))
            found = ast.Root("field", name, type_, record.python, outer=behind, span=span)
        if found is None:
            self._report_no_field(records, name, span)
        return found

    def _report_no_field(self, records: tuple[RecordNames, ...], name: str, span: Span) -> None:
        step = self.scope.step
        if not records:
            self._report_unknown(name, span)
            return
        known = list(dict.fromkeys(one for record in records for one in record.shape.names()))
        results = step.seen() if step else []
        near = did_you_mean(name, [*known, *results, *self.scope.names])
        has = f"they have: {', '.join(known[:10])}" if known else "they have no fields"
        why = step.why_not if step else None
        message = f"`.{name}` is no field of these records, and no outer name"
        self.diags.error("GXO0302", span, message, near or why or has)

    def _report_not_given(self, dot: Shape, name: str, span: Span) -> None:
        """Of a name in what a module evaluates with a value of its own."""
        near = did_you_mean(name, [*dot.names(), *self.scope.names])
        has = f"it has: {', '.join(dot.names())}" if dot.fields else None
        message = f"`.{name}` is no field of the {dot.name.lower()}, and no outer name"
        self.diags.error("GXO0302", span, message, near or has)

    def _warn_ambiguous(self, outer: ast.Root, name: str, span: Span) -> None:
        kinds = {"input": "an input", "var": "a var", "register": "a register"}
        message = (
            f"`.{name}` is a field of these records and also"
            f" {kinds.get(outer.kind, 'a name')}; the field comes first"
        )
        self.diags.warning("GXO0320", span, message, RENAME)

    def _report_unknown(self, name: str, span: Span) -> None:
        names: Collection[str] = self.scope.names
        near = did_you_mean(name, names)
        known = ", ".join(f"`.{one}`" for one in sorted(names)[:10]) if len(names) < 1000 else ""
        hint = near or (
            f"defined here: {known}" if known else None if names else "nothing is defined here"
        )
        if self.scope.step is not None:
            hint = near or self.scope.step.why_not or hint
        message = f"`.{name}` is not defined: no input, var, register or loop variable"
        if place := self.scope.elsewhere.get(name):
            message, hint = f"`.{name}` is registered in {place}", ONLY_INSIDE
        self.diags.error("GXO0301", span, message, hint, root=f"name {name}")

    # _gxo

    def _system(self, names: tuple[str | int, ...], span: Span) -> ast.Expr:
        words = [str(name) for name in names[1:]]
        if words[:1] in (["workloads"], ["tasks"]):
            return self._workload(words[1:], names[4:], span)
        known = SYSTEM | self.scope.system
        for count in (2, 1):
            path = ".".join(words[:count])
            if path in known and len(words) >= count:
                root = ast.Root("system", path, _SYSTEM_TYPES.get(path, TEXT), span=span)
                rest = names[1 + count :]
                return ast.Field(root, rest, span) if rest else root
        path = ".".join(words)
        options = sorted({*known, "workloads.<name>.status"})
        hint = did_you_mean(path, options) or f"there are: {', '.join(options)}"
        message = f"`_gxo` has no `{path}` here" if path else "`_gxo` alone is no value"
        self.diags.error("GXO0322", span, message, hint)
        return ast.Field(ast.Dot(span), names, span)

    def _workload(self, words: list[str], rest: tuple[str | int, ...], span: Span) -> ast.Expr:
        unresolved = ast.Field(ast.Dot(span), ("_gxo", "workloads", *words), span)
        if not words or words[0] not in self.scope.workloads:
            name = words[0] if words else ""
            message = f"there is no workload `{name}`" if name else "a workload's name is missing"
            hint = did_you_mean(name, self.scope.workloads)
            if place := self.scope.elsewhere.get(name):
                message, hint = f"`{name}` stands in {place}", ONLY_INSIDE
            self.diags.error("GXO0321", span, message, hint, root=f"workload {name}")
            return unresolved
        if len(words) < 2 or words[1] not in _RESULT_TYPES:
            message = f"`_gxo.workloads.{words[0]}` has `status`, `error` and `summary`"
            near = did_you_mean(words[1], _RESULT_TYPES) if len(words) > 1 else None
            self.diags.error("GXO0321", span, message, near)
            return unresolved
        type_ = _RESULT_TYPES[words[1]]
        root = ast.Root("workload", words[0], type_, attribute=words[1], span=span)
        return ast.Field(root, rest, span) if rest else root


def _text(expression: ast.Expr) -> str | None:
    if isinstance(expression, ast.Literal) and isinstance(expression.value, str):
        return expression.value
    return None
