"""What a module is given: threads, shared connections, the environment, the workspace, the time."""

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime import Context, Job, Loop, Retry
from gxo.runtime.errors import ModuleError, SecretError, SecurityError
from gxo.runtime.host.clock import rfc3339
from gxo.runtime.kernel.retry import delay_after
from gxo.runtime.main import main
from tests.runtime.kernel.harness import EPOCH, FakeLoop, Played, Stage, play


def run(*functions: Callable[[Context], Awaitable[Any]], **keywords: Any) -> Played:
    """A job of these functions, which run at once; job keywords are given first."""
    stage = Stage()
    job = Job("case", secrets=keywords.pop("secrets", []))
    for function in functions:
        job.workload(function.__name__)(function)
    return play(job, stage, **keywords)


def test_the_time_is_the_clocks() -> None:
    async def a(ctx: Context) -> None:
        assert ctx.clock.now() == datetime.fromtimestamp(EPOCH, UTC)
        assert ctx.now() == "2027-01-15T08:00:00Z"
        await ctx.clock.sleep(1.25)
        assert ctx.now() == "2027-01-15T08:00:01Z"
        assert ctx.clock.monotonic() == 1.25

    assert run(a).code == 0


@given(st.integers(0, 4_000_000_000_000))
def test_times_are_rfc_3339(milliseconds: int) -> None:
    text = rfc3339(milliseconds / 1000)
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert text.endswith("Z")


@given(st.integers(1, 50), st.floats(0, 1), st.floats(0, 1), st.floats(1, 10))
def test_a_delay_stays_within_its_jitter(
    attempt: int, jitter: float, chance: float, backoff: float
) -> None:
    retry = Retry(attempts=60, delay=2.0, max_delay=60.0, backoff=backoff, jitter=jitter)
    steady = min(60.0, 2.0 * backoff ** (attempt - 1))
    assert steady * (1 - jitter) <= delay_after(retry, attempt, chance) <= steady * (1 + jitter)


def test_a_delay_past_all_numbers_is_the_largest() -> None:
    retry = Retry(attempts=9999, delay=1.0, max_delay=60.0, backoff=10.0)
    assert delay_after(retry, 9000, 0.5) == 60.0


def test_the_environment_of_children_lacks_the_secrets() -> None:
    async def a(ctx: Context) -> None:
        assert ctx.child_environment() == {"HOME": "/", "PATH": "/bin"}
        assert ctx.env("PATH") == "/bin"
        assert ctx.env("MISSING") == ""

    environment = {"PATH": "/bin", "TOKEN": "s3cr3t", "HOME": "/"}
    assert run(a, secrets=["TOKEN"], environment=environment).code == 0


def test_the_module_is_named_by_the_manifest() -> None:
    class FakeBundle:
        def read(self, name: str) -> bytes:
            assert name == "_gxo/manifest.json"
            return json.dumps({"workloads": [{"name": "a", "module": "exec"}]}).encode()

        def names(self) -> list[str]:
            return ["_gxo/manifest.json"]

    seen = []

    async def a(ctx: Context) -> None:
        seen.append(ctx.module)

    assert run(a, bundle=FakeBundle()).code == 0
    assert run(a).code == 0
    assert seen == ["exec", ""]


def test_a_connection_is_opened_once_and_closed_last() -> None:
    told: list[str] = []

    async def opened(name: str) -> str:
        told.append(f"open {name}")
        await asyncio.sleep(1)
        return name

    async def close(name: str) -> None:
        told.append(f"close {name}")

    async def a(ctx: Context) -> None:
        assert await ctx.shared("db", lambda: opened("db"), close) == "db"
        assert await ctx.shared("other", lambda: opened("other"), close) == "other"

    async def b(ctx: Context) -> None:
        assert await ctx.shared("db", lambda: opened("db"), close) == "db"
        told.append("b has it")

    assert run(a, b).code == 0
    assert told == ["open db", "open other", "b has it", "close other", "close db"]


