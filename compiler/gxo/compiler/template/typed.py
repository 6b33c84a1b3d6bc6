"""Walk a template with what is known of its variables and its dot at each place.

    {{ range $i, $host := .hosts }}{{ $host.name }}{{ end }}

    Range   Env()
    Action  Env($i: int, $host: a map with name, port; dot: the same)
    Field   as its statement

What a literal condition switches off is not visited. A template that is included is visited with
its argument as dot, once for each type of argument; one that is never included, with any dot.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gxo.compiler.template import ast, functions, walk
from gxo.compiler.template.infer import (
    NOTHING_KNOWN,
    Env,
    Known,
    asked,
    element,
    infer,
    position,
    present,
    truth,
)
from gxo.compiler.types import NIL, Type

_MAX_INCLUDED = 100

Visit = tuple[ast.Node | ast.Expr, Env]


def visit(template: ast.Template | ast.Expr) -> Iterator[Visit]:
    """Every statement and expression that can be reached, outer ones first."""
    if not isinstance(template, ast.Template):
        yield from _expressions(template, NOTHING_KNOWN)
        return
    walker = _Walker({one.name: one for one in template.defines}, reassigned(template))
    yield from walker.body(template.nodes, NOTHING_KNOWN)
    included = {name for name, _ in walker.included}
    for define in template.defines:
        if define.name not in included:
            yield from walker.body(define.body, NOTHING_KNOWN)


def reassigned(template: ast.Template) -> frozenset[str]:
    """The variables that are set again after their declaration: their type is not followed."""
    return frozenset(name for node in walk.nodes(template) for name in _set_again(node))


def mutates(template: ast.Template | ast.Expr) -> bool:
    """Whether a function in it changes a map that it is given, as `set` does."""
    calls = {part.function for part in walk.expressions(template) if isinstance(part, ast.Call)}
    return any((found := functions.find(name)) and found.mutates for name in calls)


def _set_again(node: ast.Node) -> list[str]:
    match node:
        case ast.Assign(variable, _, False) | ast.With(variable=str(variable), declare=False):
            return [variable]
        case ast.Range(declare=False):
            return [name for name in (node.index, node.element) if name is not None]
        case ast.If(branches):
            return [one.variable for one in branches if one.variable and not one.declare]
        case _:
            return []


def _expressions(expression: ast.Expr, env: Env) -> Iterator[Visit]:
    pending = [expression]
    while pending:
        part = pending.pop()
        pending.extend(walk.parts(part))
        yield part, env


@dataclass(frozen=True, slots=True)
class _Walker:
    """`included`: the templates that were visited, with the types of their arguments."""

    defines: Mapping[str, ast.Define]
    reassigned: frozenset[str]
    included: set[tuple[str, Type]] = field(default_factory=set)

    def body(self, nodes: tuple[ast.Node, ...], env: Env) -> Iterator[Visit]:
        for node in nodes:
            yield node, env
            for pipe in walk.pipes(node):
                yield from _expressions(pipe, env)
            yield from self.inside(node, env)
            if isinstance(node, ast.Assign):
                env = self._set(env, node.variable, infer(node.pipe, env))

    def _set(self, env: Env, variable: str | None, known: Known) -> Env:
        return env.with_variable(variable, Known() if variable in self.reassigned else known)

    def inside(self, node: ast.Node, env: Env) -> Iterator[Visit]:
        match node:
            case ast.If(branches, otherwise):
                yield from self._if(branches, otherwise, env)
            case ast.With(pipe, body, otherwise, variable):
                known = asked(pipe, env)
                env = self._set(env, variable, known)
                if truth(pipe) is not False:
                    inside = env.where_present(variable).with_dot(present(known))
                    yield from self.body(body, inside)
                if truth(pipe) is not True:
                    yield from self.body(otherwise, env)
            case ast.Range(pipe, body, otherwise, index, variable):
                known = infer(pipe, env)
                inner = self._set(env.with_dot(element(known)), variable, element(known))
                yield from self.body(body, self._set(inner, index, position(known)))
                yield from self.body(otherwise, env)
            case ast.Include():
                yield from self._include(node, env)

    def _if(
        self, branches: tuple[ast.Branch, ...], otherwise: tuple[ast.Node, ...], env: Env
    ) -> Iterator[Visit]:
        for branch in branches:
            env = self._set(env, branch.variable, asked(branch.condition, env))
            always = truth(branch.condition)
            if always is not False:
                yield from self.body(branch.body, env.where_present(branch.variable))
            if always is True:
                return
        yield from self.body(otherwise, env)

    def _include(self, node: ast.Include, env: Env) -> Iterator[Visit]:
        define = self.defines.get(node.name)
        if define is None:
            return
        known = infer(node.argument, env) if node.argument else Known(NIL)
        if len(self.included) > _MAX_INCLUDED:
            known = Known()  # templates that include themselves could go on for ever
        if (node.name, known.type) not in self.included:
            self.included.add((node.name, known.type))
            yield from self.body(define.body, Env({"": known}, known))
