"""`gxo caps`: the list, and the gate that stops what is new or forbidden."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.driver import Compilation
from gxo.compiler.package import collect
from gxo.compiler.package.archive import render
from gxo.runtime.bundle import ZipBundle
from tests.casefile import Case, find_cases

CATALOGUE = Path(__file__).parents[2] / "docs" / "examples" / "catalogue"
HEAD = "name: job\nschemaVersion: v1.0.0\n"
PROXIES = re.compile(r".* environment: \w*(PROXY|proxy|SSL_\w+|REQUEST_METHOD) .*")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def said(form: str) -> list[str]:
    """The findings of `--output json`, a line each; who reads proxies is left out."""
    lines = []
    for one in json.loads(form):
        lines.append(f"{one['line']}: {one['code']} {one['message']}")
        lines += [f"{note['line']}:   {note['message']}" for note in one["notes"]]
    return [line for line in lines if not PROXIES.fullmatch(line)]


@pytest.mark.parametrize("case", find_cases(Path(__file__).parent), ids=lambda case: case.id)
def test_against(case: Case, folder: Path, capsys: Capture) -> None:
    old = "policy" if "policy" in case.sections else "old"
    text = case.sections[old]
    (folder / "old.yaml").write_text(text if old == "policy" else HEAD + text)
    (folder / "new.gxo.yaml").write_text(HEAD + case.sections["new"])
    code = main(["caps", "new.gxo.yaml", "--against", "old.yaml", "--output", "json"])
    expected = case.sections["says"].splitlines()
    assert said(capsys.readouterr().out) == [line for line in expected if line]
    assert code == (1 if any(expected) else 0)


BEFORE = f"""{HEAD}workloads:
  - name: load
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: psql, args: [-c, select 1]}}}}
"""
AFTER = BEFORE.replace("1]}}", '1], env: {PGPASSWORD: "{{ secret `DB_PASSWORD` }}"}}}')


def gxo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from gxo.cli.main import entry; entry()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_nothing_is_made_twice_or_in_vain(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """An artifact's playbook is compiled once; of a playbook nothing is linked."""
    (folder / "load.gxo.yaml").write_text(BEFORE)
    assert main(["compile", "load.gxo.yaml"]) == 0
    analyse, analysed = Compilation.analyse, []
    monkeypatch.setattr(
        Compilation, "analyse", lambda one: analysed.append(one.file) or analyse(one)
    )
    assert main(["caps", "load.pyz"]) == 0
    assert [Path(file).name for file in analysed] == ["load.gxo.yaml"]
    of_artifact = capsys.readouterr().out

    monkeypatch.setattr(collect, "link", None)
    assert main(["caps", "load.gxo.yaml"]) == 0
    assert capsys.readouterr().out == of_artifact


def test_a_playbook_that_starts_to_read_a_new_secret_is_stopped(
    folder: Path, capsys: Capture
) -> None:
    """By command line, as a CI does: the artifact of before, and the playbook of now."""
    playbook = folder / "load.gxo.yaml"
    playbook.write_text(BEFORE)
    assert main(["compile", "load.gxo.yaml", "-o", "load-1.0.pyz"]) == 0
    assert main(["caps", "load.gxo.yaml", "--against", "load-1.0.pyz"]) == 0
    assert capsys.readouterr().out == "load.gxo.yaml: nothing is new\n"

    playbook.write_text(AFTER)
    done = gxo("caps", "load.gxo.yaml", "--against", "load-1.0.pyz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        'load.gxo.yaml:4:1: error[GXO0580]: secrets: DB_PASSWORD of "load": it is new\n'
        "    4 |   - name: load\n"
        "      | ^^^^^^^^^^^^^^\n"
        "   = hint: if it is meant to be, compare with this version from now on instead of "
        "load-1.0.pyz\n"
        "load.gxo.yaml: 1 error: effects that were not there before\n"
    )
    assert main(["compile", "load.gxo.yaml", "-o", "load-1.1.pyz"]) == 0
    against = ["--against", "load-1.0.pyz", "--output", "github"]
    assert main(["caps", "load-1.1.pyz", *against]) == 1
    told = capsys.readouterr().out
    assert told.startswith("::error file=load.gxo.yaml,line=4,endLine=4,col=1,endColumn=15,")
    assert 'secrets: DB_PASSWORD of "load": it is new' in told


