"""The verbs at work: what they print, what they write, and what they leave alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler import driver
from gxo.compiler.codes import complete, table
from gxo.compiler.passes import PASSES
from gxo.compiler.version import VERSION
from tests.reports import read_report

ROOT = Path(__file__).parents[2]
PLAYBOOK = """\
name: hello
schemaVersion: v1.0.0
inputs: {who: {default: you}}
workloads:
  - name: greet
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: echo, args: ["hello {{ .who }}"]}}
    register: said
"""


@pytest.fixture
def playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "hello.gxo.yaml"
    path.write_text(PLAYBOOK)
    return path


def gxo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from gxo.cli.main import entry; entry()", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def greeting(done: subprocess.CompletedProcess[str]) -> str:
    """What the playbook's command has printed, by the job's report."""
    said: str = read_report(done.stdout)["workload_results"]["greet"]["summary"]["stdout"]
    return said


def test_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gxo {VERSION}\n"


def test_validate(playbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(playbook)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{playbook}: valid, 1 workload\n"
    assert said.err == ""


def test_compile_writes_one_executable_file(playbook: Path) -> None:
    assert main(["compile", "hello.gxo.yaml"]) == 0
    assert sorted(path.name for path in playbook.parent.iterdir()) == [
        "hello.gxo.yaml",
        "hello.pyz",
    ]
    assert os.access("hello.pyz", os.X_OK)
    done = subprocess.run(["./hello.pyz", "--report", "-"], capture_output=True, text=True)
    assert done.returncode == 0
    assert greeting(done) == "hello you\n"


@pytest.mark.parametrize(
    ("stage", "begins"),
    [("ast", "playbook"), ("plan", "plan hello\n"), ("python", '"""hello, '), ("manifest", "{\n")],
)
def test_every_stage_prints_itself(
    stage: str, begins: str, playbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(playbook), "--emit", stage]) == 0
    first = capsys.readouterr().out
    assert first.startswith(begins)
    assert main(["compile", str(playbook), "--emit", stage]) == 0
    assert capsys.readouterr().out == first
    assert not Path("hello.pyz").exists()


@pytest.mark.parametrize("name", [one.name for one in PASSES])
def test_dump_after_every_pass(
    name: str, playbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "compile",
        str(playbook),
        "--emit",
        "plan",
        "--verify-ir",
        "--dump",
        f"after:{name}",
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().err.startswith(f"after {name}:\nplan hello\n")


def test_dump_names_the_passes(playbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compile", str(playbook), "--dump", "after:nothing"])
    assert stopped.value.code == 2
    assert "link_states" in capsys.readouterr().err


def test_run_compiles_once(playbook: Path) -> None:
    first = gxo("run", playbook, "--report", "-", "-e", "who=first")
    assert first.returncode == 0, first.stderr
    assert greeting(first) == "hello first\n"
    jobs = playbook.parent / "cache" / "gxo" / "run"
    before = {path: path.stat().st_mtime_ns for path in jobs.rglob("gxo_job.py")}
    assert len(before) == 1
    second = gxo("run", playbook, "--report", "-", "-e", "who=second")
    assert greeting(second) == "hello second\n"
    assert {path: path.stat().st_mtime_ns for path in jobs.rglob("gxo_job.py")} == before
    playbook.write_text(PLAYBOOK.replace("hello {{", "goodbye {{"))
    third = gxo("run", playbook, "--report", "-")
    assert greeting(third) == "goodbye you\n"


def test_run_says_what_is_wrong(playbook: Path) -> None:
    playbook.write_text(PLAYBOOK.replace("echo", "{{ .ehco }}"))
    done = gxo("run", playbook)
    assert done.returncode == 1
    assert "error[GXO0301]" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_does_not_use_a_linked_cache(playbook: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "gxo").symlink_to(elsewhere)
    done = gxo("run", playbook, "--report", "-")
    assert done.returncode == 0, done.stderr
    assert greeting(done) == "hello you\n"
    assert "symbolic link" in done.stderr
    assert list(elsewhere.iterdir()) == []


def test_schema_is_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "workloads" in schema["properties"]


def test_modules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules"]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"^filesystem:write +Write text", listed, re.MULTILINE)
    assert main(["modules", "exec"]) == 0
    assert "success_codes" in capsys.readouterr().out
    assert main(["modules", "--output", "json"]) == 0
    assert {"exec", "data:join"} <= {one["name"] for one in json.loads(capsys.readouterr().out)}


def test_a_crash_names_the_playbooks_line(
    playbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A defect of gxo: exit code 70, the place, and no traceback."""
    monkeypatch.setattr("gxo.compiler.passes.bind_arguments.read_value", lambda *_: 1 / 0)
    assert main(["validate", str(playbook)]) == 70
    said = capsys.readouterr().err
    assert "internal error: ZeroDivisionError" in said
    assert f"{playbook}:5" in said
    assert "Traceback" not in said


def test_validate_loads_no_code_generator() -> None:
    """`gxo validate` must not wait for what it does not use."""
    script = (
        "import sys; from gxo.cli.main import main; main(['validate', sys.argv[1]]);"
        "print([name for name in ('black', 'jinja2', 'shiv', 'asyncio') if name in sys.modules])"
    )
    example = ROOT / "docs/examples/full-disks/full-disks.gxo.yaml"
    done = subprocess.run(
        [sys.executable, "-c", script, str(example)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert driver.VERSION == VERSION


@pytest.mark.parametrize(
    ("redirect", "code", "says"),
    [(">/dev/full", 1, "cannot write to standard output"), (">&-", 2, "standard output is closed")],
)
def test_standard_output_that_takes_nothing(redirect: str, code: int, says: str) -> None:
    script = "from gxo.cli.main import entry; entry()"
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" explain GXO0101 {redirect}', sys.executable, script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_validate_verbose_counts_references(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.gxo.yaml"
    path.write_text(complete(table()["GXO0302"].passes))
    assert main(["validate", "--verbose", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: valid, 2 workloads",
        f"{path}: references: 1 checked, 0 partly checked, 0 unchecked",
    ]
