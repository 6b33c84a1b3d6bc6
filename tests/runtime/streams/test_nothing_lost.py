"""Whatever is killed, and when: each record is accounted for, or the run did not end Completed.

A random graph of producers, transforms and consumers runs under virtual time. At a random turn of
the loop one of them, or the job, is ended. Then each record that was sent has been delivered,
dropped with a count, or failed with a count; or its reader wanted no more of it.
"""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.kernel.instance import CLOSED
from gxo.runtime.kernel.node import COMPLETED, FAILED, SKIPPED, Node
from gxo.runtime.kernel.run import Run
from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.ports import Inputs
from tests.runtime.kernel.harness import Played, play_case

Case = dict[str, Any]
STRATEGIES = ("block", "block", "block", "drop_new", "drop_oldest", "error")


@st.composite
def graphs(draw: st.DrawFn) -> Case:
    """Workloads that read from those before them; the inputs of a join that meet again spill."""
    workloads: Case = {}
    above: dict[str, set[str]] = {}  # what each reads from, directly or not, and itself
    streams: list[str] = []
    for number in range(draw(st.integers(2, 6))):
        name = f"w{number}"
        made: Case = {}
        kinds = ["pass", "pass", "reject", "read", "some", "join", "send"] if streams else ["send"]
        kind = draw(st.sampled_from(kinds))
        reads = []
        if kind != "send":
            most = 1 if kind == "some" else 3
            reads = draw(st.lists(st.sampled_from(streams), min_size=1, max_size=most, unique=True))
        above[name] = {name}.union(*(above[_producer(one)] for one in reads))
        if kind == "join":
            made |= {"inputs": reads, "do": ["join"]}
            made["spills"] = [
                one
                for one in reads
                if any(above[_producer(one)] & above[_producer(two)] for two in reads if one != two)
            ]
        elif kind == "send":
            made |= {"do": [f"send {draw(st.integers(0, 25))}"]}
        else:
            steps = {"pass": "pass_on", "reject": "reject 3", "read": "read", "some": "read 3"}
            made |= {"records": reads, "do": [steps[kind]]}
        if reads and draw(st.integers(0, 4)) == 0:
            made["skip_on_no_input"] = True
        if kind in ("send", "pass", "reject"):
            made["out"] = True
            strategy = draw(st.sampled_from(STRATEGIES))
            made["channel"] = {"buffer_size": draw(st.integers(0, 4)), "overflow": strategy}
            streams.append(name)
        if kind == "reject":
            made["on_record_error"] = "skip"
            if draw(st.booleans()):
                streams.append(f"{name}.errors")
        workloads[name] = made
    return {"workloads": workloads}


def _producer(stream: str) -> str:
    return stream.removesuffix(".errors")


def played(case: Case, what: str, victim: int, turn: int) -> Played:
    """Run the graph, and end a workload or the job at that turn of the loop."""

    def watch(run: Run) -> None:
        begin = run.begin

        def count(left: int) -> None:
            if left:
                run.loop.call_soon(count, left - 1)
            elif what == "job" and not run.scheduler.stopping:
                run.interrupt(signal.SIGTERM)
            elif what == "workload":
                node = list(run.nodes.values())[victim % len(run.nodes)]
                if node.task is not None and node.entered:
                    node.task.cancel()

        def first(node: Node) -> None:
            run.begin = begin  # type: ignore[method-assign]
            run.loop.call_soon(count, turn)
            begin(node)

        run.begin = first  # type: ignore[method-assign]

    return play_case(case, watch)


def unaccounted(case: Case, run: Run) -> Iterator[str]:
    """Streams of which nobody can say where all their records are."""
    for node in run.nodes.values():
        wants_less = case["workloads"][node.name]["do"] == ["read 3"] or node.reason == CLOSED
        ports = [] if node.port is None else [node.port]
        if isinstance(node.port, Inputs):
            ports = list(node.port.values())
        for pipe in (pipe for port in ports for pipe in port.pipes):
            producer = run.nodes[_producer(pipe.producer)]
            source = producer.rejects if pipe.producer.endswith(".errors") else producer.source
            assert source is not None
            told = f"{pipe.producer} -> {node.name} is {pipe.state}: {pipe.passed} passed, "
            told += f"{pipe.dropped} dropped of {source.records_out}; {node.name} is {node.status}"
            fine = {
                "open": False,
                "ended": pipe.passed + pipe.dropped == source.records_out,
                "closed": node.status != COMPLETED or wants_less,
                "discarding": node.status == SKIPPED,
            }
            if not fine[pipe.state]:
                yield told


@given(
    graphs(), st.sampled_from(["workload", "job", "nothing"]), st.integers(0, 5), st.integers(0, 40)
)
def test_every_record_is_accounted_for(case: Case, what: str, victim: int, turn: int) -> None:
    over = played(case, what, victim, turn)
    assert list(unaccounted(case, over.run)) == [], over.log
    for name, one in case["workloads"].items():
        node = over.run.nodes[name]
        passes_on = node.source is not None and "records" in one
        if node.status == COMPLETED and node.reason is None and passes_on:
            assert node.records_in == node.records_out + node.record_errors, over.log
    if over.code == 0:
        assert set(over.statuses.values()) <= {COMPLETED, SKIPPED}
    else:
        assert FAILED in over.statuses.values() or what == "job"
    assert "no progress" not in over.log


def test_a_lost_record_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case: Case = {
        "workloads": {
            "a": {"out": True, "channel": {"buffer_size": 2}, "do": ["send 9"]},
            "b": {"records": ["a"], "do": ["read"]},
        }
    }
    assert not list(unaccounted(case, played(case, "nothing", 0, 0).run))
    empty = Pipe._empty

    def loses(self: Pipe) -> None:
        empty(self)
        if self.passed == 0:
            self.passed -= 1

    monkeypatch.setattr(Pipe, "_empty", loses)
    assert list(unaccounted(case, played(case, "nothing", 0, 0).run))


@pytest.mark.parametrize("what", ["workload", "job"])
def test_what_is_killed_while_records_are_on_their_way_does_not_complete(what: str) -> None:
    case: Case = {
        "workloads": {
            "a": {"out": True, "channel": {"buffer_size": 0}, "do": ["send 99"]},
            "b": {"records": ["a"], "do": ["read"]},
        }
    }
    over = played(case, what, 0, 20)
    assert over.code == (143 if what == "job" else 1)
    assert COMPLETED not in over.statuses.values()
    assert 0 < over.run.nodes["a"].records_out < 99


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "b", "a"]])
def test_a_diamond_spills_ten_times_its_buffer(order: list[str]) -> None:
    buffer = 3
    ways = {
        name: {
            "records": ["source"],
            "out": True,
            "channel": {"buffer_size": buffer},
            "do": ["pass_on"],
        }
        for name in order
    }
    case: Case = {
        "workloads": {
            "source": {
                "out": True,
                "channel": {"buffer_size": buffer},
                "do": [f"send {10 * buffer}"],
            },
            **ways,
            "both": {"inputs": order, "spills": order, "do": ["join"]},
        }
    }
    over = played(case, "nothing", 0, 0)
    assert over.code == 0, over.log
    assert over.run.nodes["both"].records_in == 3 * 10 * buffer
