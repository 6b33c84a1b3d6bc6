"""policies, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Job, Retry, expr
from gxo.stdlib.control import identity as control_identity
from gxo.stdlib.exec import Executed, exec_
from gxo.stdlib.filesystem.write import Written, write as filesystem_write

job = Job(
    "policies",
    vars={"address": lambda ctx: f"https://example.com/?token={ctx.secret('API_TOKEN')}"},
    secrets=["API_TOKEN"],
)


# flaky: exec
@job.workload(
    "flaky", retry=Retry(attempts=3, delay=0.01, max_delay=1.0, backoff=2, jitter=0.1), timeout=30.0
)
async def flaky(ctx: Context) -> Executed:
    return await exec_(ctx, command="test -e once || { touch once; exit 3; }", shell=True)


# optional: exec
@job.workload("optional", register="optional", ignore_errors=True)
async def optional(ctx: Context) -> Executed:
    return await exec_(ctx, command="false")


# note: filesystem:write
@job.on_failure("optional", "note")
async def note(ctx: Context) -> Written:
    return await filesystem_write(
        ctx, path="failed.txt", content=f"{ctx.failure.workload}: {expr.text(ctx.failure.error)}"
    )


# after-optional: control:identity
@job.workload(
    "after-optional",
    observes=["optional"],
    when=lambda ctx: ctx.workloads["optional"].status == "Failed",
)
async def after_optional(ctx: Context) -> dict[str, Any]:
    return await control_identity(
        ctx, said=expr.ask(ctx.state.get("optional"), "stdout") or "nothing"
    )


# quiet: exec
@job.workload("quiet", register="quiet", after=["flaky"], secrets=["API_TOKEN"])
async def quiet(ctx: Context) -> Executed:
    return await exec_(
        ctx,
        command="printenv",
        args=["TOKEN"],
        env={"TOKEN": ctx.secret("API_TOKEN"), "ADDRESS": ctx.vars["address"]},
    )


# unread: exec
@job.workload("unread", when=lambda ctx: False)
async def unread(ctx: Context) -> None:
    """Never called: it cannot run."""


# tidy: exec
@job.cleanup("tidy")
async def tidy(ctx: Context) -> Executed:
    return await exec_(ctx, command="rm", args=["-f", "once"])
