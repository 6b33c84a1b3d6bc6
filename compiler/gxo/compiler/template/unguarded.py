"""Find where a template uses a result that may not be there.

    {{ .build.stdout }}                               build can be skipped: an unguarded use
    {{ .build.stdout | default "nothing" }}           asked for: nil when it is missing
    {{ if .build }}{{ .build.stdout }}{{ end }}       reached only when it is there

Language, section 3, "Missing values", says what asks; the rest is the flow of control.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gxo.compiler.frozen import replace
from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.functions import asks
from gxo.compiler.template.knowledge import COMPLETED, NOTHING, Ends, Knowledge, Outcomes, assume


@dataclass(frozen=True, slots=True)
class Use:
    """An unguarded use of a workload's result, and how the workload can have ended there."""

    workload: str
    expression: ast.Root | ast.Field
    ends: Ends


def unguarded(
    template: ast.Template | ast.Expr, known: Knowledge, outcomes: Outcomes
) -> Iterator[Use]:
    """The first unguarded use of each workload's result, in the order of evaluation."""
    finder = _Finder(outcomes, _constants(template))
    if isinstance(template, ast.Template):
        uses = [*finder.body(template.nodes, known)]
        for define in template.defines:
            uses.extend(finder.body(define.body, known))
    else:
        uses = [*finder.asked(template, known)]  # written around: its operands are asked for
    seen: set[str] = set()
    for use in uses:
        if use.workload not in seen:
            seen.add(use.workload)
            yield use


def _constants(template: ast.Template | ast.Expr) -> Mapping[str, ast.Expr]:
    """The variables that are set once, to what names alone say, and what they stand for."""
    found: dict[str, list[ast.Expr | None]] = {}
    for node in walk.nodes(template) if isinstance(template, ast.Template) else ():
        match node:
            case ast.Assign(name, pipe, declare) | ast.With(pipe, _, _, str(name), declare):
                found.setdefault(name, []).append(pipe if declare else None)
            case ast.Range(index=index, element=element):
                for variable in (index, element):
                    found.setdefault(variable or "", []).append(None)
            case ast.If(branches):
                for branch in branches:
                    found.setdefault(branch.variable or "", []).append(
                        branch.condition if branch.declare else None
                    )
    return {
        name: pipes[0]
        for name, pipes in found.items()
        if name and len(pipes) == 1 and pipes[0] is not None and _is_constant(pipes[0])
    }


def _is_constant(pipe: ast.Expr) -> bool:
    """Whether the value is the same wherever it is asked for."""
    return not any(isinstance(part, ast.Dot | ast.Variable) for part in walk.expressions(pipe))


@dataclass(frozen=True, slots=True)
class _Finder:
    """`constants`: variables that stand for the same expression wherever they are read."""

    outcomes: Outcomes
    constants: Mapping[str, ast.Expr]

    def assume(self, condition: ast.Expr, truth: bool, known: Knowledge | None) -> Knowledge | None:
        return assume(self._meant(condition), truth, known, self.outcomes)

    def _meant(self, expression: ast.Expr) -> ast.Expr:
        """The expression with the constants put in, as deep as conditions are looked into."""
        match expression:
            case ast.Variable(name):
                return self.constants.get(name, expression)
            case ast.Not(operand):
                return replace(expression, operand=self._meant(operand))
            case ast.And(operands) | ast.Or(operands):
                return replace(expression, operands=tuple(map(self._meant, operands)))
            case ast.Binary(_, left, right):
                return replace(expression, left=self._meant(left), right=self._meant(right))
            case ast.Call(_, args):
                return replace(expression, args=tuple(map(self._meant, args)))
        return expression

    # Statements

    def body(self, nodes: tuple[ast.Node, ...], known: Knowledge | None) -> Iterator[Use]:
        for node in nodes:
            if known is None:
                return  # nothing gets here
            yield from self.statement(node, known)
            known = self._after(node, known)

    def statement(self, node: ast.Node, known: Knowledge) -> Iterator[Use]:
        match node:
            case ast.If(branches, otherwise):
                yield from self._if(branches, otherwise, known)
            case ast.With(pipe, body, otherwise):
                yield from self.asked(pipe, known)
                yield from self.body(body, self.assume(pipe, True, known))
                yield from self.body(otherwise, self.assume(pipe, False, known))
            case ast.Range(pipe, body, otherwise):
                yield from self.used(pipe, known)
                yield from self.body(body, known)
                yield from self.body(otherwise, known)
            case _:
                for pipe in walk.pipes(node):
                    yield from self.used(pipe, known)

    def _if(
        self,
        branches: tuple[ast.Branch, ...],
        otherwise: tuple[ast.Node, ...],
        known: Knowledge | None,
    ) -> Iterator[Use]:
        for branch in branches:
            if known is None:
                return
            yield from self.asked(branch.condition, known)
            yield from self.body(branch.body, self.assume(branch.condition, True, known))
            known = self.assume(branch.condition, False, known)
        yield from self.body(otherwise, known)

    def _after(self, node: ast.Node, known: Knowledge | None) -> Knowledge | None:
        """What is known behind a statement: `{{ if not .x }}{{ break }}{{ end }}` has asked."""
        match node:
            case ast.Break() | ast.Continue() | ast.Action(ast.Call("fail")):
                return None
            case ast.If((branch,), ()) if self._leaves(branch.body):
                return self.assume(branch.condition, False, known)
        return known

    def _leaves(self, body: tuple[ast.Node, ...]) -> bool:
        return any(self._after(node, NOTHING) is None for node in body)

    # Expressions

    def asked(self, expression: ast.Expr, known: Knowledge) -> Iterator[Use]:
        """A reference that is asked for may be missing; anything else is used."""
        if not isinstance(expression, ast.Root | ast.Field):
            yield from self.used(expression, known)
        elif isinstance(expression, ast.Field) and not isinstance(expression.base, ast.Root):
            yield from self.used(expression.base, known)

    def used(self, expression: ast.Expr, known: Knowledge) -> Iterator[Use]:
        match expression:
            case ast.Root() | ast.Field(ast.Root()):
                yield from self._reference(expression, known)
            case ast.Not(operand):
                yield from self.asked(operand, known)
            case ast.And(operands) | ast.Or(operands):
                go_on = isinstance(expression, ast.And)
                after: Knowledge | None = known
                for operand in operands:
                    if after is None:
                        return
                    yield from self.asked(operand, after)
                    after = self.assume(operand, go_on, after)
            case ast.Call(function) if functions.find(function) is None:
                return  # an error of its own: it may be `default`, misspelt
            case ast.Call(function, args):
                for position, argument in enumerate(args):
                    if asks(function, position):
                        yield from self.asked(argument, known)
                    else:
                        yield from self.used(argument, known)
            case _:
                for part in walk.parts(expression):
                    yield from self.used(part, known)

    def _reference(self, expression: ast.Root | ast.Field, known: Knowledge) -> Iterator[Use]:
        workload = self.outcomes.result_of(expression)
        if workload is not None:
            ends = self.outcomes.ends(workload, known)
            if ends - COMPLETED:
                yield Use(workload, expression, ends)
