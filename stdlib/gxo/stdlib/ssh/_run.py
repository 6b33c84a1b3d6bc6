"""Run something on a host and tell what came of it, as `ssh:command` and `ssh:script` do."""

import asyncio
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._output import exit_code, failure, output_text, within
from gxo.stdlib.ssh._link import SshLink
from gxo.stdlib.ssh._shell import Order


class Ran(TypedDict):
    """The output as text, and how it ended. truncated: whether there was more output than that."""

    stdout: str
    stderr: str
    exit_code: int
    truncated: bool


class Limits(TypedDict):
    """timeout: seconds, None for as long as it takes. check: whether an exit code is a failure."""

    timeout: float | None
    check: bool
    max_output: int


async def run(ctx: Context, link: SshLink, what: str, order: Order, limits: Limits) -> Ran:
    """Run something on the host of a connection, and wait for its end. what: it in messages."""
    from gxo.stdlib.ssh._session import run_there  # asyncssh is there once it has connected

    most, timeout = limits["max_output"], limits["timeout"]
    if most < 0:
        raise ParameterError(f"`max_output` is {most}: a size cannot be negative")
    try:
        async with asyncio.timeout(timeout):
            ended = await run_there(ctx, link, order, most + ctx.secret_reach)
    except TimeoutError:
        raise ModuleError(f"{what} has not ended within {timeout:g} s") from None
    stdout, is_cut = within(ctx, *ended.stdout, most)
    stderr, is_cut_too = within(ctx, *ended.stderr, most)
    result: Ran = {
        "stdout": await ctx.offload(len(stdout), output_text, stdout, is_cut),
        "stderr": await ctx.offload(len(stderr), output_text, stderr, is_cut_too),
        "exit_code": exit_code(ended.status),
        "truncated": is_cut or is_cut_too,
    }
    if limits["check"] and ended.status != 0:
        hint = "set `check: false` if that is no failure"
        raise failure(what, ended.status, ctx.redact(result["stderr"]), hint=hint)
    return result
