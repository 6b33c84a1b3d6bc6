"""asyncssh as gxo uses it: without the user's own settings, and with its errors turned into ours.

It is imported when a job makes its first connection, in a thread: that takes a while.
"""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh
from asyncssh import agent as asyncssh_agent
from asyncssh.saslprep import SASLPrepError, saslprep

from gxo.runtime.errors import ModuleError, ParameterError, WorkloadError
from gxo.stdlib._reasons import reason as why
from gxo.stdlib.ssh._hosts import Hop
from gxo.stdlib.ssh._link import SshLink, hang_up
from gxo.stdlib.ssh._trust import HostKeys, refusal

KEEPALIVE = 15
"""Seconds of silence after which the host is asked whether it is there; it may miss two."""

START_AGENT = "start one by `eval $(ssh-agent)`, and give it a key by `ssh-add`"

_LONGEST = 300
"""Characters of what a host says that messages show."""


@dataclass(frozen=True)
class Credentials:
    """How the user proves who it is.

    hint: what to look at when that is not accepted. agent: the socket of one that has the keys.
    """

    options: dict[str, Any]
    hint: str
    agent: str = ""


def credentials(
    password: str | None, private_key: str | None, passphrase: str | None, agent: str
) -> Credentials:
    """Those of a password, a key or an agent, whichever is given.

    ParameterError for a key that cannot be read, ModuleError when there is no agent.
    """
    if password is not None:
        options = {
            "password": password,
            "client_keys": None,
            "preferred_auth": "password,keyboard-interactive",
        }
        return Credentials(options, "check user and password, and that the host allows them")
    if private_key is not None:
        key = _read_key(private_key, passphrase)
        public = f"its authorized_keys must list the key {key.get_fingerprint()}"
        return Credentials({"client_keys": [key], "preferred_auth": "publickey"}, public)
    if not agent:
        raise ModuleError("there is no ssh-agent: SSH_AUTH_SOCK is not set", hint=START_AGENT)
    return Credentials({}, "its authorized_keys must list a key of `ssh-add -l`", agent)


def check_user(user: str) -> None:
    """ParameterError for a name that SSH cannot say (RFC 4252, section 5; RFC 4013)."""
    try:
        saslprep(user)
    except SASLPrepError:
        raise ParameterError(f"`user` is {user!r}, which can be no user") from None


def check_runner() -> None:
    """ModuleError for who runs the job without a name: asyncssh asks for one, and uses it for no
    more than settings that are not read."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # as in a container that is run with any number for a user
        raise ModuleError(
            f"the user who runs the job, {os.getuid()}, has no name on this host",
            hint="set LOGNAME in its environment, to anything",
        ) from None


def _read_key(text: str, passphrase: str | None) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text, passphrase)
    except asyncssh.KeyEncryptionError:
        message = "`private_key` is encrypted, and the passphrase does not open it"
        raise ParameterError(message) from None
    except ValueError as error:
        if "assphrase" in str(error):
            message = "`private_key` is encrypted"
            raise ParameterError(message, hint="`passphrase` opens it") from None
        raise ParameterError(
            "`private_key` is no private key that can be read",
            hint="it is the content of a file such as ~/.ssh/id_ed25519, with all its lines",
        ) from None


async def _of_agent(agent: asyncssh_agent.SSHAgentClient, hint: str) -> Credentials:
    try:
        keys = list(await agent.get_keys())
    except (OSError, ValueError):
        message = "the ssh-agent that SSH_AUTH_SOCK names does not answer"
        raise ModuleError(message, hint=START_AGENT) from None
    if not keys:
        raise ModuleError("the ssh-agent holds no key", hint="`ssh-add` gives it one")
    return Credentials({"client_keys": keys, "preferred_auth": "publickey"}, hint)


async def dial(way: list[Hop], credentials: Credentials, known: list[HostKeys] | None) -> SshLink:
    """Connect to the last host of the way, through the others. ModuleError when that fails.

    known: what is known of each host; None accepts any key of any host.
    """
    opened: list[asyncssh.SSHClientConnection] = []
    try:
        async with asyncssh_agent.SSHAgentClient(credentials.agent) as agent:
            if credentials.agent:
                credentials = await _of_agent(agent, credentials.hint)
            for index, hop in enumerate(way):
                keys = known[index] if known is not None else None
                opened.append(await _connect(hop, credentials, keys, opened[-1:]))
    except BaseException:
        await hang_up(opened)
        raise
    return SshLink(opened, way[-1].shown, way[-1].user)


async def _connect(
    hop: Hop,
    credentials: Credentials,
    keys: HostKeys | None,
    through: list[asyncssh.SSHClientConnection],
) -> asyncssh.SSHClientConnection:
    watcher = _Watcher()
    checks: dict[str, Any] = {"known_hosts": None}
    if keys is not None:
        known_hosts = (keys.trusted, keys.authorities, keys.revoked)
        checks = {"known_hosts": known_hosts, "server_host_key_algs": keys.algorithms()}
    try:
        with foreign_errors(hop.shown):
            return await asyncssh.connect(
                hop.host,
                hop.port,
                tunnel=through[0] if through else None,
                username=hop.user,
                config=None,
                client_factory=lambda: watcher,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
                x509_trusted_cert_paths=None,
                compression_algs=["none"],
                connect_timeout=None,
                login_timeout=0,
                keepalive_interval=KEEPALIVE,
                **checks,
                **credentials.options,
            )
    except _NotTrusted:
        assert keys is not None
        raise refusal(hop.shown, watcher.refused, keys) from None
    except _NotAllowed:
        message = f"{hop.shown} does not let {hop.user!r} in"
        raise ModuleError(message, hint=credentials.hint) from None


class _Watcher(asyncssh.SSHClient):
    """Remembers the key that was refused."""

    def __init__(self) -> None:
        self.refused: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 - asyncssh's
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        self.refused = key
        return False

    validate_host_ca_key = validate_host_public_key


class _NotTrusted(Exception):  # noqa: N818 - it never leaves this file
    """The host's key is not accepted."""


