"""The module `ssh:script`."""

import os
from collections.abc import Mapping, Sequence

from gxo.runtime.context import Context
from gxo.runtime.spec import Argument, Duration, Size, WorkspacePath, module, reads, runs_remotely
from gxo.stdlib.ssh._link import ssh_link
from gxo.stdlib.ssh._run import Ran, run
from gxo.stdlib.ssh._shell import encoded, exports, script_order

__all__ = ["Ran", "script"]

MAX_SCRIPT = 16 * 1024 * 1024


@module(
    "ssh:script",
    changes=True,
    effects=[reads("script_path"), runs_remotely("script_path", args="script_args")],
    needs=["asyncssh"],
)
async def script(
    ctx: Context,
    *,
    connection_id: str,
    script_path: WorkspacePath,
    script_args: Sequence[Argument] = (),
    environment: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
    check: bool = True,
    max_output: Size = 10 * 1024 * 1024,
) -> Ran:
    """Run a script of the workspace on a host and wait for it.

    It is kept there as a temporary file that only the user can read, run by what its first line
    names (`#!/usr/bin/env python3`; `sh` without one), and removed: when it has ended, when it is
    cancelled, and also when the connection is lost meanwhile, as soon as it ends then. The host
    needs `sh` and a folder for temporary files (`TMPDIR`, else `/tmp`) that programs may run from.

    It is cancelled as `ssh:command` is. In a dry run nothing is run.

    Args:
        connection_id: The handle of a connection of `ssh:connect`.
        script_path: The script, in the workspace.
        script_args: Its arguments, each passed as it is.
        environment: Variables that are set for it. They are in no list of processes.
        timeout: How long it may take.
        check: Whether another exit code than 0 is a failure.
        max_output: What is kept of standard output, and of standard error; the rest is read and
            dropped, and with it a secret that the cut would fall into.

    Returns:
        As for `ssh:command`: `stdout`, `stderr`, `exit_code` and `truncated`.

    Raises:
        ModuleError: there is no such script; the connection is lost or was closed; the script
            fails, or is not done in time.

    Example:
        name: facts
        lifecycle: {policy: run_once}
        register: facts
        process:
          module: ssh:script
          params:
            connection_id: "{{ .web.connection_id }}"
            script_path: facts.sh
            script_args: [--disk, /srv/my data]
    """
    header = exports(environment)
    for word in script_args:
        encoded("script_args", word)
    link = await ssh_link(ctx, connection_id)
    content = await ctx.thread(ctx.workspace.read, script_path, MAX_SCRIPT)
    order = script_order(f"gxo-{os.urandom(16).hex()}", header, content, script_args)
    return await run(
        ctx,
        link,
        f"the script {script_path!r} on {link.host}",
        order,
        {"timeout": timeout, "check": check, "max_output": max_output},
    )
