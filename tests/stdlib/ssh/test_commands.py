"""Commands on a real host (commands.yaml), and how they end."""

import asyncio
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import GxoError, ModuleError
from gxo.stdlib.ssh import _session
from gxo.stdlib.ssh._session import _Kept
from tests.services.openssh import SshServer
from tests.stdlib.harness import run
from tests.stdlib.ssh.jobs import Caller, job, login

CASES = yaml.safe_load(Path(__file__).with_name("commands.yaml").read_text(encoding="utf-8"))


def filled(value: Any) -> Any:
    """A value of a case; `re:x*3` stands for a long text."""
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    found = re.fullmatch(r"re:(.)\*(\d+)", value) if isinstance(value, str) else None
    return found[1] * int(found[2]) if found else value


def matches(actual: Any, expected: Any) -> bool:
    if isinstance(expected, str) and expected.startswith("re:"):
        return re.search(expected[3:], actual, re.DOTALL) is not None
    return bool(actual == expected)


def test_commands(sshd: SshServer, tmp_path: Path) -> None:
    """All cases over one connection, so that none leaves anything for the next."""

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            for case in CASES:
                await check(call, handle, case, f"{sshd.host}:{sshd.port}")

    run(play())


async def check(call: Caller, handle: str, case: dict[str, Any], host: str) -> None:
    try:
        summary = await call("ssh:command", **{"connection_id": handle, **filled(case["params"])})
    except GxoError as error:
        assert "error" in case, f"{case['name']}: {error}"
        expected = case["error"].replace("{host}", host)
        assert matches(str(error), expected), f"{case['name']}: {error}"
    else:
        assert "summary" in case, f"{case['name']}: {summary}"
        for name, expected in case["summary"].items():
            assert matches(summary[name], expected), f"{case['name']}: {summary}"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def written(path: Path) -> list[int]:
    """The processes that a command has written down, when it has."""
    text = path.read_text() if path.exists() else ""
    return [int(pid) for pid in text.split()] if text.endswith("\n") else []


async def pids_in(path: Path) -> list[int]:
    while not (pids := written(path)):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    return pids


async def gone(pids: list[int]) -> None:
    while any(map(is_running, pids)):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("environment", [None, {"A": "b"}])
@pytest.mark.parametrize("begins", ["", "trap '' TERM; "])
def test_what_is_cancelled_is_ended_there(
    environment: dict[str, str] | None,
    begins: str,
    sshd: SshServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what it has started, and also when it ignores TERM."""
    monkeypatch.setattr(_session, "START", 0.1)
    monkeypatch.setattr(_session, "GRACE", 0.5)
    line = f"{begins}sleep 1000 & echo $! $$ > {tmp_path}/pids; wait; sleep 1000"

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            params = {"connection_id": handle, "command": line, "environment": environment}
            working = asyncio.ensure_future(call("ssh:command", **params))
            pids = await pids_in(tmp_path / "pids")
            assert all(map(is_running, pids))
            working.cancel()
            await asyncio.wait([working])
            assert working.cancelled()
            await gone(pids)
            again = await call("ssh:command", connection_id=handle, command="echo still there")
            assert again["stdout"] == "still there\n"

    run(play())


def test_what_takes_too_long_is_ended_there(sshd: SshServer, tmp_path: Path) -> None:
    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            line = f"echo $$ > {tmp_path}/pids; exec sleep 1000"
            with pytest.raises(ModuleError, match=r"has not ended within 0\.8 s$"):
                await call("ssh:command", connection_id=handle, command=line, timeout=0.8)
            await gone(written(tmp_path / "pids"))

    run(play())


@pytest.mark.parametrize("turn", [0, 1, 2, 4, 8, 16, 32])
def test_cancelled_at_any_turn(
    turn: int, sshd: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the host has said that it starts the command."""
    monkeypatch.setattr(_session, "START", 0.1)
    monkeypatch.setattr(_session, "GRACE", 0.5)

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            line = f"echo $$ > {tmp_path}/pid; exec sleep 1000"
            working = asyncio.ensure_future(call("ssh:command", connection_id=handle, command=line))
            for _ in range(turn):
                await asyncio.sleep(0)
            working.cancel()
            await asyncio.wait([working])
            assert working.cancelled()

    run(play())
    for path in tmp_path.glob("pid"):
        run(gone(list(map(int, path.read_text().split()))))


def test_much_output(sshd: SshServer, tmp_path: Path) -> None:
    """1 MB of it here; tests/proof has 100 MB. What is not kept does not hold the command up."""

    async def play() -> Any:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            line = "yes 0123456789abcde | head -c 1000000; yes | head -c 1000000 >&2; echo end"
            whole = await call("ssh:command", connection_id=handle, command=line)
            assert whole["stdout"] == "0123456789abcde\n" * 62_500 + "end\n"
            assert whole["stderr"] == "y\n" * 500_000
            return await call("ssh:command", connection_id=handle, command=line, max_output=100_000)

    cut = run(play())
    assert cut["stdout"] == "0123456789abcde\n" * 6_250
    assert cut["truncated"] and cut["exit_code"] == 0


def test_commands_at_the_same_time(sshd: SshServer, tmp_path: Path) -> None:
    """As many as the host allows in one connection; one more is told why it cannot be.

    All are ended, though no more can be asked of the host meanwhile.
    """

    async def play() -> None:
        async with job(tmp_path) as call:
            handle = await call.connect(login(sshd))
            line = f"echo $$ > {tmp_path}/$$; exec sleep 1000"
            working = [
                asyncio.ensure_future(call("ssh:command", connection_id=handle, command=line))
                for _ in range(11)
            ]
            done, others = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            with pytest.raises(ModuleError, match="refuses to do that") as caught:
                [one.result() for one in done]
            assert "MaxSessions" in str(caught.value.hint)
            for one in others:
                one.cancel()
            await asyncio.wait(others)

    run(play())
    run(gone([int(path.name) for path in tmp_path.iterdir()]))


def test_an_output_in_many_pieces() -> None:
    """Each packet of a host may hold a byte: what is kept takes no more than its limit."""
    kept = _Kept(1_000_000)
    tracemalloc.start()
    try:
        for _ in range(600_000):
            kept.add(bytes(2))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept.all() == (bytes(1_000_000), True)
    assert size < 3_000_000
