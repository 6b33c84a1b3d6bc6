"""Every code of the table is shown by an example that gets it alone, and by one that gets nothing."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.codes import Code, Example, table
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Options, check
from gxo.compiler.modules.declare import parse_file, read_modules
from tests.diagnostics.examples import write_example, write_playbooks

TOLD = re.compile(r"(?:error|warning)\[GXO\d{4}\]")
ELSEWHERE = {
    "GXO0520": "modules/test_library.py",
    "GXO0523": "modules/test_users.py",
    "GXO0524": "modules/users.yaml",
    "GXO0556": "testing/findings.yaml",
    "GXO0591": "modules/test_library.py",
    "GXO0623": "passes/test_background.py",
    "GXO0804": "flow/test_declared_uses.py",
    "GXO0809": "flow/test_declared_uses.py",
    "GXO0902": "package/test_wheels.py",
    "GXO0903": "package/test_wheels.py",
    "GXO0904": "package/test_wheels.py",
    "GXO0905": "package/test_archive.py",
    "GXO0907": "package/test_lock.py",
    "GXO0908": "package/test_wheels.py",
}
"""Codes whose examples are descriptions, and the test that gets each."""

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples are: beside an asset and playbooks that are fine."""
    (tmp_path / "hosts.csv").write_text("host\nweb1\n")
    write_playbooks(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def of_playbook(example: Example, folder: Path, capsys: Capture) -> list[str]:
    path = write_example(example, "example", folder)
    found = check(path, Options(verify_ir=True)).diagnostics.sorted()
    return [f"{item.level}[{item.code}]" for item in found]


def of_module_file(example: Example, folder: Path, capsys: Capture) -> list[str]:
    diags = Diagnostics()
    source = parse_file(example.text, "example.py", lambda _: None, diags)
    assert source is not None
    read_modules(source, "modules.example", diags)
    return [f"{item.level}[{item.code}]" for item in diags.sorted()]


def of_commands(example: Example, folder: Path, capsys: Capture) -> list[str]:
    """The last command is gxo's, and runs in this process."""
    *others, last = [line.removeprefix("$ ") for line in example.text.splitlines()]
    subprocess.run(["/bin/sh", "-ec", "\n".join(others)], cwd=folder, check=True, timeout=60)
    program, *arguments = shlex.split(last)
    assert program == "gxo"
    main(arguments)
    return TOLD.findall(capsys.readouterr().err)


RUNNERS: dict[str, Callable[[Example, Path, Capture], list[str]]] = {
    "yaml": of_playbook,
    "yaml whole": of_playbook,
    "yaml test": of_playbook,
    "python": of_module_file,
    "console": of_commands,
}
SHOWN = [code for code in table().values() if code.fails.kind != "text"]


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_the_failing_example_gets_its_code_once(code: Code, folder: Path, capsys: Capture) -> None:
    told = RUNNERS[code.fails.kind](code.fails, folder, capsys)
    assert told == [f"{code.level}[{code.code}]"]


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_the_passing_example_gets_nothing(code: Code, folder: Path, capsys: Capture) -> None:
    assert RUNNERS[code.passes.kind](code.passes, folder, capsys) == []


def test_what_is_only_described_is_tested_elsewhere() -> None:
    described = {code.code for code in table().values() if code.fails.kind == "text"}
    assert described == set(ELSEWHERE)
    tests = Path(__file__).parents[1]
    for code, path in ELSEWHERE.items():
        assert code in (tests / path).read_text(encoding="utf-8")