def test_a_connection_that_did_not_open_is_tried_again_by_the_next() -> None:
    attempts = []

    async def opened() -> str:
        attempts.append(1)
        await asyncio.sleep(1)
        if len(attempts) == 1:
            raise ModuleError("refused")
        return "connected"

    async def close(_value: str) -> None:
        raise OSError(5, "it broke")

    async def a(ctx: Context) -> None:
        with pytest.raises(ModuleError, match="refused"):
            await ctx.shared("db", opened, close)

    async def b(ctx: Context) -> None:
        assert await ctx.shared("db", opened, close) == "connected"

    played = run(a, b)
    assert played.code == 0
    assert "a connection was not closed: it broke" in played.log


def test_threads_run_beside_each_other_and_give_back_results_and_errors() -> None:
    both = threading.Barrier(2, timeout=30)

    async def a(ctx: Context) -> None:
        assert await ctx.thread(both.wait) in (0, 1)

    async def b(ctx: Context) -> None:
        assert await ctx.thread(both.wait) in (0, 1)
        with pytest.raises(ZeroDivisionError):
            await ctx.thread(lambda: 1 // 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await ctx.thread(next, iter([]))
        assert await ctx.thread(max, 1, 2) == 2
        assert await asyncio.to_thread(threading.current_thread) is not threading.main_thread()

    assert run(a, b).code == 0
    assert [one.name for one in threading.enumerate() if one.name == "gxo-worker"] == []


def test_a_cancelled_call_is_waited_for() -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    tasks: list[asyncio.Task[Any]] = []
    waited: list[bool] = []

    def call() -> None:
        began.set()
        may_end.wait(10)
        ended.set()

    def end(rounds: int) -> None:
        """Some rounds of the loop after `a` was cancelled, let the call end."""
        if not rounds:
            may_end.set()
            ended.wait(10)
        else:
            is_cancelled = tasks[0].cancelling() > 0
            tasks[0].get_loop().call_soon(end, rounds - is_cancelled)

    async def a(ctx: Context) -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await ctx.thread(call)
        finally:
            waited.append(ended.is_set())

    async def b(ctx: Context) -> None:
        await ctx.thread(began.wait, 30)
        end(rounds=20)
        raise ModuleError("no luck")

    played = run(a, b)
    assert played.statuses == {"a": "Cancelled", "b": "Failed"}
    assert played.run.nodes["a"].reason == "the job is stopping"
    assert waited == [True]


def test_a_module_that_cleans_up_gets_the_time_it_asks_for() -> None:
    async def a(ctx: Context) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ctx.end_within(11)
            await asyncio.sleep(10)

    async def b(ctx: Context) -> None:
        raise ModuleError("no luck")

    played = run(a, b)
    assert (played.time, played.run.nodes["a"].reason) == (10.0, "the job is stopping")


def test_a_module_that_asks_for_time_and_takes_more_is_abandoned() -> None:
    async def a(ctx: Context) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ctx.end_within(11)
            await asyncio.sleep(100)

    async def b(ctx: Context) -> None:
        raise ModuleError("no luck")

    played = run(a, b)
    assert "was abandoned" in (played.run.nodes["a"].reason or "")


def test_a_log_line_says_where_it_comes_from() -> None:
    async def a(ctx: Context) -> None:
        ctx.log("debug", "two\nlines", rows=3)
        ctx.log("info", "plain")

    log = run(a).log
    assert "08:00:00 debug    a: two\n    lines (rows=3)\n" in log
    assert "08:00:00 info     a: plain\n" in log


def test_a_socket_that_is_waited_for_is_no_stall() -> None:
    loop = FakeLoop()
    reading, writing = os.pipe()
    timer = threading.Timer(0, os.write, (writing, b"x"))
    known = loop._others  # started before the run: not what could wake it
    timer.start()
    known.add(timer)

    async def a(ctx: Context) -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(reading, future.set_result, None)
        await future
        asyncio.get_running_loop().remove_reader(reading)

    job = Job("case")
    job.workload("a")(a)
    assert play(job, Stage(loop=loop)).code == 0
    timer.join()
    os.close(reading)
    os.close(writing)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GXO_WORKSPACES", str(tmp_path / "workspaces"))
    (tmp_path / "workspaces").mkdir(mode=0o700)
    return tmp_path


class AssetBundle:
    """An artifact with two assets."""

    files = {
        "_gxo/manifest.json": json.dumps(
            {
                "assets": [
                    {"path": "hosts.csv", "executable": False},
                    {"path": "bin/run", "executable": True},
                ]
            }
        ).encode(),
        "_gxo/assets/hosts.csv": b"a,b",
        "_gxo/assets/bin/run": b"#!/bin/sh",
    }

    def read(self, name: str) -> bytes:
        return self.files[name]

    def names(self) -> list[str]:
        return sorted(self.files)


def assets_job() -> Job:
    job = Job("case", assets=["hosts.csv", "bin/*"])

    @job.workload("a")
    async def a(ctx: Context) -> None:
        for path, mode, content in (("hosts.csv", 0o644, b"a,b"), ("bin/run", 0o755, b"#!/bin/sh")):
            file = Path(ctx.workspace.path) / path
            assert (file.stat().st_mode & 0o777, file.read_bytes()) == (mode, content)

    return job


def test_assets_are_laid_out_before_the_first_workload(folder: Path) -> None:
    assert main(assets_job(), AssetBundle(), []) == 0
    assert os.listdir(folder / "workspaces") == []


def test_an_existing_workspace_stays(folder: Path) -> None:
    (folder / "there").mkdir()
    assert main(assets_job(), AssetBundle(), ["--workspace", str(folder / "there")]) == 0
    assert (folder / "there/hosts.csv").read_bytes() == b"a,b"


def test_an_asset_replaces_no_different_file(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "hosts.csv").write_bytes(b"other")
    assert main(assets_job(), AssetBundle(), ["--workspace", str(folder)]) == 2
    assert "error: the asset 'hosts.csv' would replace a different file" in capfd.readouterr().err
    assert (folder / "hosts.csv").read_bytes() == b"other"
    assert not (folder / "bin").exists()


def test_no_workspace_is_made_that_nobody_looks_at(folder: Path) -> None:
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        assert os.listdir(folder / "workspaces") == []

    assert main(job, None, []) == 0


def test_a_workspace_that_cannot_be_made_fails_who_looks_at_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "workspaces").rmdir()
    (folder / "workspaces").write_text("no folder")
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        assert ctx.workspace.path

    assert main(job, None, []) == 1
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("kind", [SecretError, SecurityError])
def test_no_skip_hides_what_is_no_records_fault(kind: type[Exception]) -> None:
    job = Job("case")

    @job.workload("a", on_record_error="skip")
    async def a(ctx: Context) -> None:
        await ctx.record_failed({"id": 1}, kind("not the record's fault"), 1)

    assert play(job, Stage()).code == 1


