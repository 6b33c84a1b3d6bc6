"""The module `ssh:connect`."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, Secret, WorkspacePath, connects, module, reads
from gxo.stdlib.connection._registry import connections
from gxo.stdlib.ssh._hosts import Hop, way_to
from gxo.stdlib.ssh._link import SshLink

USERS_FILE = "~/.ssh/known_hosts"
"""The one known_hosts file outside the workspace: that of the user who runs the job."""

MAX_KNOWN_HOSTS = 16 * 1024 * 1024


class Connected(TypedDict):
    """The handle of the connection, and who is connected to which host."""

    connection_id: str
    host: str
    user: str


@module(
    "ssh:connect",
    changes="by_call",
    effects=[
        connects("host", at="ssh://{host}:{port}"),
        connects("proxy_jump", at="ssh://{proxy_jump}"),
        reads("known_hosts_path", unless=["known_hosts", "insecure"]),
    ],
    environment=["HOME", "LOGNAME", "SSH_AUTH_SOCK; agent"],
    needs=["asyncssh", "bcrypt"],
    one_of=["password", "private_key", "agent"],
    handle="connection_id",
    returns={"connection_id": [], "host": ["host"], "user": ["user"]},
)
async def connect(
    ctx: Context,
    *,
    host: str,
    port: int = 22,
    user: str,
    password: Secret | None = None,
    private_key: Secret | None = None,
    passphrase: Secret | None = None,
    agent: bool = False,
    known_hosts: str | None = None,
    known_hosts_path: WorkspacePath = USERS_FILE,
    insecure: bool = False,
    proxy_jump: str | None = None,
    timeout: Duration = 30.0,
) -> Connected:
    """Connect to a host by SSH. The connection stays until `connection:close`, or the job's end.

    The host must show a key that a known_hosts file lists for it. The user's own settings
    (`~/.ssh/config`) are not read: what is not said here is not done. A connection that is lost is
    not made again by itself.

    In a dry run no connection is made.

    Args:
        host: The host's name or address.
        port: Where it listens.
        user: Who logs in.
        password: The user's password.
        private_key: The content of a private key, as in `~/.ssh/id_ed25519`.
        passphrase: What opens an encrypted `private_key`.
        agent: Ask the ssh-agent that `SSH_AUTH_SOCK` names for its keys.
        known_hosts: The keys of hosts, as lines of a known_hosts file, instead of a file.
        known_hosts_path: A known_hosts file in the workspace; by default that of the user who runs
            the job, which is outside of it.
        insecure: Accept any key of any host. Whoever is on the way can then read along, and be the
            host.
        proxy_jump: A host to go through, as `user@host:port`, or several of them by comma. Each of
            them must be known as well, and gets the same credentials.
        timeout: How long it may take until the user is logged in.

    Returns:
        `connection_id`, for the other modules of `ssh`; `host` and `user`.

    Raises:
        ParameterError: a host, user or key that can be none.
        SecurityError: a host that has another key than before, or one that is revoked.
        ModuleError: nobody is there, or not in time; a host that is not known; a user who is not
            let in.

    Example:
        name: web
        lifecycle: {policy: run_once}
        register: web
        process:
          module: ssh:connect
          params:
            host: 127.0.0.1
            port: 2222
            user: deploy
            private_key: '{{ secret "DEPLOY_KEY" }}'
            known_hosts_path: known_hosts
    """
    if [password is not None, private_key is not None, agent].count(True) != 1:
        raise ParameterError("give one of `password`, `private_key` and `agent`")
    if passphrase is not None and private_key is None:
        raise ParameterError("`passphrase` is for `private_key`, which is not given")
    way = way_to(user, host, port, proxy_jump)
    target = way[-1].shown
    if ctx.dry_run:
        known = {"host": host, "user": user}
        summary: Connected = ctx.would(f"connect to {target} as {user} by SSH", known)
        return summary
    if insecure:
        ctx.log("warning", f"security: the key of {target} is not verified")
        trusted = None
    else:
        trusted = await ctx.thread(_known_hosts, ctx, known_hosts, known_hosts_path)
    socket = ctx.env("SSH_AUTH_SOCK") if agent else ""
    proofs = (password, private_key, passphrase, socket)
    dial = await ctx.thread(_prepare, way, proofs, trusted)
    registry = await connections(ctx)
    try:
        async with asyncio.timeout(timeout):
            link = await dial()
    except TimeoutError:
        raise ModuleError(f"cannot connect to {target} within {timeout:g} s") from None
    return {"connection_id": registry.add(link, "ssh"), "host": host, "user": user}


def _known_hosts(ctx: Context, content: str | None, path: str) -> tuple[str, str]:
    """The text that says which keys hosts may show, and what messages call it."""
    if content is not None:
        if path != USERS_FILE:
            raise ParameterError("`known_hosts` and `known_hosts_path` exclude each other")
        return content, "`known_hosts`"
    if path != USERS_FILE:
        data = ctx.workspace.read(path, MAX_KNOWN_HOSTS)
    else:
        home = ctx.env("HOME") or os.path.expanduser("~")
        data = _users_file(os.path.join(home, ".ssh", "known_hosts"))
    return data.decode(errors="replace"), path


def _users_file(path: str) -> bytes:
    """The user's own list; without one, no host is known."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_KNOWN_HOSTS)
    except FileNotFoundError:
        return b""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModuleError(f"cannot read {USERS_FILE}: {reason}") from error


def _prepare(
    way: list[Hop],
    proofs: tuple[str | None, str | None, str | None, str],
    trusted: tuple[str, str] | None,
) -> Callable[[], Awaitable[SshLink]]:
    """What takes a while, for a thread: loading asyncssh, opening a key, reading known hosts."""
    from gxo.stdlib.ssh._client import check_runner, check_user, credentials, dial
    from gxo.stdlib.ssh._trust import read_known_hosts

    check_runner()
    for hop in way:
        check_user(hop.user)
    hosts = [(hop.host, hop.port) for hop in way]
    known = read_known_hosts(*trusted, hosts) if trusted is not None else None
    return partial(dial, way, credentials(*proofs), known)
