"""A server that listens, its clients, and a job that runs until the clients are done."""

import asyncio
import socket
import socketserver
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime import Context, Job, Records
from gxo.runtime.errors import WorkloadError
from gxo.runtime.main import main
from gxo.runtime.streams.ports import Out
from gxo.stdlib.connection.close import close
from gxo.stdlib.connection.listen import listen
from gxo.stdlib.connection.open import open_
from gxo.stdlib.connection.read import read
from gxo.stdlib.connection.write import write
from tests.certificates import Authority
from tests.reports import read_report
from tests.stdlib.harness import module_spec
from tests.stdlib.stream.test_pipelines import compiled

Client = Callable[[Context, str], Awaitable[Any]]


async def serve(ctx: Context, handle: str) -> None:
    """Answer each line of a client by itself in upper case, until it has none."""
    while True:
        line = await read(ctx, connection_id=handle, read_until="\n")
        if not line["data"]:
            break
        await write(ctx, connection_id=handle, data=line["data"].upper())
    await close(ctx, connection_id=handle)


def server(client: Client, **params: Any) -> Job:
    """A job whose client talks to its server."""
    job = Job("server")

    @job.workload("clients", register="clients", background=True)
    async def clients(ctx: Context, out: Out | None) -> Any:
        return await listen(ctx, out, **params)

    @job.workload("served", records=["clients"], background=True)
    async def served(ctx: Context, records: Records) -> None:
        async with asyncio.TaskGroup() as group:
            async for batch in records:
                for record in batch:
                    group.create_task(serve(ctx, record["connection_id"]))

    @job.workload("asked", register="asked", after=["clients"])
    async def asked(ctx: Context) -> Any:
        return await client(ctx, ctx.state["clients"]["local_addr"])

    return job


def answers(job: Job, folder: Path) -> Any:
    """What the client got."""
    report = folder / "report.json"
    (folder / "ws").mkdir()
    options = ["--workspace", str(folder / "ws"), "--report", str(report), "--timeout", "15s"]
    code = main(job, None, options)
    told = read_report(report)["workload_results"]
    assert code == 0, {name: result.get("error") for name, result in told.items()}
    return told["asked"]["summary"]


async def asks(ctx: Context, address: str, text: str, **params: Any) -> str:
    """Open a connection, ask one question, close it."""
    params = {"network": "tcp", **params}
    handle = (await open_(ctx, address=address, **params))["connection_id"]
    await write(ctx, connection_id=handle, data=f"{text}\n")
    answer = await read(ctx, connection_id=handle, read_until="\n", timeout=5.0)
    await close(ctx, connection_id=handle)
    return answer["data"]


def test_tcp(tmp_path: Path) -> None:
    async def client(ctx: Context, address: str) -> dict[str, Any]:
        assert address.startswith("127.0.0.1:")
        return {"said": [await asks(ctx, address, "one"), await asks(ctx, address, "two")]}

    job = server(client, network="tcp", address="127.0.0.1:0")
    assert answers(job, tmp_path) == {"said": ["ONE\n", "TWO\n"]}


def test_many_at_once_wait_for_their_places(tmp_path: Path) -> None:
    """Each of 200 is answered, though only 20 may be connected at a time."""

    async def client(ctx: Context, address: str) -> dict[str, Any]:
        texts = [f"n{number}" for number in range(200)]
        said = await asyncio.gather(*(asks(ctx, address, text) for text in texts))
        return {"right": said == [f"{text}\n".upper() for text in texts]}

    job = server(client, network="tcp", address="127.0.0.1:0", max_connections=20)
    assert answers(job, tmp_path) == {"right": True}


def test_unix(tmp_path: Path) -> None:
    async def client(ctx: Context, address: str) -> dict[str, Any]:
        return {"said": await asks(ctx, "s.sock", "hello", network="unix")}

    job = server(client, network="unix", address="s.sock")
    assert answers(job, tmp_path) == {"said": "HELLO\n"}
    assert list((tmp_path / "ws").iterdir()) == []