def test_the_list(folder: Path, capsys: Capture) -> None:
    (folder / "job.gxo.yaml").write_text(AFTER)
    assert main(["caps", "job.gxo.yaml"]) == 0
    assert capsys.readouterr().out == (
        "commands         psql  (psql -c 'select 1')\nsecrets          DB_PASSWORD\n"
    )
    assert main(["caps", "job.gxo.yaml", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "kind": "commands",
            "what": "psql",
            "dynamic": False,
            "detail": "psql -c 'select 1'",
            "expression": "",
            "by": [{"workload": "load", "module": "exec", "line": 4}],
        },
        {
            "kind": "secrets",
            "what": "DB_PASSWORD",
            "dynamic": False,
            "detail": "",
            "expression": "",
            "by": [{"workload": "load", "module": None, "line": 4}],
        },
    ]


def test_own_modules_are_code_that_can_change(folder: Path, capsys: Capture) -> None:
    (folder / "modules").mkdir()
    module = folder / "modules" / "a.py"
    module.write_text(
        "from typing import TypedDict\n"
        "from gxo.runtime.context import Context\n"
        "from gxo.runtime.spec import module\n\n\n"
        "class S(TypedDict):\n    n: int\n\n\n"
        '@module("a:b")\nasync def b(ctx: Context) -> S:\n    """Do."""\n    return {"n": 1}\n'
    )
    text = "workloads:\n  - {name: a, lifecycle: {policy: run_once}, process: {module: a:b}}\n"
    (folder / "job.gxo.yaml").write_text(HEAD + text)
    assert main(["compile", "job.gxo.yaml"]) == 0
    assert main(["caps", "job.gxo.yaml", "--against", "job.pyz"]) == 0
    module.write_text(module.read_text().replace('"n": 1', '"n": 2'))
    assert main(["caps", "job.gxo.yaml", "--against", "job.pyz"]) == 1
    assert "code: modules/a.py  (sha256:" in capsys.readouterr().err


def test_what_own_modules_need_is_told_before_it_is_pinned(folder: Path, capsys: Capture) -> None:
    """Nothing is linked for the list, so there need be no modules.lock."""
    shutil.copytree(CATALOGUE, folder / "catalogue")
    (folder / "catalogue" / "modules.lock").unlink()
    assert main(["caps", "catalogue/catalogue.gxo.yaml"]) == 0
    assert "distributions    python-slugify\n" in capsys.readouterr().out
    assert not (folder / "catalogue" / "modules.lock").exists()


def test_an_artifact_that_was_changed_is_refused(folder: Path, capsys: Capture) -> None:
    (folder / "job.gxo.yaml").write_text(BEFORE)
    assert main(["compile", "job.gxo.yaml"]) == 0
    bundle = ZipBundle("job.pyz", (folder / "job.pyz").read_bytes())
    files = {name: bundle.read(name) for name in bundle.names() if name != "__main__.py"}
    files["gxo_job.py"] += b"\nimport os\n"
    (folder / "bad.pyz").write_bytes(render(files))
    assert main(["caps", "bad.pyz"]) == 1
    assert main(["caps", "job.pyz", "--against", "bad.pyz"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "bad.pyz: gxo_job.py has another hash than the manifest says" in told.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "the following arguments are required: JOB"),
        (("none.pyz",), 2, "gxo: cannot read none.pyz: no such file or directory"),
        (("none.yaml",), 2, "cannot read 'none.yaml': there is no such file"),
        (("job.gxo.yaml", "--output", "github"), 2, "--output github is for --against"),
        (("job.gxo.yaml", "--against", "none.yaml"), 2, "cannot read 'none.yaml'"),
        (("job.gxo.yaml", "--against", "text"), 2, "it is no artifact of gxo"),
        (("job.gxo.yaml", "--against", "empty.yaml"), 2, "the file is empty"),
        (("job.gxo.yaml", "--against", "wrong.yaml"), 2, 'did you mean "secrets"?'),
        (("bad.gxo.yaml",), 1, "error[GXO"),
        (("text",), 2, "it is no artifact of gxo"),
    ],
)
def test_bad_use(
    arguments: tuple[str, ...], code: int, says: str, folder: Path, capsys: Capture
) -> None:
    (folder / "job.gxo.yaml").write_text(BEFORE)
    (folder / "bad.gxo.yaml").write_text(f"{HEAD}workloads: []\n")
    (folder / "text").write_text("text\n" * 100)
    (folder / "empty.yaml").write_text("")
    (folder / "wrong.yaml").write_text("secret: [A]\n")
    try:
        found = main(["caps", *arguments])
    except SystemExit as end:
        found = int(str(end.code))
    assert (found, says in capsys.readouterr().err) == (code, True)
