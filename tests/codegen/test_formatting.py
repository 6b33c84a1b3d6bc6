"""Formatting in pieces gives what black makes of the whole, and nothing bad leaves the gate."""

import os
import subprocess
import sys
from pathlib import Path

import black
import pytest
from black.mode import TargetVersion

from gxo.compiler.codegen.gate import GateError, check_unique, format_checked
from gxo.compiler.driver import check

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(
    [*ROOT.glob("golden/*/playbook.gxo.yaml"), *ROOT.glob("docs/examples/*/*.gxo.yaml")]
)
MODE = black.Mode(line_length=100, target_versions={TargetVersion.PY311})


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_each_module_in_pieces_is_what_black_makes_of_the_whole(path: Path) -> None:
    compilation = check(path)
    if compilation.diagnostics.has_errors:
        assert "findings" in str(path)
        return
    text = compilation.generate(pretty=False).text
    assert compilation.generate().text == black.format_str(text, mode=MODE)


def test_what_does_not_parse_is_a_defect() -> None:
    with pytest.raises(GateError, match="does not parse"):
        format_checked("def f(:\n", str)


def test_formatting_that_changes_the_meaning_is_a_defect() -> None:
    with pytest.raises(GateError, match="changed the module's meaning"):
        format_checked("a = 1\n", lambda text: text.replace("1", "2"))


def test_a_name_that_is_there_twice_is_a_defect() -> None:
    with pytest.raises(GateError, match=r"defines a name twice: b, c$"):
        check_unique(["c", "b", "a", "b", "c"])


PROBE = """
import sys
from gxo.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
assert not code, code
assert "black" not in sys.modules
"""


@pytest.mark.parametrize("verb", ["validate", "run"])
def test_validating_and_running_do_not_wait_for_black(verb: str, tmp_path: Path) -> None:
    playbook = ROOT / "tests/bench/playbooks/trivial.gxo.yaml"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, verb, str(playbook)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "GXO_WORKSPACES": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
