"""What a plan touches, short enough to be compared in a test."""

from collections.abc import Mapping

from gxo.compiler.ir.effects import effects
from gxo.compiler.ir.nodes import Plan

OUTSIDE = ("secrets", "environment", "distributions", "sql")


def touched(plan: Plan, *, without: tuple[str, ...] = OUTSIDE) -> Mapping[str, tuple[str, ...]]:
    """Kind of effect to what is touched: a literal text, or `dynamic: ` and the expression."""
    found: dict[str, set[str]] = {}
    for one in effects(plan):
        if one.kind not in without:
            mark = "dynamic: " if one.dynamic else ""
            found.setdefault(one.kind, set()).add(mark + one.what)
    return {kind: tuple(sorted(found[kind])) for kind in sorted(found)}
