"""`--deny-warnings` and `--strict`: when a warning stops the compilation."""

from dataclasses import replace
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler import codes
from gxo.compiler.codes import complete, table

Capture = pytest.CaptureFixture[str]
WARNED = "GXO0314"


@pytest.fixture(autouse=True)
def playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.gxo.yaml").write_text(complete(table()[WARNED].fails))


@pytest.mark.parametrize("verb", ["validate", "compile"])
def test_a_warning_alone_stops_nothing(verb: str, capsys: Capture) -> None:
    assert main([verb, "a.gxo.yaml"]) == 0
    assert f"warning[{WARNED}]" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["validate", "compile"])
def test_deny_warnings(verb: str, capsys: Capture) -> None:
    assert main([verb, "--deny-warnings", "a.gxo.yaml"]) == 1
    assert f"error[{WARNED}]" in capsys.readouterr().err
    assert not Path("a.pyz").exists()


@pytest.mark.parametrize("verb", ["validate", "compile"])
def test_strict_refuses_the_warnings_that_say_so(
    verb: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([verb, "--strict", "a.gxo.yaml"]) == 0
    assert f"warning[{WARNED}]" in capsys.readouterr().err
    strict = {**table(), WARNED: replace(table()[WARNED], strict=True)}
    monkeypatch.setattr(codes, "table", lambda: strict)
    assert main([verb, "--strict", "a.gxo.yaml"]) == 1
    assert f"error[{WARNED}]" in capsys.readouterr().err


def test_the_table_says_which_are_strict() -> None:
    text = codes._HEADING.fullmatch("## GXO0330 warning, error with --strict: a missing result")
    assert text is not None and text[3]
