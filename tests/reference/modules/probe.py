"""Probes: modules that do what a test playbook tells them, and note when they were called.

    process: {module: probe:call, params: {value: 7, takes: 40, fails: 2}}

works for 40 microseconds an attempt, fails in the first two and returns `{value: 7}` in the third.
Times are whole microseconds. All probes have `takes` and `fails`; those that handle records also
have `every`, the time after each of them, and `fails_at`, the number of the record at which they
fail. A record is `{path, n}`: who made and passed it, and its number.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record, module
from gxo.runtime.streams.ports import Out, Records


class Called(TypedDict):
    value: Any


class Sent(TypedDict):
    sent: int


class Seen(TypedDict):
    seen: dict[str, list[int]]


@module("probe:call")
async def call(ctx: Context, *, value: Any = None, takes: int = 0, fails: int = 0) -> Called:
    """Give back a value.

    Args:
        value: what to return
        takes: the microseconds of an attempt
        fails: how many attempts fail first
    """
    with noted(ctx):
        await _work(ctx, takes, fails)
        return {"value": value}


@module("probe:send")
async def send(
    ctx: Context,
    out: Out | None,
    *,
    count: int = 0,
    takes: int = 0,
    fails: int = 0,
    every: int = 0,
    fails_at: int = 0,
) -> Sent:
    """Send records, one at a time.

    Args:
        count: how many
        takes: the microseconds before the first
        fails: how many attempts fail before they send
        every: the microseconds after each record
        fails_at: the number of the record that cannot be made; 0 for none
    """
    with noted(ctx):
        await _work(ctx, takes, fails)
        path = ctx.workload if ctx.iteration is None else f"{ctx.workload}[{ctx.iteration}]"
        for number in range(1, count + 1):
            if number == fails_at:
                raise ModuleError(f"cannot make record {number}")
            if out is not None:
                await out.send([{"path": path, "n": number}])
            await _wait(ctx, every)
        return {"sent": count}


@module("probe:pass")
async def pass_(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    takes: int = 0,
    fails: int = 0,
    every: int = 0,
    fails_at: int = 0,
    closes_at: int = 0,
    bad: list[int] | None = None,
) -> Seen:
    """Send each record on, with the workload's name added to its path.

    Args:
        takes: the microseconds before the first read
        fails: how many attempts fail before they read
        every: the microseconds after each record
        fails_at: the number of the record at which it fails; 0 for none
        closes_at: the number of the record after which it reads no more; 0 for none
        bad: numbers of records that cannot be processed

    Returns:
        The numbers of the records by path, in the order in which they came.
    """
    with noted(ctx):
        await _work(ctx, takes, fails)
        seen: dict[str, list[int]] = {}
        number = 0
        async for batch in records:
            for record in batch:
                number += 1
                if number == fails_at:
                    raise ModuleError(f"stumbled over record {number}")
                if number in (bad or ()):
                    await ctx.record_failed(record, ModuleError("a bad record"), number)
                else:
                    path, made = _origin(record)
                    seen.setdefault(path, []).append(made)
                    if out is not None:
                        await out.send([{"path": f"{path}/{ctx.workload}", "n": made}])
                if number == closes_at:
                    records.close()
                    return {"seen": seen}
                await _wait(ctx, every)
        return {"seen": seen}


@module("probe:read")
async def read(
    ctx: Context,
    records: Records,
    *,
    takes: int = 0,
    fails: int = 0,
    every: int = 0,
    fails_at: int = 0,
    closes_at: int = 0,
    bad: list[int] | None = None,
) -> Seen:
    """Read records: `probe:pass` that sends nothing.

    Args:
        takes: the microseconds before the first read
        fails: how many attempts fail before they read
        every: the microseconds after each record
        fails_at: the number of the record at which it fails; 0 for none
        closes_at: the number of the record after which it reads no more; 0 for none
        bad: numbers of records that cannot be processed

    Returns:
        The numbers of the records by path, in the order in which they came.
    """
    return await pass_(
        ctx,
        records,
        None,
        takes=takes,
        fails=fails,
        every=every,
        fails_at=fails_at,
        closes_at=closes_at,
        bad=bad,
    )


def _origin(record: Record) -> tuple[str, int]:
    """Path and number of a record, or of one that stands for a record that failed."""
    if "record" in record:
        return f"{record['workload']}.errors", record["number"]
    return record["path"], record["n"]


async def _work(ctx: Context, takes: int, fails: int) -> None:
    await _wait(ctx, takes)
    if ctx.attempt <= fails:
        raise ModuleError(f"attempt {ctx.attempt} fails")


async def _wait(ctx: Context, microseconds: int) -> None:
    if microseconds:
        await ctx.clock.sleep(microseconds / 1_000_000)


@contextmanager
def noted(ctx: Context) -> Iterator[None]:
    """Note the beginning and the end of a call, where the test's clock keeps them."""
    note = ctx.clock.note  # type: ignore[attr-defined]
    call = (ctx.workload, ctx.iteration, ctx.attempt)
    note(call, "begins")
    try:
        yield
    except Exception:
        note(call, "fails")
        raise
    except BaseException:
        note(call, "is cancelled")
        raise
    note(call, "returns")
