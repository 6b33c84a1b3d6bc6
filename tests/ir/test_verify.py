"""The verifier notices each kind of broken plan."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gxo.compiler.diagnostics import Span
from gxo.compiler.driver import Compilation
from gxo.compiler.ir.nodes import (
    NO_REFERENCES,
    Argument,
    Computed,
    Constant,
    Items,
    Loop,
    Plan,
    Retry,
    StateEdge,
    StreamEdge,
    Value,
)
from gxo.compiler.ir.verify import BrokenPlanError, verify
from gxo.compiler.source import SourceText
from gxo.compiler.template import ast
from gxo.compiler.types import ANY, TEXT

PLAYBOOK = b"""\
name: p
schemaVersion: v1.0.0
workloads:
  - {name: a, lifecycle: {policy: run_once}, process: {module: exec, params: {command: uname}}}
  - {name: b, lifecycle: {policy: run_once}, process: {module: exec, params: {command: uname}}}
"""
HERE = Span("p", 1, 1, 1, 2)


def plan() -> Plan:
    compilation = Compilation("p.gxo.yaml")
    assert compilation.read(PLAYBOOK)
    assert compilation.analyse()
    assert compilation.plan is not None
    return compilation.plan


def with_first(**changes: object) -> Callable[[Plan], Plan]:
    def change(whole: Plan) -> Plan:
        first, *others = whole.workloads
        return replace(whole, workloads=(replace(first, **changes), *others))  # type: ignore[arg-type]

    return change


def computed(expression: ast.Expr) -> Computed:
    return Computed(expression, "native", ANY, NO_REFERENCES, HERE)


def call(command: Value, *args: Value) -> tuple[Argument, ...]:
    return (Argument("command", command), Argument("args", Items(args, HERE)))


WHO = ast.Call("upper", (ast.Root("input", "who"),), HERE)
KEPT = ast.Shared("who", WHO, True, HERE)
READ = ast.Shared("who", WHO, False, HERE)
OTHER = ast.Shared("who", ast.Root("input", "who"), False, HERE)
PERHAPS = ast.Or((ast.Root("input", "who"), KEPT), HERE)
EACH = ast.Range(ast.Root("input", "who"), (ast.Action(KEPT, HERE),), (), None, None, True, HERE)
TEXTS = SourceText("", HERE, lambda _: (1, 1))
BLOCK = ast.Template((EACH, ast.Action(READ, HERE)), (), HERE, TEXTS)
TWO = Loop(Items((Constant(1, HERE), Constant(2, HERE)), HERE), "item", None, 1)
ONE_CALL = call(Constant("x", HERE))

BROKEN = {
    "reads 'who', which nothing": with_first(arguments=call(computed(READ), computed(KEPT))),
    "'who', which nothing": with_first(arguments=call(computed(KEPT), computed(OTHER))),
    "'a' reads 'who'": with_first(
        loop=TWO, arguments=ONE_CALL, calls=(call(computed(KEPT)), call(computed(READ)))
    ),
    "'who' a second time": with_first(arguments=call(computed(KEPT), computed(KEPT))),
    "may not be evaluated": with_first(arguments=call(computed(PERHAPS), computed(READ))),
    "'who' where it may not": with_first(
        arguments=(Argument("command", Computed(BLOCK, "text", TEXT, NO_REFERENCES, HERE)),)
    ),
    "other arguments than the rest": with_first(loop=TWO, calls=(ONE_CALL, ONE_CALL)),
    "1 calls, and not as many items": with_first(loop=TWO, arguments=ONE_CALL, calls=(ONE_CALL,)),
    "never runs": with_first(is_dead=True, steps=(plan().workloads[1],)),
    "one name": with_first(name="b"),
    "has an edge from 'nobody'": with_first(state_edges=(StateEdge("nobody", HERE, "needs"),)),
    "an edge from itself": with_first(stream_edges=(StreamEdge("a", HERE),)),
    "2 state edges": with_first(state_edges=(StateEdge("b", HERE, "needs"),) * 2),
    "passes 'comand'": with_first(arguments=(Argument("comand", Constant("x", HERE)),)),
    "0 instances": with_first(loop=Loop(Constant(1, HERE), "item", None, 0)),
    "has one attempt": with_first(retry=Retry(1, 1.0, None, 1.0, 0.0)),
    "a time-out of 0": with_first(timeout=0.0),
    "register 'r'": lambda whole: replace(
        whole, workloads=tuple(replace(one, register="r") for one in whole.workloads)
    ),
}


def test_a_good_plan_passes() -> None:
    verify(plan(), "build")
    verify(with_first(arguments=call(computed(KEPT), computed(READ)))(plan()), "share_expressions")


@pytest.mark.parametrize("says", BROKEN)
def test_a_broken_plan_is_noticed(says: str) -> None:
    with pytest.raises(BrokenPlanError, match=says):
        verify(BROKEN[says](plan()), "some_pass")
