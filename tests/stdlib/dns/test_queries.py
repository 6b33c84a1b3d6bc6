"""`dns:query` against BIND, and against name servers that no product would be."""

import asyncio
import contextlib
import random
import re
import socket
import struct
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest
import yaml

from gxo.compiler.driver import Compilation
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.main import main
from gxo.stdlib.dns import query as module
from tests.reports import read_report
from tests.services.bind import NameServer
from tests.services.process import find, free_port
from tests.stdlib.harness import Outcome, bench, module_spec, run

CASES = yaml.safe_load(Path(__file__).with_name("queries.yaml").read_text(encoding="utf-8"))


def ask(folder: Path, **params: Any) -> Outcome:
    """Call the module; within 5 s, and with nothing left open."""

    async def call() -> Outcome:
        async with asyncio.timeout(5), bench(folder) as workbench:
            return await workbench.call(module_spec("dns:query"), params)

    return run(call())


def said(outcome: Outcome) -> str:
    assert outcome.error is not None, outcome.summary
    return str(outcome.error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bind(case: dict[str, Any], bind: NameServer, tmp_path: Path) -> None:
    params = {"server": bind.host, "port": bind.port} | case["params"]
    outcome = ask(tmp_path, **params)
    if "error" in case:
        pattern = case["error"].replace("(", r"\(").replace(")", r"\)")
        assert re.search(pattern, said(outcome))
        assert isinstance(outcome.error, ModuleError)
        return
    assert outcome.error is None, outcome.error
    answers = sorted(outcome.summary["answers"])
    assert len(answers) == case["count"] if "count" in case else answers == sorted(case["answers"])
    assert outcome.summary["ttl"] == case["ttl"]
    if case.get("dig", True):
        assert answers == sorted(dig(bind, params["name"], params.get("type", "A")))


def dig(server: NameServer, name: str, record_type: str) -> list[str]:
    command = [find("dig"), f"@{server.host}", "-p", str(server.port), "+short", "+idnin"]
    shown = subprocess.check_output([*command, name, record_type], text=True)
    return shown.splitlines()


BAD = {
    "": "it is a name",
    "a b": "it is a name",
    "a\0b": "it is a name",
    "a\nb": "it is a name",
    "a..b": "empty",
    ".a": "empty",
    "x" * 64 + ".test": "label is > 63",
    "ü" * 63 + ".test": "too long|63",
    ".".join(["x" * 60] * 5): "name is > 255|too long",
    "x" * 10_000_000: "at most 253 characters",
    "☃.test": "cannot carry",
    "a\\": "escape",
    "a\\999": "escape",
    "\ud800.test": "it is a name",
}


@pytest.mark.parametrize("name", BAD, ids=range(len(BAD)))
def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    outcome = ask(tmp_path, name=name, server="127.0.0.1", port=1)
    assert isinstance(outcome.error, ParameterError)
    assert re.search(BAD[name], said(outcome))
    assert len(said(outcome)) < 300


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none(port: int, tmp_path: Path) -> None:
    assert f"`port` is {port}: it is 1 to 65535" in said(ask(tmp_path, name="a.test", port=port))


@pytest.mark.parametrize("server", ["", "a\0b", "x" * 300, "x" * 64 + ".test"])
def test_a_server_that_is_none(server: str, tmp_path: Path) -> None:
    outcome = ask(tmp_path, name="a.test", server=server)
    assert isinstance(outcome.error, ParameterError)
    assert "it is an address or a name" in said(outcome)


def test_a_server_that_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = ask(tmp_path, name="a.test", server="ns.test")
    assert said(outcome) == "cannot find the name server 'ns.test': name or service not known"


def test_nobody_listens(tmp_path: Path) -> None:
    outcome = ask(tmp_path, name="a.test", server="127.0.0.1", port=free_port())
    assert said(outcome) == "'a.test' (A): '127.0.0.1' cannot be reached: connection refused"


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "search example.test\n"])
def test_a_host_without_name_servers(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "resolv.conf"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(module, "RESOLV_CONF", str(file))
    outcome = ask(tmp_path, name="a.test")
    assert said(outcome) == f"'a.test' (A): {file} names no name server"
    assert outcome.error.hint == "`server` names one"


def test_the_hosts_name_servers_one_after_the_other(
    bind: NameServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("search wrong.test\nnameserver 127.0.0.9\nnameserver ::1\n")
    monkeypatch.setattr(module, "RESOLV_CONF", str(file))
    outcome = ask(tmp_path, name="one.example.test", port=bind.port)
    assert outcome.summary == {"answers": ["192.0.2.1"], "ttl": 60}


def test_the_example_runs(bind: NameServer, tmp_path: Path) -> None:
    example = module_spec("dns:query").doc.example.replace("port: 5353", f"port: {bind.port}")
    workload = "\n".join(f"  {line}" for line in example.splitlines())
    compilation = Compilation("example.gxo.yaml")
    head = "name: example\nschemaVersion: v1.0.0\nworkloads:\n-\n"
    assert compilation.read(f"{head}{workload}\n".encode()) and compilation.analyse()
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    options = ["--workspace", str(tmp_path), "--report", str(tmp_path / "report.json")]
    assert main(names["job"], None, options) == 0
    report = read_report(tmp_path / "report.json")
    answers = report["workload_results"]["mail-hosts"]["summary"]["answers"]
    assert sorted(answers) == ["10 mail1.example.test.", "20 mail2.example.test."]


Reply = Callable[[bytes], list[bytes]]


class Peer(asyncio.DatagramProtocol):
    """Answers each datagram with what `reply` makes of it."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for answer in self.reply(data):
            self.transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def peer(by_udp: Reply, by_tcp: Reply = lambda _: []) -> AsyncIterator[int]:
    """A name server that answers as it is told, by UDP and by TCP; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            [length] = struct.unpack("!H", await reader.readexactly(2))
            for answer in by_tcp(await reader.readexactly(length)):
                writer.write(answer)
            await writer.drain()
        writer.close()

    port = free_port()
    made = asyncio.get_running_loop().create_datagram_endpoint
    transport, _ = await made(lambda: Peer(by_udp), local_addr=("127.0.0.1", port))
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield port
    finally:
        transport.close()
        server.close()
        await server.wait_closed()


def ask_peer(folder: Path, by_udp: Reply, by_tcp: Reply = lambda _: [], **params: Any) -> Outcome:
    async def call() -> Outcome:
        async with asyncio.timeout(5), peer(by_udp, by_tcp) as port, bench(folder) as workbench:
            params.update(name="a.test", server="127.0.0.1", port=port)
            return await workbench.call(module_spec("dns:query"), params)

    return run(call())


def answer(query: bytes, *, address: str = "192.0.2.1") -> dns.message.Message:
    made = dns.message.make_response(dns.message.from_wire(query))
    made.answer.append(dns.rrset.from_text(made.question[0].name, 60, "IN", "A", address))
    return made


def wire(query: bytes) -> bytes:
    return answer(query).to_wire()


def truncated(query: bytes) -> list[bytes]:
    made = dns.message.make_response(dns.message.from_wire(query))
    made.flags |= dns.flags.TC
    return [made.to_wire()]


def framed(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


def test_an_answer_to_another_question_by_tcp(tmp_path: Path) -> None:
    def other(query: bytes) -> list[bytes]:
        return [framed(wire(bytes([query[0] ^ 1]) + query[1:]))]

    outcome = ask_peer(tmp_path, truncated, other, timeout=0.5)
    assert "'a.test' (A): '127.0.0.1' gave an answer that cannot be read" in said(outcome)


def test_a_silent_server(tmp_path: Path) -> None:
    outcome = ask_peer(tmp_path, lambda _: [], timeout=0.2)
    assert said(outcome) == "'a.test' (A): no answer from '127.0.0.1' within 0.2 s"


def test_what_is_too_large_comes_by_tcp(tmp_path: Path) -> None:
    outcome = ask_peer(tmp_path, truncated, lambda query: [framed(wire(query))])
    assert outcome.summary == {"answers": ["192.0.2.1"], "ttl": 60}


def test_the_longest_answer_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 KiB of records take a tenth of a second to read."""
    readers: set[threading.Thread] = set()
    read = dns.message.from_wire

    def long(query: bytes) -> list[bytes]:
        made = dns.message.make_response(read(query))
        addresses = [f"10.1.{n // 256}.{n % 256}" for n in range(4_000)]
        name = made.question[0].name
        made.answer.append(dns.rrset.from_text_list(name, 60, "IN", "A", addresses))
        return [framed(made.to_wire(max_size=65_535))]

    def noted(wire: bytes, **options: Any) -> Any:
        if len(wire) > 10_000:
            readers.add(threading.current_thread())
        return read(wire, **options)

    monkeypatch.setattr(dns.message, "from_wire", noted)
    outcome = ask_peer(tmp_path, truncated, long)
    assert len(outcome.summary["answers"]) == 4_000
    assert readers and threading.main_thread() not in readers


def test_aliases_in_a_circle(tmp_path: Path) -> None:
    def circle(query: bytes) -> list[bytes]:
        made = dns.message.make_response(dns.message.from_wire(query))
        name = made.question[0].name
        made.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", name.to_text()))
        return [made.to_wire()]

    assert "cannot be read: " in said(ask_peer(tmp_path, circle))


def test_a_server_that_ends_the_connection(tmp_path: Path) -> None:
    outcome = ask_peer(tmp_path, truncated, lambda _: [])
    expected = "'a.test' (A): '127.0.0.1' closed the connection before it had answered"
    assert said(outcome) == expected


def test_an_answer_to_another_question_is_none(tmp_path: Path) -> None:
    """Somebody who guesses could have sent it: the real one comes after."""

    def forged(query: bytes) -> list[bytes]:
        wrong_id = answer(query, address="192.0.2.66")
        wrong_id.id ^= 1
        wrong_name = answer(query, address="192.0.2.66")
        other = dns.message.make_query("b.test", "A")
        wrong_name.question = other.question
        return [wrong_id.to_wire(), wrong_name.to_wire(), b"", b"\0" * 12, wire(query)]

    outcome = ask_peer(tmp_path, forged)
    assert outcome.summary == {"answers": ["192.0.2.1"], "ttl": 60}


def test_a_cancelled_query_leaves_nothing(tmp_path: Path) -> None:
    async def call() -> None:
        asked = asyncio.Event()

        def silent(_: bytes) -> list[bytes]:
            asked.set()
            return []

        async with asyncio.timeout(5), peer(silent) as port, bench(tmp_path) as workbench:
            params = {"name": "a.test", "server": "127.0.0.1", "port": port}
            task = asyncio.create_task(workbench.call(module_spec("dns:query"), params))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(call())


def spoilt(message: bytes, chance: random.Random) -> bytes:
    """The message with a few bytes changed, cut or added."""
    data = bytearray(message)
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(2, len(data))] = chance.randrange(256)
    end = chance.choice([len(data), chance.randrange(len(data))])
    return bytes(data[:end]) + chance.randbytes(chance.choice([0, 0, 3]))


@pytest.mark.parametrize("is_tcp", [False, True], ids=["udp", "tcp"])
def test_whatever_a_server_answers_is_a_summary_or_a_clear_error(
    is_tcp: bool, tmp_path: Path
) -> None:
    """100 spoilt answers each; by UDP a good one follows, as what cannot be read is nobody's."""
    chance = random.Random(1)

    def by_udp(query: bytes) -> list[bytes]:
        return truncated(query) if is_tcp else [spoilt(wire(query), chance), wire(query)]

    def by_tcp(query: bytes) -> list[bytes]:
        return [spoilt(framed(wire(query)), chance)]

    async def call() -> list[Outcome]:
        async with peer(by_udp, by_tcp) as port, bench(tmp_path) as workbench:
            params = {"name": "a.test", "server": "127.0.0.1", "port": port, "timeout": 2.0}
            return [await workbench.call(module_spec("dns:query"), params) for _ in range(100)]

    outcomes = run(call())
    errors = {str(one.error) for one in outcomes if one.error is not None}
    for one in outcomes:
        if one.error is None:
            assert set(one.summary) == {"answers", "ttl"}
        else:
            assert isinstance(one.error, ModuleError)
            assert str(one.error).startswith("'a.test' (A): ")
    assert len(errors) > (3 if is_tcp else 0), errors