def test_a_loop_that_is_abandoned_is_told_once() -> None:
    job = Job("case")

    @job.workload("each", loop=Loop([0, 1], parallel=2), timeout=1.0, ignore_errors=True)
    async def each(ctx: Context, _item: int) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await ctx.clock.sleep(60)
                return

    @job.workload("other")
    async def other(ctx: Context) -> None:
        await ctx.clock.sleep(90)

    assert play(job, Stage()).log.count("its module ignored that and was abandoned") == 1


@pytest.mark.parametrize("seconds", [2, 20])  # within the time that it has to end, and not
def test_an_instance_that_swallows_its_cancellation_is_not_tried_again(seconds: int) -> None:
    calls: list[tuple[int, int]] = []
    job = Job("case")

    @job.workload("each", loop=Loop([0, 1], parallel=2), retry=Retry(2, 1.0), ignore_errors=True)
    async def each(ctx: Context, item: int) -> None:
        calls.append((item, ctx.attempt))
        if item == 1:
            try:
                await ctx.clock.sleep(1e6)
            except asyncio.CancelledError:
                await ctx.clock.sleep(seconds)
        raise ModuleError("no luck")

    @job.workload("other")
    async def other(ctx: Context) -> None:
        await ctx.clock.sleep(60)

    played = play(job, Stage())
    assert ("abandoned" in played.log) is (seconds > 5)
    assert calls == [(0, 1), (1, 1), (0, 2)]
