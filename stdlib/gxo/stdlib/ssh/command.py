"""The module `ssh:command`."""

from collections.abc import Mapping

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Duration, ShellText, Size, module, runs_remotely
from gxo.stdlib.ssh._link import ssh_link
from gxo.stdlib.ssh._run import Ran, run
from gxo.stdlib.ssh._shell import command_order, encoded, exports

__all__ = ["Ran", "command"]


@module("ssh:command", changes=True, effects=[runs_remotely("command")], needs=["asyncssh"])
async def command(
    ctx: Context,
    *,
    connection_id: str,
    command: ShellText,
    environment: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
    check: bool = True,
    max_output: Size = 10 * 1024 * 1024,
) -> Ran:
    """Run a command on a host and wait for it.

    The user's shell there runs it, as `ssh host command` does; a value that is put into it goes
    through `shellquote`. Its standard input is empty. It has ended when it has exited and its
    output is closed.

    When the workload is cancelled or the time is up, its process group gets TERM, and KILL after 5
    seconds. OpenSSH does that for all users but root; for root the host needs `sh`.

    In a dry run nothing is run.

    Args:
        connection_id: The handle of a connection of `ssh:connect`.
        command: The line for the shell of the host.
        environment: Variables that are set for it. They are sent apart from the line, which the
            host's users can see; for that the host needs `sh` and `dd`.
        timeout: How long it may take.
        check: Whether another exit code than 0 is a failure.
        max_output: What is kept of standard output, and of standard error; the rest is read and
            dropped, and with it a secret that the cut would fall into.

    Returns:
        `stdout` and `stderr` as text, where bytes that are no UTF-8 become U+FFFD; `exit_code`,
        which is 128 and the signal's number for a command that a signal ended; `truncated`, whether
        something was longer than `max_output`.

    Raises:
        ModuleError: the connection is lost or was closed; the host refuses; the command fails, or
            is not done in time.

    Example:
        name: kernel
        lifecycle: {policy: run_once}
        register: kernel
        process:
          module: ssh:command
          params:
            connection_id: "{{ .web.connection_id }}"
            command: uname -srm
            timeout: 10s
    """
    encoded("command", command)
    if not command.strip():
        raise ParameterError("`command` is empty", hint="give a line for the host's shell")
    header = exports(environment)
    link = await ssh_link(ctx, connection_id)
    # OpenSSH passes no signals on to what root runs.
    order = command_order(command, header, listens=link.user == "root")
    return await run(
        ctx,
        link,
        f"the command {command!r} on {link.host}",
        order,
        {"timeout": timeout, "check": check, "max_output": max_output},
    )
