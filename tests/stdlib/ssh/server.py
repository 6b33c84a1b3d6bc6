"""asyncssh's own server, for what OpenSSH does not do when asked: passwords of nobody, and faults."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
PASSWORD = "correct horse battery"


class _Server(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == PASSWORD


class Scripted(asyncssh.SSHServerSession[bytes]):
    """Gives one reply for each thing that it hears by SFTP, which asyncssh would speak itself, and
    goes then, if it does. heard: when something has come. over: when its channel is closed.
    """

    def __init__(self, replies: Iterable[bytes], *, goes: bool = True) -> None:
        self.heard, self.over = asyncio.Event(), asyncio.Event()
        self._replies = iter(replies)
        self._goes = goes

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.heard.set()
        reply = next(self._replies, None)
        if reply is not None:
            self._channel.write(reply)
        elif self._goes:
            self._channel.exit(0)


def playing(session: Callable[[], Scripted]) -> type[asyncssh.SSHServer]:
    """A server of such sessions."""

    class Server(_Server):
        def session_requested(self) -> Scripted:
            return session()

    return Server


class Served:
    """A running server. connections: those that were made, of which a test may end some."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: list[asyncssh.SSHServerConnection] = []

    @property
    def login(self) -> dict[str, Any]:
        key = HOST_KEY.export_public_key().decode()
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "deploy",
            "password": PASSWORD,
            "known_hosts": f"[127.0.0.1]:{self.port} {key}",
        }


@asynccontextmanager
async def serving(
    answer: Callable[[Any], Any] | None = None,
    server: type[asyncssh.SSHServer] = _Server,
    **options: Any,
) -> AsyncIterator[Served]:
    """A server on a free port. answer: the function that plays each command (`process_factory`)."""
    served = Served()

    def factory() -> asyncssh.SSHServer:
        made = server()
        connected = made.connection_made

        def connection_made(conn: asyncssh.SSHServerConnection) -> None:
            served.connections.append(conn)
            connected(conn)

        made.connection_made = connection_made  # type: ignore[method-assign]
        return made

    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=factory,
        server_host_keys=[HOST_KEY],
        process_factory=answer,
        encoding=None,
        **options,
    )
    served.port = listener.get_port()
    try:
        yield served
    finally:
        listener.close()
        for connection in served.connections:
            connection.abort()
        await asyncio.gather(*(one.wait_closed() for one in served.connections))
        await listener.wait_closed()
