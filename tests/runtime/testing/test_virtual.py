"""Virtual time: what a job does under it is what it does when time alone passes, and takes no time."""

import asyncio
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gxo.runtime.host.clock import Clock
from gxo.runtime.host.process import spawn
from gxo.runtime.kernel.run import Limits
from gxo.runtime.settings import Settings
from gxo.runtime.testing.servers import Servers, in_flight
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
        self.servers = Servers()
        super().__init__(loop=VirtualLoop(5 * UNIT, self._clock, self.servers))
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
        some = (
            st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
        )
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


# What else than a timer can come


class Bench:
    """A loop whose clock jumps, and its mocks."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.servers = Servers()
        self.loop = VirtualLoop(5.0, self.clock, self.servers)

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    asyncio.set_event_loop(made.loop)
    try:
        yield made
    finally:
        asyncio.set_event_loop(None)
        made.loop.end(())


def test_a_jump_is_to_the_next_timer(bench: Bench) -> None:
    """A day and more are several; what is to wait as long as others keeps its order."""
    done: list[str] = []

    async def play() -> None:
        for name, hours in [("c", 30), ("a", 1), ("d", 30), ("b", 2), ("e", 30)]:
            bench.loop.call_later(hours * HOUR, done.append, name)
        await asyncio.sleep(31 * HOUR)

    bench.run(play())
    assert done == ["a", "b", "c", "d", "e"]
    assert bench.clock.ahead == pytest.approx(31 * HOUR, abs=1)
    assert bench.clock.monotonic() == pytest.approx(bench.loop.time(), abs=1)
    assert bench.clock.seconds() == pytest.approx(time.time() + 31 * HOUR, abs=2)
    assert bench.clock.now().timestamp() == pytest.approx(time.time() + 31 * HOUR, abs=2)
    assert bench.clock.outside().timestamp() == pytest.approx(time.time(), abs=2), "not theirs"


def test_a_thread_takes_real_time(bench: Bench) -> None:
    """Of the job's own, and of a library: neither is overtaken by a timer."""
    timer = bench.loop.call_later(HOUR, pytest.fail, "the thread was overtaken")

    async def play() -> None:
        release = threading.Event()
        work = bench.loop.threads.submit(release.wait)
        foreign = asyncio.Event()

        def end() -> None:
            release.set()
            bench.loop.call_soon_threadsafe(foreign.set)

        threading.Timer(0.05, end).start()
        await work
        await foreign.wait()
        timer.cancel()

    bench.run(play())
    assert bench.clock.ahead == 0


def test_a_command_takes_real_time(bench: Bench) -> None:
    """Also one whose output nobody reads just now."""
    timer = bench.loop.call_later(HOUR, pytest.fail, "the command was overtaken")

    async def play() -> None:
        child = spawn(["sleep", "0.05"], cwd="/", environment={"PATH": "/bin"}, stdin=False)
        await child.wait()
        timer.cancel()
        child.close()
        await asyncio.sleep(HOUR)

    bench.run(play())
    assert bench.clock.ahead == pytest.approx(HOUR, abs=1)


@contextmanager
def listening(bench: Bench, *, mock: bool) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        if mock:
            with bench.servers.serving(server.getsockname(), lambda: False):
                yield server
        else:
            yield server


@pytest.mark.parametrize("mock", [True, False])
def test_only_a_mock_may_listen_meanwhile(bench: Bench, mock: bool) -> None:
    async def play() -> None:
        accepting = asyncio.ensure_future(bench.loop.sock_accept(server))
        await asyncio.sleep(0.03)
        accepting.cancel()

    with listening(bench, mock=mock) as server:
        bench.run(play())
    assert (bench.clock.ahead > 0) == mock


def test_what_is_no_connection_to_a_mock_is_the_world(bench: Bench) -> None:
    """A pipe, and sockets of other kinds."""

    async def play(one: Any) -> None:
        bench.loop.add_reader(one, bench.loop.remove_reader, one)
        await asyncio.sleep(0.01)
        bench.loop.remove_reader(one)

    pipe, end = os.pipe()
    unix = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    for one in (pipe, unix[0], udp, six):
        bench.run(play(one))
    for made in (*unix, udp, six):
        made.close()
    os.close(pipe)
    os.close(end)
    assert bench.clock.ahead == 0


def test_a_mock_that_gets_a_request(bench: Bench) -> None:
    """While one begins to come, time is real."""
    with bench.servers.serving(("127.0.0.1", 1), lambda: True):
        bench.run(asyncio.sleep(0.01))
        assert bench.clock.ahead == 0
    bench.run(asyncio.sleep(HOUR))
    assert bench.clock.ahead == pytest.approx(HOUR, abs=1)


async def slow_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back each line an hour later."""
    with closing(writer):
        while line := await reader.readline():
            await asyncio.sleep(HOUR)
            writer.write(line)


def test_what_is_on_its_way_is_not_overtaken(bench: Bench) -> None:
    """Who waits a second longer than a mock takes gets each answer, however late it is told that
    what was sent has arrived.
    """

    async def ask(address: tuple[str, int], rounds: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        with closing(writer):
            for number in range(rounds):
                writer.write(b"%d\n" % number)
                line = await asyncio.wait_for(reader.readline(), HOUR + 1)
                assert int(line) == number

    async def play() -> None:
        server = await asyncio.start_server(slow_echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with bench.servers.serving(address, lambda: False):
            await asyncio.gather(*(ask(address, rounds) for rounds in (60, 40, 20)))
        server.close()
        await asyncio.sleep(0)

    before = time.monotonic()
    bench.run(play())
    assert bench.clock.ahead == pytest.approx(60 * HOUR, abs=60)
    assert time.monotonic() - before < 5


def test_who_does_not_read_holds_up_no_clock(bench: Bench) -> None:
    """A mock that has more to send than its client takes."""

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            writer.write(b"x" * 20_000_000)
            await writer.drain()

    async def play() -> None:
        server = await asyncio.start_server(pour, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with bench.servers.serving(address, lambda: False):
            reader, writer = await asyncio.open_connection(*address)
            await asyncio.sleep(HOUR)
            assert len(await reader.read()) == 20_000_000
            writer.close()
        server.close()
        await asyncio.sleep(0)

    bench.run(play())
    assert bench.clock.ahead == pytest.approx(HOUR, abs=1)


def test_what_has_arrived_is_not_on_its_way(bench: Bench) -> None:
    """Whether its arrival was acknowledged already or not."""
    with listening(bench, mock=True) as server:
        client = socket.create_connection(server.getsockname())
        end, _ = server.accept()
        selector = selectors.DefaultSelector()
        with closing(client), closing(end), closing(selector):
            keys = [selector.register(one, selectors.EVENT_READ) for one in (server, client, end)]
            for _ in range(40):
                client.send(b"a")
                end.recv(9)
                end.send(b"b")
                client.recv(9)
                connections = bench.servers.connections(keys)
                assert connections is not None and len(connections) == 2
                assert not in_flight(connections)


def test_a_job_that_hangs_is_told_so_though_a_mock_listens() -> None:
    """At once: that nobody asks the mock is nothing that can happen."""
    case = {"workloads": {"w": {"do": ["sleep 1000", "hang"]}}, "timeout": 1e6}
    stage = VirtualStage()
    loop, servers = stage.loop, stage.servers
    with socket.create_server(("127.0.0.1", 0)) as server:
        loop.add_reader(server, lambda: None)
        with servers.serving(server.getsockname(), lambda: False):
            ended = played(case, stage)
    assert ended.code == 1
    assert "can make no progress: 'w' waits for something" in ended.run.ending.errors[0]
