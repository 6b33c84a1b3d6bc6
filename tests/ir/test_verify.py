"""The verifier notices each kind of broken plan."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gxo.compiler.diagnostics import Span
from gxo.compiler.driver import Compilation
from gxo.compiler.ir.nodes import Argument, Constant, Loop, Plan, Retry, StateEdge, StreamEdge
from gxo.compiler.ir.verify import BrokenPlanError, verify

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


BROKEN = {
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


@pytest.mark.parametrize("says", BROKEN)
def test_a_broken_plan_is_noticed(says: str) -> None:
    with pytest.raises(BrokenPlanError, match=says):
        verify(BROKEN[says](plan()), "some_pass")