class _NotAllowed(Exception):  # noqa: N818 - as above
    """The user is not accepted."""


@contextmanager
def foreign_errors(target: str, link: SshLink | None = None) -> Iterator[None]:
    """Raise what asyncssh raises as ours, naming the target; link: the connection that is used."""
    try:
        yield
    except WorkloadError:
        raise
    except Exception as error:
        if link is not None and is_lost(link, error):
            raise link.lost() from error
        raise _ours(target, error, connected=link is not None) from error


def is_lost(link: SshLink, error: Exception) -> bool:
    """Whether an error means that there is no connection any more."""
    if isinstance(error, asyncssh.ChannelOpenError):  # which may come before it is closed
        return link.is_over or error.reason == "SSH connection closed"
    return link.is_over or isinstance(error, asyncssh.ConnectionLost)


def _ours(target: str, error: Exception, *, connected: bool) -> Exception:
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return _NotTrusted()
        case asyncssh.PermissionDenied():
            return _NotAllowed()
        case asyncssh.KeyExchangeFailed(reason=reason):
            what = f"{target} and gxo have no way to encrypt in common: {said(reason)}"
        case asyncssh.ConnectionLost():
            what = f"{target} has closed the connection"
        case asyncssh.ChannelOpenError(reason=reason) if not connected:
            what = f"cannot connect to {target}: {said(reason).lower()}"  # says the host before it
        case asyncssh.ChannelOpenError(reason=reason):
            return ModuleError(
                f"{target} refuses to do that: {said(reason)}",
                hint="a connection carries only so many commands at a time (`MaxSessions` of "
                "sshd), and a host may forbid some",
            )
        case asyncssh.ProtocolError(reason=reason) | asyncssh.ProtocolNotSupported(reason=reason):
            what = f"{target} does not speak SSH: {said(reason)}"
        case asyncssh.DisconnectError(reason=reason):
            what = f"{target} has ended the connection: {said(reason)}"
        case OSError():
            what = f"cannot connect to {target}: {why(error)}"
        case _:  # a packet that asyncssh stumbles over
            what = f"{target} breaks the rules of SSH: {said(error)}"
    return ModuleError(what)


def said(what: object) -> str:
    """What the other side says, for a message: on one line, and not for ever."""
    text = " ".join(str(what).split()) or type(what).__name__
    printable = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}..."
