"""What can go wrong on the way of a request: each phase that takes too long or is cancelled, and peers
that answer with anything."""

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.http.request import request
from tests.stdlib.harness import Bench, bench, run
from tests.stdlib.http.server import serving

Peer = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
LARGE = 20_000_000


@contextlib.contextmanager
def peer(play: Peer | None, backlog: int = 5) -> Iterator[tuple[int, threading.Event]]:
    """A port whose connections a function plays, in a thread; with none, nobody takes them.

    The event is set when the first connection is there.
    """
    there, over = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:

        def take() -> None:
            while not over.is_set():
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    there.set()
                    if play is not None and not over.is_set():
                        play(connection, over)

        port = listener.getsockname()[1]
        thread = threading.Thread(target=take)
        if play is not None:
            thread.start()
        try:
            yield port, there
        finally:
            over.set()
            if play is not None:
                with socket.create_connection(("127.0.0.1", port)):
                    thread.join()


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Take what is sent, and say nothing."""
    while connection.recv(65536):
        pass


def deaf(connection: socket.socket, over: threading.Event) -> None:
    """Take one byte, and nothing more until the test is over."""
    connection.recv(1)
    over.wait(20)


def saying(*parts: bytes) -> Peer:
    """Answer with these bytes, and then nothing more."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
        silent(connection, over)

    return play


@contextlib.asynccontextmanager
async def facing(
    folder: Path, play: Peer | None
) -> AsyncIterator[tuple[Bench, int, threading.Event]]:
    """A bench and a peer; when both have ended, no connection may be left on either side."""
    async with bench(folder) as workbench:
        with contextlib.ExitStack() as stack:
            port, there = stack.enter_context(peer(play, 5 if play else 0))
            if play is None:
                stack.enter_context(filled(port))
            yield workbench, port, there
            await workbench.run.shared.close()
            # In a thread: the peer waits for its connections, which the loop has yet to close.
            await workbench.context.thread(stack.close)


PHASES: dict[str, tuple[str, Peer | None, dict[str, Any], str]] = {
    "connecting": ("http", None, {}, "it did not take the connection"),
    "TLS": ("https", silent, {}, "it did not end the TLS handshake"),
    "sending": ("http", deaf, {"method": "PUT", "body_from": "large"}, "it did not take the body"),
    "waiting": ("http", silent, {}, "it did not begin to answer"),
    "reading": ("http", saying(HEAD, b"half"), {}, "the answer did not end"),
    "downloading": ("http", saying(HEAD, b"half"), {"download_to": "a"}, "the answer did not end"),
}


def prepared(folder: Path) -> list[str]:
    with open(folder / "large", "wb") as file:
        file.truncate(LARGE)
    return ["large"]


@contextlib.contextmanager
def filled(port: int) -> Iterator[None]:
    """Connections that wait to be taken, so that further ones are not answered."""
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield


async def failure(workbench: Bench, **params: Any) -> str:
    with pytest.raises(ModuleError) as caught:
        await request(workbench.context, **params)
    error = caught.value.with_traceback(None)
    error.__cause__ = error.__context__ = None  # which keep httpx's generators alive
    return str(error)


@pytest.mark.parametrize("name", PHASES)
def test_each_phase_has_its_end(name: str, tmp_path: Path) -> None:
    scheme, play, params, why = PHASES[name]
    before = prepared(tmp_path)

    async def ask() -> tuple[int, str]:
        async with facing(tmp_path, play) as (workbench, port, _):
            url = f"{scheme}://127.0.0.1:{port}/?key=s3cret"
            return port, await failure(workbench, url=url, timeout=0.2, **params)

    port, told = run(ask())
    assert told == f"no complete answer from {scheme}://127.0.0.1:{port}/ within 0.2 s: {why}"
    assert [path.name for path in tmp_path.iterdir()] == before


@pytest.mark.parametrize("name", [name for name in PHASES if name != "connecting"])
def test_each_phase_can_be_cancelled(name: str, tmp_path: Path) -> None:
    scheme, play, params, _ = PHASES[name]
    before = prepared(tmp_path)

    async def cancel() -> None:
        async with facing(tmp_path, play) as (workbench, port, there):
            asking = asyncio.ensure_future(
                request(workbench.context, url=f"{scheme}://127.0.0.1:{port}/", **params)
            )
            assert await workbench.context.thread(there.wait, 10)
            for _ in range(random.Random(name).randrange(20)):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()

    run(cancel())
    assert [path.name for path in tmp_path.iterdir()] == before


