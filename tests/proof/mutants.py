"""Programs that differ from a given one by one small mistake.

if a < b: wait(a)   becomes   if a <= b: wait(a)
                              if not a < b: wait(a)
                              if a < b: pass
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OTHER_COMPARISON = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER_OPERATOR = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}


@dataclass(frozen=True)
class Mutant:
    """A changed program. line, before, after: what was changed, as source text."""

    line: int
    before: str
    after: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every program with one mistake. Texts stay as they are, and what only type checkers read."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        for changed in _variants(node):
            whole = copy.deepcopy(tree)
            place = next(one for at, one in enumerate(ast.walk(whole)) if at == number)
            place.__dict__.clear()
            place.__class__ = type(changed)  # type: ignore[assignment]
            place.__dict__.update(changed.__dict__)
            line = getattr(node, "lineno", 0)
            yield Mutant(line, _text(node), _text(changed), ast.fix_missing_locations(whole))


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in _OTHER_COMPARISON:
            other = _OTHER_COMPARISON[type(operator)]()
            yield ast.copy_location(ast.Compare(left, [other], [right]), node)
        case ast.BoolOp(operator, values):
            other_word = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield ast.copy_location(ast.BoolOp(other_word, values), node)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in _OTHER_OPERATOR:
            yield ast.copy_location(ast.BinOp(left, _OTHER_OPERATOR[type(operator)](), right), node)
        case ast.Constant(bool() as value):
            yield ast.copy_location(ast.Constant(not value), node)
        case ast.Constant(int() | float() as value):
            yield ast.copy_location(ast.Constant(value + 1), node)
        case ast.If(ast.Name() | ast.Attribute() | ast.Call() as test, body, orelse):
            negated = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
            yield ast.copy_location(ast.If(negated, body, orelse), node)
        case ast.Expr(ast.Call() | ast.Await()):
            yield ast.copy_location(ast.Pass(), node)
        case ast.Break():
            yield ast.copy_location(ast.Pass(), node)


def _text(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node)).split("\n")[0]
    return text if len(text) < 90 else text[:87] + "..."
