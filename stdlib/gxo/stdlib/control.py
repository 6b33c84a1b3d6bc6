"""Modules that steer a job: values, checks, pauses and meeting points."""

# Every module takes the context, whether it needs it or not:
# ruff: noqa: ARG001

from collections.abc import Mapping
from typing import Any, TypedDict, TypeVar

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Condition, Duration, Message, module
from gxo.runtime.streams.ports import Records

T = TypeVar("T")


class Asserted(TypedDict):
    condition_met: bool
    evaluated_value: bool


class Synchronized(TypedDict):
    synchronized_streams: int


class Signalled(TypedDict):
    """resume_payload: what came with the signal."""

    resume_token: str
    resume_payload: Any


class Slept(TypedDict):
    slept: float


class Never(TypedDict):
    pass


@module("control:identity", idempotent=True)
async def identity(ctx: Context, /, **values: T) -> dict[str, T]:
    """Give back its parameters: a place to name values that others use.

    Returns:
        The parameters.

    Example:
        name: names
        lifecycle: {policy: run_once}
        process:
          module: control:identity
          params:
            service: shop
            ports: [8080, 8443]
        register: names
    """
    return values


@module("control:assert", idempotent=True)
async def assert_(
    ctx: Context, *, condition: Condition, fail_message: Message | None = None
) -> Asserted:
    """Fail unless a condition holds.

    Args:
        condition: what must hold
        fail_message: the error's text when it does not

    Returns:
        `condition_met` and `evaluated_value`, both true.

    Raises:
        The condition does not hold.

    Example:
        name: enough
        lifecycle: {policy: run_once}
        process:
          module: control:assert
          params:
            condition: "{{ 3 }} >= 2"
            fail_message: at least two hosts are needed
    """
    if not condition:
        raise ModuleError(fail_message or "the condition does not hold")
    return {"condition_met": True, "evaluated_value": condition}


@module("control:barrier", idempotent=True)
async def barrier(ctx: Context, records: Records) -> Synchronized:
    """Wait until all its stream inputs have ended; their records are dropped.

    Returns:
        `synchronized_streams`, the number of stream inputs.

    Example:
        name: both-built
        lifecycle: {policy: run_once}
        process:
          module: control:barrier
        stream_inputs: [build-site, build-api]
    """
    async for _ in records:
        pass
    return {"synchronized_streams": len(records.pipes)}


@module("control:sleep", idempotent=True)
async def sleep(ctx: Context, *, duration: Duration) -> Slept:
    """Wait for some time; a dry run does not.

    Args:
        duration: how long

    Returns:
        `slept`, the seconds.

    Example:
        name: settle
        lifecycle: {policy: run_once}
        process:
          module: control:sleep
          params:
            duration: 100ms
    """
    if not 0 <= duration < float("inf"):
        raise ParameterError(f"`duration` is {duration}: it is a time of 0 or more")
    if not ctx.dry_run:
        await ctx.clock.sleep(duration)
    return {"slept": duration}


@module("control:wait_for_signal", idempotent=True, pauses=True, returns={"resume_token": []})
async def wait_for_signal(ctx: Context, *, context: Mapping[str, Any] | None = None) -> Signalled:
    """Pause until somebody outside says how to go on, such as a person who approves.

    The workload is Paused, for as long as that takes, and has a token that is of use once; with it
    comes the answer. Only `gxo daemon` can keep a job that long: `gxo run` and `job.pyz` refuse a
    playbook with it.
    It cannot stand in `on_failure`, `finally` or a pipeline.

    A dry run does not wait, and does not know the answer.

    Args:
        context: what whoever decides is shown

    Returns:
        `resume_token`, and `resume_payload`: the data that came with the signal.

    Raises:
        Nobody can give a signal, as the job does not run under `gxo daemon`.

    Example:
        name: approval
        lifecycle: {policy: run_once}
        register: approval
        process:
          module: control:wait_for_signal
          params:
            context: {release: shop-7, host: shop.example.org}
    """
    if ctx.dry_run:
        foreseen: Signalled = ctx.would("wait for a signal from outside", changes=False)
        return foreseen
    from secrets import token_urlsafe  # start-up

    token = token_urlsafe(32)
    payload = await ctx.signal(token, context or {})
    return {"resume_token": token, "resume_payload": payload}


@module("control:fail", idempotent=True)
async def fail(ctx: Context, *, message: Message) -> Never:
    """Fail with a message.

    Args:
        message: the error's text

    Raises:
        Always.

    Example:
        name: refuse
        lifecycle: {policy: run_once}
        process:
          module: control:fail
          params:
            message: this playbook is for staging only
        ignore_errors: true
    """
    raise ModuleError(message or "the playbook asked for a failure")
