"""Small jobs for the tests of what watches a run."""

from typing import Any

from gxo.runtime import Context, Job

SECRET = "s3cr3t-value"


def simple(workloads: int = 1) -> Job:
    """A job whose workloads do nothing."""
    job = Job("case")

    async def nothing(ctx: Context) -> dict[str, Any]:
        return {}

    for number in range(workloads):
        job.workload(f"w{number}")(nothing)
    return job


def talkative() -> Job:
    """A job that reads a secret, retries, loops, skips, ignores a failure, and fails."""
    job = Job("talkative", secrets=["TOKEN"])

    @job.workload("told", secrets=["TOKEN"])
    async def told(ctx: Context) -> dict[str, Any]:
        ctx.log("info", f"the token is {ctx.secret('TOKEN')}", token=ctx.secret("TOKEN"))
        return {}

    @job.workload("off", when=lambda ctx: False)
    async def off(ctx: Context) -> dict[str, Any]:
        return {}

    @job.workload("bad", after=["told"])
    async def bad(ctx: Context) -> dict[str, Any]:
        raise ValueError(f"refused: {SECRET}")

    return job
