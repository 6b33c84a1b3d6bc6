"""Virtual time: what a job does under it is what it does when time alone passes, and takes no time."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gxo.runtime.host.clock import Clock
from gxo.runtime.host.process import spawn
from gxo.runtime.kernel.run import Limits
from gxo.runtime.settings import Settings
from gxo.runtime.testing.servers import Servers
from gxo.runtime.testing.virtual import VirtualClock, VirtualLoop
from tests.runtime.kernel.harness import FakeLoop, Played, Stage, build, play

HOUR = 3600.0
UNIT = 100.0
"""Seconds of which all durations of a random job are multiples. Its real time is far less."""


class Model(FakeLoop):
    """Time that only jumps. ties: whether two timers were due within one unit, so that real time,
    too, leaves open which is first.
    """

    ties = False

    def _select(self, timeout: float | None = None) -> Any:
        if timeout:
            due = sorted(
                timer.when()
                for timer in self._scheduled  # type: ignore[attr-defined]
                if not timer.cancelled()
            )
            self.ties = self.ties or (len(due) > 1 and due[1] - due[0] < UNIT)
        return super()._select(timeout)


class VirtualStage(Stage):
    """Where time is virtual. Its moments are rounded to units."""

    def __init__(self) -> None:
        self._clock = VirtualClock()
        super().__init__(loop=VirtualLoop(5 * UNIT, self._clock, Servers()))
        self._began = self.loop.time()

    def clock(self) -> Clock:
        return self._clock

    def note(self, name: str, what: str) -> None:
        moment = round((self.loop.time() - self._began) / UNIT) * UNIT
        self.trace.append(f"{moment:g} {name} {what}")


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """Workloads that wait, fail, try again, take too long, take no notice, and wait for each other."""
    count = draw(st.integers(1, 6))
    durations = iter(
        draw(st.lists(st.integers(1, 2000), min_size=5 * count, max_size=5 * count, unique=True))
    )

    def seconds() -> float:
        return next(durations) * UNIT

    workloads: dict[str, Any] = {}
    for number in range(count):
        earlier = [f"w{other}" for other in range(number)]
        some = st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
        one: dict[str, Any] = {"after": draw(some), "observes": draw(some)}
        first = [[], [f"sleep {seconds():g}"]]
        then = ["fail x", "fail_until 2", "hang", f"ignore {seconds():g}", f"sleep {seconds():g}"]
        one["do"] = [*draw(st.sampled_from(first)), draw(st.sampled_from(then))]
        if draw(st.booleans()):
            one["retry"] = {"attempts": 3, "delay": seconds(), "backoff": 2.0}
        if draw(st.booleans()):
            one["timeout"] = seconds()
        one["ignore_errors"] = draw(st.booleans())
        workloads[f"w{number}"] = one
    timeout = draw(st.none() | st.integers(2001, 9000))
    return {"workloads": workloads, "timeout": timeout and timeout * UNIT}


def played(case: dict[str, Any], stage: Stage) -> Played:
    chosen = Settings()
    chosen.timeout = case["timeout"]
    limits = Limits(drain=5 * UNIT, cancel=7 * UNIT, cleanup=30 * UNIT)
    return play(build(case, stage), stage, settings=chosen, limits=limits)


@given(cases())
def test_a_random_job_is_as_in_the_model(case: dict[str, Any]) -> None:
    """Statuses, the order of all that happens and when it does, errors, and the exit code."""
    model = Model()
    expected = played(case, Stage(loop=model))
    assume(not model.ties)
    before = time.monotonic()
    actual = played(case, VirtualStage())
    assert time.monotonic() - before < UNIT / 2, "nothing of that takes real time"
    assert actual.statuses == expected.statuses
    assert actual.trace == expected.trace
    assert actual.code == expected.code
    assert actual.run.ending.errors == expected.run.ending.errors
