"""Mocks come before everything that does not come before them, in every order of waiting."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.compiler.driver import Compilation, Options
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.order import Before, reading_order

IDENTITY = {"module": "control:identity", "params": {"v": 1}}
MOCK = {"module": "test:mock_http_server", "params": {"handlers": []}}


@st.composite
def playbooks(draw: st.DrawFn) -> list[dict[str, object]]:
    """Workloads, some of them mocks, each of which needs some of those made before it."""
    workloads: list[dict[str, object]] = []
    for number in range(draw(st.integers(2, 9))):
        names = [f"w{other}" for other in range(number)]
        needs = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        process = MOCK if draw(st.booleans()) else IDENTITY
        workloads.append({"name": f"w{number}", "process": process, "needs": needs})
    return draw(st.permutations(workloads))


def planned(workloads: list[dict[str, object]], *, optimize: bool) -> Plan:
    compilation = Compilation("p.test.gxo.yaml", Options(optimize=optimize, verify_ir=True))
    assert compilation.read(json.dumps({"workloads": workloads}).encode())
    assert compilation.analyse(), compilation.diagnostics.sorted()
    assert compilation.plan is not None
    return compilation.plan


@settings(max_examples=50)
@given(playbooks(), st.booleans())
def test_who_is_not_before_a_mock_is_after_it(
    workloads: list[dict[str, object]], optimize: bool
) -> None:
    plan = planned(workloads, optimize=optimize)
    reads = {one.name: list(one.sources) for one in plan.workloads}
    circles: list[list[str]] = []
    reading_order(reads, circles.append)
    assert circles == []
    before = Before(reads)
    mocks = [str(one["name"]) for one in workloads if one["process"] is MOCK]
    for name in reads.keys() - {*mocks}:
        for mock in mocks:
            assert before.among([name], [mock]) or before.among([mock], [name]), (name, mock)
