"""What a test may touch: cases in `isolation.yaml`, played in a process of their own, and in a
second one at the same time.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import SecurityError
from gxo.runtime.testing import Test, confine, hook, landlock
from gxo.runtime.testing.confine import Confinement
from gxo.runtime.testing.landlock import Landlock
from tests.services.process import leave_out

HERE = Path(__file__).parent
FILE = HERE / "isolation.yaml"
CASES: Mapping[str, Any] = yaml.safe_load(FILE.read_text())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Where the workspaces of each process are."""
    return [tmp_path_factory.mktemp(f"played-{number}") for number in range(2)]


@pytest.fixture(scope="module")
def outcomes(folders: list[Path]) -> list[dict[str, Any]]:
    """What becomes of the cases, in each of two processes."""
    processes = []
    for folder in folders:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GXO_WORKSPACES": str(folder),
        }
        command = [sys.executable, str(HERE / "play.py"), str(FILE), str(folder)]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    texts = [process.communicate(timeout=60)[0] for process in processes]
    return [json.loads(text) for text in texts]


def has_landlock() -> bool:
    with suppress(OSError):
        Landlock((), ()).close()
        return True
    return False


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, number: int, outcomes: list[dict[str, Any]]) -> None:
    case, outcome = CASES[name], outcomes[number][name]
    result = outcome["workload_results"]["a"]
    if "kernel" in case and not has_landlock():
        leave_out("this kernel has no Landlock")
    if "network" in case and not Confinement("", (), ()).words:
        leave_out("this host lets nobody take the network from a command")
    wanted = case.get("gives", case.get("network", case.get("kernel")))
    if "kernel" in case:
        assert {key: result["summary"][key] for key in wanted} == wanted, result
    elif "gives" in case or "network" in case:
        assert result.get("summary") == wanted, result
    assert case.get("error", "") in (outcome["error"] or ""), outcome
    assert bool(outcome["error"]) == ("error" in case), outcome
    assert outcome["code"] == (1 if "error" in case else 0)


def test_nothing_is_left_behind(outcomes: list[dict[str, Any]], folders: list[Path]) -> None:
    assert [[one.name for one in folder.iterdir()] for folder in folders] == [["report"]] * 2


def test_a_host_that_permits_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError("no such system call")

    monkeypatch.setattr(confine, "WAYS", (("--no-such-option",),))
    monkeypatch.setattr(confine, "Landlock", refuse)
    confinement = Confinement("/usr/bin", (), ())
    assert not confinement.words
    assert (
        "can reach the network, as this host lets nobody take it from them: " in confinement.notice
    )
    assert confinement.start(lambda: 7) == 7
    confinement.close()


def test_a_kernel_that_refuses_a_file_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_self: Landlock, number: int, *_args: object) -> int:
        if number == landlock._CREATE_RULESET:
            opened.append(os.open(os.devnull, os.O_RDONLY))
            return opened[0]
        raise OSError("no such rule")

    opened: list[int] = []
    monkeypatch.setattr(Landlock, "_call", call)
    with pytest.raises(OSError, match="no such rule"):
        Landlock((), ())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_the_hook_does_nothing_without_a_test() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = Test(network=["192.0.2.1:80"]).session()
        hook.watch(session)
        assert socket.getaddrinfo is not hook._getaddrinfo
        hook.unwatch(session)
        assert socket.getaddrinfo is hook._getaddrinfo
        assert not hook._active
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize(
    ("said", "missed"),
    [
        ("/bin/sh: 1: df: not found", "df"),
        ("/bin/sh: line 1: df: command not found", "df"),
        ("/bin/sh: df: not found", "df"),
        ("w\n./s.sh: 3: exec: g++: not found\n", "g++"),
        ("df: not found", None),
        ("curl: host: not found", None),
        ("/bin/sh: 1: key df: not found", None),
        ("/bin/sh: 1: gzip: not found", None),
    ],
)
def test_what_shells_say_of_a_command_that_is_not_there(said: str, missed: str | None) -> None:
    session = Test(commands=["gzip"]).session()
    if missed is None:
        session.commands.check_found(said.encode())
        return
    with pytest.raises(SecurityError, match=f"may not run '{re.escape(missed)}'"):
        session.commands.check_found(said.encode())