def test_tls(tmp_path: Path) -> None:
    """With a certificate that the client trusts, or does not, and one that the server asks for."""
    authority = Authority()
    cert, key = authority.issue("localhost")
    mine, my_key = authority.issue("client")

    async def client(ctx: Context, address: str) -> dict[str, Any]:
        known = {"ca_cert": authority.cert, "server_name": "localhost"}
        good = {**known, "client_cert": mine, "client_key": my_key}
        said = await asks(ctx, address, "hello", tls=good)
        with pytest.raises(Exception, match="cannot trust 127"):
            await asks(ctx, address, "hello", tls={**good, "ca_cert": Authority().cert})
        with pytest.raises(Exception, match="cannot trust 127"):
            await asks(ctx, address, "hello", tls={**good, "server_name": "example.org"})
        with pytest.raises(Exception, match="no certificate in PEM"):
            await asks(ctx, address, "hello", tls={"ca_cert": "none"})
        with suppress(WorkloadError):  # a refusal comes after the handshake, or as its end
            assert await asks(ctx, address, "hello", tls=known) == ""
        # None of these has taken the only place.
        return {"said": [said, await asks(ctx, address, "again", tls=good)]}

    tls = {"cert": cert, "key": key, "client_ca": authority.cert}
    job = server(client, network="tcp", address="127.0.0.1:0", tls=tls, max_connections=1)
    assert answers(job, tmp_path) == {"said": ["HELLO\n", "AGAIN\n"]}


def test_udp(tmp_path: Path) -> None:
    async def client(ctx: Context, address: str) -> dict[str, Any]:
        handles = [
            (await open_(ctx, network="udp", address=address))["connection_id"] for _ in range(3)
        ]
        said = []
        for number, handle in enumerate(handles):
            await write(ctx, connection_id=handle, data=f"n{number}")
            said.append((await read(ctx, connection_id=handle, timeout=5.0))["data"])
        return {"said": said}

    job = Job("udp")

    @job.workload("clients", register="clients", background=True)
    async def clients(ctx: Context, out: Out | None) -> Any:
        return await listen(ctx, out, network="udp", address="127.0.0.1:0")

    @job.workload("served", records=["clients"], background=True)
    async def served(ctx: Context, records: Records) -> None:
        async for batch in records:
            for record in batch:
                handle = record["connection_id"]
                data = (await read(ctx, connection_id=handle))["data"]
                await write(ctx, connection_id=handle, data=data.upper())

    @job.workload("asked", register="asked", after=["clients"])
    async def asked(ctx: Context) -> Any:
        return await client(ctx, ctx.state["clients"]["local_addr"])

    assert answers(job, tmp_path) == {"said": ["N0", "N1", "N2"]}


def test_a_port_that_is_taken(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def client(ctx: Context, address: str) -> None:
        """It does not come to this."""

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        job = server(client, network="tcp", address=address)
        assert main(job, None, ["--workspace", str(tmp_path)]) == 1
    assert f"cannot listen on {address}: address already in use" in capfd.readouterr().err


def test_the_examples_of_the_documentation(tmp_path: Path) -> None:
    """Open, write, read, close, in one playbook; the server is at another port than they say."""
    names = {"open": "store", "write": "asked", "read": "answer", "close": "done"}
    workloads = []
    for module, name in names.items():
        example = yaml.safe_load(module_spec(f"connection:{module}").doc.example)
        assert example["name"] == name
        workloads.append({**example, "needs": list(names.values())[: len(workloads)]})
    with serving_lines({"PING": "+PONG"}) as address:
        workloads[0]["process"]["params"]["address"] = address
        job = compiled(
            yaml.safe_dump({"name": "p", "schemaVersion": "v1.0.0", "workloads": workloads})
        )
        report = tmp_path / "report.json"
        assert main(job, None, ["--workspace", str(tmp_path), "--report", str(report)]) == 0
    results = read_report(report)["workload_results"]
    assert results["answer"]["summary"]["data"] == "+PONG\r\n"


@contextmanager
def serving_lines(answers: dict[str, str]) -> Iterator[str]:
    """A server in a thread that answers one client's lines; its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(f"{answers[line.decode().strip()]}\r\n".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        thread.join()
