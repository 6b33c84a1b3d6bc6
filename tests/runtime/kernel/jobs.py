"""Small jobs for the tests with real processes: `python jobs.py NAME [OPTIONS]`.

Each writes a line to standard error when it is where the test wants it, so that no test sleeps.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from gxo.runtime import Context, Job
from gxo.runtime.kernel.run import Limits, Run
from gxo.runtime.main import main

JOBS: dict[str, Callable[[Job], None]] = {}


def job(add: Callable[[Job], None]) -> Callable[[Job], None]:
    JOBS[add.__name__] = add
    return add


def ready(text: str = "ready") -> None:
    os.write(2, f"{text}\n".encode())


async def for_ever() -> None:
    await asyncio.sleep(1e6)


@job
def empty(job: Job) -> None:
    @job.workload("a", register="a")
    async def a(ctx: Context) -> dict[str, Any]:
        return {"x": 1}


@job
def waits(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        ready(f"in {ctx.workspace.path}")
        await for_ever()

    @job.cleanup("last")
    async def last(ctx: Context) -> None:
        ctx.log("info", f"last sees {ctx.status}")


@job
def cleans_up_for_ever(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        ready()
        await for_ever()

    @job.cleanup("last")
    async def last(ctx: Context) -> None:
        ready("cleaning")
        await for_ever()


@job
def blocks_the_loop(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        ready()
        while not ctx._run.ending.interrupted:
            threading.Event().wait(0.01)
        ready("interrupted")
        threading.Event().wait()


@job
def stalls(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx.clock.sleep(0.6)  # long enough for a progress line
        await asyncio.get_running_loop().create_future()


@job
def ignores_cancellation(job: Job) -> None:
    @job.workload("stubborn")
    async def stubborn(ctx: Context) -> None:
        while True:
            try:
                await for_ever()
            except asyncio.CancelledError:
                ready("not me")

    @job.workload("bad")
    async def bad(ctx: Context) -> None:
        raise ValueError("no luck")


@job
def hangs_in_a_thread(job: Job) -> None:
    @job.workload("stubborn")
    async def stubborn(ctx: Context) -> None:
        await ctx.thread(threading.Event().wait)

    @job.workload("bad")
    async def bad(ctx: Context) -> None:
        raise ValueError("no luck")


@job
def kills_itself(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await for_ever()


@job
def leaves_a_task(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        async def fail() -> None:
            raise ValueError("nobody waits for me")

        asyncio.create_task(fail())  # noqa: RUF006 - that is what it is here for
        await asyncio.sleep(0)


@job
def prints_a_lot(job: Job) -> None:
    @job.workload("a", register="a")
    async def a(ctx: Context) -> dict[str, Any]:
        return {"text": "x" * 1_000_000}


COMMAND = """
exec 3> "$ALIVE"
trap '' TERM INT HUP
sleep 1000 &
sh -c 'sleep 1000 & wait' &
echo $$
wait
"""


async def command(ctx: Context) -> None:
    """Run a command that has children and ignores all but KILL; says its process group."""
    from gxo.runtime.host.process import spawn

    loop = ctx._run.loop
    child = spawn(["sh", "-c", COMMAND], cwd="/", environment=dict(os.environ), stdin=False)
    try:
        group = (await child.stdout.read()).decode().strip()
        assert loop.watcher._process is not None
        ready(f"runs {group} {loop.watcher._process.pid}")
        await child.wait()
    except BaseException:
        ctx.end_within(60)
        await child.end(ctx.clock)
        raise


@job
def runs_commands(job: Job) -> None:
    job.workload("a")(command)
    job.workload("b")(command)


@job
def cleans_up_by_command(job: Job) -> None:
    job.workload("a")(nothing)
    job.cleanup("last")(command)


@job
def abandons_a_command(job: Job) -> None:
    @job.workload("stubborn")
    async def stubborn(ctx: Context) -> None:
        task = asyncio.create_task(command(ctx))
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                ready("not me")


def fill(path: str) -> None:
    """Make a workspace hard to remove: many files, closed folders, a process that works in it."""
    os.makedirs(f"{path}/closed/deep")
    os.makedirs(f"{path}/many")
    for number in range(int(os.environ["GXO_TEST_FILES"])):
        os.close(os.open(f"{path}/many/{number}", os.O_CREAT))
    os.close(os.open(f"{path}/closed/deep/file", os.O_CREAT, 0o400))
    os.chmod(f"{path}/closed/deep", 0)
    os.chmod(f"{path}/closed", 0o500)
    if os.posix_spawn("/bin/sh", ["sh", "-c", HOLDER], {"IN": path, **os.environ}, setsid=True):
        with open(os.environ["HELD"], encoding="ascii") as held:
            held.read(1)


HOLDER = """
cd "$IN"; exec > held 2> /dev/null; echo > "$HELD"; read x < "$RELEASE"
"""


@job
def fills_its_workspace(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        fill(ctx.workspace.path)
        ready(f"in {ctx.workspace.path}")
        match os.environ["GXO_TEST_END"]:
            case "failure":
                raise ValueError("no luck")
            case "abandoned":
                while True:
                    try:
                        await for_ever()
                    except asyncio.CancelledError:
                        ready("not me")
            case "waits":
                await for_ever()


@job
def fills_its_disk(job: Job) -> None:
    @job.workload("a")
    async def a(ctx: Context) -> None:
        for number in range(40):
            ctx.workspace.write(f"file-{number}", bytes(10_000))
        ctx.workspace.write("large", (bytes(1000) for _ in range(10_000)))


async def nothing(ctx: Context) -> None:
    pass


def breaks(job: Job) -> None:
    """A defect of gxo itself."""

    def broken(run: Run, node: object) -> None:
        raise RuntimeError("a broken part of gxo")

    Run.ended = broken  # type: ignore[method-assign, assignment]
    empty(job)


JOBS["breaks"] = breaks

if __name__ == "__main__":
    made = Job(sys.argv[1])
    JOBS[sys.argv[1]](made)
    if "GXO_TEST_GRACE" in os.environ:
        grace = float(os.environ["GXO_TEST_GRACE"])
        Limits.__init__.__defaults__ = (grace, grace, 30.0)
        from gxo.runtime.host import process

        process.GRACE = grace
    sys.exit(main(made, None, sys.argv[2:]))
