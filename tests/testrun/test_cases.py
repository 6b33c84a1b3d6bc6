"""`gxo test` in each of its modes, on small folders of playbooks: what it prints, and its exit code."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gxo.cli.main import main
from tests.casefile import Case, find_cases, read_cases, update

HERE = Path(__file__).parent
CASES = find_cases(HERE)
SCHEMA = Draft202012Validator(json.loads((HERE.parents[1] / "docs/tests.schema.json").read_text()))
PROGRAM = """\
import gxo.testrun.pool
gxo.testrun.pool.GRACE = 0.3
from gxo.cli.main import entry
entry()
"""
_REPLACED = (
    (r"\d\d:\d\d:\d\d ", "HH:MM:SS "),
    (r"\d+\.\d\ds", "N.NNs"),
    (r"\d+\.\d\d\ds", "N.NNNs"),
    (r" in \d+ ms", " in N ms"),
    (r'"(elapsed|total)": [\d.]+', r'"\1": N'),
    (r'"time": "[^"]+"', '"time": "T"'),
)


def gxo_test(arguments: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """The exit code and both outputs of `gxo test`, its times replaced."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "test", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    text = done.stdout
    for pattern, replacement in _REPLACED:
        text = re.sub(pattern, replacement, text)
    return done.returncode, text


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.id))
def test_case(case: Case, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder, *arguments = shlex.split(case.input)
    code, text = gxo_test(arguments, HERE / "playbooks" / folder, TMPDIR=str(tmp_path))
    assert os.listdir(tmp_path) == []  # all that it made for the tests is gone
    _compare(case, request, code, text)


@pytest.mark.parametrize("case", read_cases(HERE / "usage.cases"), ids=lambda case: str(case.name))
def test_usage(
    case: Case,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, *arguments = shlex.split(case.input)
    monkeypatch.chdir(HERE / "playbooks" / folder)
    try:
        code = main(["test", *arguments])
    except SystemExit as end:
        code = end.code
    _compare(
        case, request, code, re.sub("(?s)^usage: .*?(?=gxo test: )", "", capsys.readouterr().err)
    )


@pytest.mark.parametrize(
    "case", [one for one in CASES if "json" in one.input], ids=lambda one: str(one.id)
)
def test_json_lines_are_as_their_schema_says(case: Case) -> None:
    text = re.sub(r'("(?:elapsed|total)": )N', r"\g<1>0.5", case.sections["out"])
    for line in text.replace('"time": "T"', '"time": "2026-01-31T12:00:00.5Z"').splitlines():
        SCHEMA.validate(json.loads(line))


def _compare(case: Case, request: pytest.FixtureRequest, code: object, text: str) -> None:
    lines = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    sections = {"exit": f"{code}\n", "out": lines.strip("\n") + "\n"}
    if request.config.getoption("--update-golden"):
        update(case, sections)
    else:
        assert sections == case.sections