def test_a_file_that_becomes_shorter_while_it_is_sent(tmp_path: Path) -> None:
    prepared(tmp_path)

    def shorten(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(1)
        with open(tmp_path / "large", "r+b") as file:
            file.truncate(1)
        silent(connection, over)

    async def ask() -> str:
        async with facing(tmp_path, shorten) as (workbench, port, _):
            url = f"http://127.0.0.1:{port}/"
            return await failure(workbench, url=url, method="POST", body_from="large")

    assert run(ask()) == "'large' became shorter while it was sent"


def test_an_answer_before_the_body_was_taken(tmp_path: Path) -> None:
    prepared(tmp_path)

    def refuse(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        silent(connection, over)

    async def ask() -> int:
        async with facing(tmp_path, refuse) as (workbench, port, _):
            url = f"http://127.0.0.1:{port}/"
            answer = await request(workbench.context, url=url, method="POST", body_from="large")
            return answer["status_code"]

    assert run(ask()) == 413


def test_ipv6(tmp_path: Path) -> None:
    async def play() -> tuple[str, str, int]:
        async with bench(tmp_path) as workbench:
            with contextlib.ExitStack() as stack:
                server = stack.enter_context(serving({"/": {"body": "six"}}, host="::1"))
                port = server.server_address[1]
                answer = await request(workbench.context, url=f"http://[::1]:{port}/")
                await workbench.run.shared.close()
                await workbench.context.thread(stack.close)
            return answer["body"], server.requests[0]["headers"]["host"], port

    body, host, port = run(play())
    assert (body, host) == ("six", f"[::1]:{port}")


REPLIES = [
    HEAD + b"0123456789",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}',
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=x\r\nContent-Length: 4\r\n\r\n<a/>",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
]


def garbled(chance: random.Random) -> bytes:
    reply = bytearray(chance.choice(REPLIES) + chance.choice(REPLIES)[: chance.randrange(40)])
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(reply) + 1)
        reply[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
    return bytes(reply)


def test_200_replies_of_garbage(tmp_path: Path) -> None:
    """Each is an answer or one error, in time; nothing stays open."""
    chance = random.Random(7)

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(5)
        connection.recv(65536)
        connection.sendall(garbled(chance))

    async def play() -> list[str]:
        told = []
        async with facing(tmp_path, answer) as (workbench, port, _):
            for _ in range(200):
                url = f"http://127.0.0.1:{port}/?key=s3cret"
                try:
                    await request(workbench.context, url=url, timeout=5.0)
                except (ModuleError, ParameterError) as error:
                    told.append(f"{error}")
        return told

    told = run(play())
    assert len(told) > 100
    assert not [one for one in told if "s3cret" in one or len(one) > 400 or "\x00" in one]


TEXTS = ("", "\0", "a\0b\x01\x1b[31m\x7f", "\ud800", "\r\nX: 1", "x" * 10_000_000)
TAKING: dict[str, Callable[[str], dict[str, Any]]] = {
    "url": lambda text: {"url": text},
    "path": lambda text: {"url": f"http://127.0.0.1:PORT/{text}"},
    "header": lambda text: {"headers": {"X-A": text}},
    "header's name": lambda text: {"headers": {text: "x"}},
    "query": lambda text: {"query": {"a": [text], text: 1}},
    "body": lambda text: {"body": text},
    "json": lambda text: {"json": {text: text}},
    "form": lambda text: {"form": {"a": text, text: [1]}},
    "field": lambda text: {"files": [{"field": text, "path": "a"}]},
    "name": lambda text: {"files": [{"field": "a", "path": "a", "name": text}]},
    "type": lambda text: {"files": [{"field": "a", "path": "a", "type": text}]},
    "form with files": lambda text: {"form": {text: text}, "files": []},
    "user": lambda text: {"auth": {"basic": {"user": text, "pass": "x"}}},
    "pass": lambda text: {"auth": {"basic": {"user": "x", "pass": text}}},
    "bearer": lambda text: {"auth": {"bearer": text}},
    "client_id": lambda text: {"auth": {"oauth2": client(client_id=text)}},
    "client_secret": lambda text: {"auth": {"oauth2": client(client_secret=text)}},
    "scopes": lambda text: {"auth": {"oauth2": client(scopes=[text])}},
    "token_url": lambda text: {"auth": {"oauth2": client(token_url=text)}},
    "ca_cert": lambda text: {"ca_cert": text},
    "client_cert": lambda text: {"client_cert": {"cert": text, "key": text, "passphrase": text}},
    "next_field": lambda text: {"pagination": {"next_field": text}},
    "page_param": lambda text: {"pagination": {"page_param": text, "max_pages": 1}},
}


def client(**more: Any) -> dict[str, Any]:
    url = "http://127.0.0.1:PORT/token"
    return {"token_url": url, "client_id": "a", "client_secret": "b", **more}


@pytest.mark.parametrize("name", TAKING)
def test_texts_that_are_odd(name: str, tmp_path: Path) -> None:
    """An answer, or one error that can be read."""
    (tmp_path / "a").write_text("x")

    def with_port(value: Any, port: str) -> Any:
        match value:
            case str():
                return value.replace("PORT", port)
            case dict():
                return {key: with_port(one, port) for key, one in value.items()}
            case list():
                return [with_port(one, port) for one in value]
        return value

    async def play(text: str) -> None:
        async with bench(tmp_path) as workbench:
            with contextlib.ExitStack() as stack:
                server = stack.enter_context(serving({"/token": {"json": {"access_token": "t"}}}))
                server.set_routes({**server.routes, "/": {"json": []}})
                port = str(server.server_address[1])
                params = {"url": f"http://127.0.0.1:{port}/", "method": "POST"}
                params |= with_port(TAKING[name](text), port)
                try:
                    await request(workbench.context, **params)  # type: ignore[arg-type]
                except (ModuleError, ParameterError) as error:
                    told = f"{error} {error.hint}"
                    assert len(told) < 600 and "\0" not in told and "\x1b" not in told
                await workbench.run.shared.close()
                await workbench.context.thread(stack.close)

    for text in TEXTS:
        run(play(text))
