"""A user's own modules at the command line: every verb finds them, and `gxo run` sees each change."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.compile_to_run import compile_to_folder
from gxo.cli.main import main
from gxo.compiler.package import run_store
from gxo.compiler.package.run_cache import find
from gxo.compiler.version import VERSION
from tests.examples.test_examples import run
from tests.reports import read_report

MODULE = '''"""Greetings."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module

from ._words import WORD


class Greeted(TypedDict):
    text: str


@module("acme:greet")
async def greet(ctx: Context, *, name: str) -> Greeted:
    """Greet somebody.

    Args:
        name: who
    """
    return {"text": f"{WORD}, {name}"}
'''
PLAYBOOK = """\
name: greet
schemaVersion: v1.0.0
workloads:
  - name: greet
    lifecycle: {policy: run_once}
    process: {module: acme:greet, params: {name: Ada}}
    register: greeted
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A playbook, its modules in a folder of another name, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "acme.py").write_text(MODULE)
    (tmp_path / "ours" / "_words.py").write_text('WORD = "hello"\n')
    (tmp_path / "greet.gxo.yaml").write_text(PLAYBOOK)
    return tmp_path


def test_every_verb_takes_a_module_path(capsys: Capture) -> None:
    assert main(["validate", "greet.gxo.yaml"]) == 1
    assert 'there is no module "acme:greet"' in capsys.readouterr().err
    assert main(["validate", "--module-path", "ours", "greet.gxo.yaml"]) == 0
    assert main(["compile", "--module-path=ours", "--emit", "python", "greet.gxo.yaml"]) == 0
    assert "from modules.acme import" in capsys.readouterr().out
    assert main(["schema", "--full", "--module-path", "ours"]) == 0
    assert '"acme:greet"' in capsys.readouterr().out
    assert main(["modules", "--module-path", "ours"]) == 0
    assert "acme:greet  " in capsys.readouterr().out


def test_modules_beside_are_documented_as_gxos(folder: Path, capsys: Capture) -> None:
    (folder / "ours").rename(folder / "modules")
    assert main(["modules", "acme:greet"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("acme:greet\n\nGreet somebody.\n\nParameters:\n  name: text, required\n")
    assert main(["modules", "acme"]) == 0
    assert capsys.readouterr().out == page
    assert main(["modules", "--output", "markdown", "acme"]) == 0
    assert capsys.readouterr().out.startswith("# acme\n\n## acme:greet\n\nGreet somebody.\n\n| par")
    assert main(["modules", "--output", "json", "acme:greet"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"][0]["description"] == "who"
    assert main(["modules", "acme:great"]) == 2
    assert 'did you mean "acme:greet"?' in capsys.readouterr().err


def test_what_is_wrong_with_a_module_is_shown_in_its_file(folder: Path, capsys: Capture) -> None:
    path = folder / "ours" / "acme.py"
    path.write_text(MODULE.replace("name: str", "name: bytes"))
    assert main(["validate", "--module-path", "ours", "greet.gxo.yaml"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "greet.gxo.yaml: 1 error\n"
    assert "ours/acme.py:16:40: error[GXO0590]: module `greet`: `bytes` is no type" in shown.err
    assert "   16 | async def greet(ctx: Context, *, name: bytes) -> Greeted:\n" in shown.err
    assert main(["modules", "--module-path", "ours", "acme:greet"]) == 1
    assert "ours/acme.py:16:40: error[GXO0590]" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["validate", "compile", "run"])
def test_a_module_path_that_is_not_there(verb: str, capsys: Capture) -> None:
    try:
        code = main([verb, "--module-path", "nowhere", "greet.gxo.yaml"])
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


def test_an_artifact_needs_none_of_it(folder: Path, python: Path) -> None:
    target = folder / "elsewhere" / "job.pyz"
    target.parent.mkdir()
    assert main(["compile", "--module-path", "ours", "greet.gxo.yaml", "-o", str(target)]) == 0
    (folder / "ours").rename(folder / "gone")
    results = run(python, target)["workload_results"]
    assert isinstance(results, dict)
    assert results["greet"]["summary"] == {"text": "hello, Ada"}


FLAGS = ["--module-path=ours"]


def kept() -> str | None:
    """The compiled job that `gxo run` would take, without a look at the playbook."""
    return find("greet.gxo.yaml", [VERSION, *FLAGS])


def compile_again() -> None:
    folder, code = compile_to_folder("greet.gxo.yaml", FLAGS, caching=True)
    assert code == 0
    assert kept() == folder


@pytest.mark.parametrize(
    "changed", ["ours/acme.py", "ours/_words.py", "ours/new.py", "modules", "modules.lock"]
)
def test_run_notices_what_could_matter(
    changed: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module, what it imports, and new files of which one could be in the way of another."""
    monkeypatch.setattr(run_store, "COARSE", 0)
    compile_again()
    if changed == "modules":
        (folder / changed).mkdir()
    else:
        with (folder / changed).open("a") as file:
            file.write("\n")
    assert kept() is None
    compile_again()


def test_run_notices_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ours" / "unused.py").write_text("")
    monkeypatch.setattr(run_store, "COARSE", 0)
    compile_again()
    (folder / "ours" / "unused.py").write_text("# not used")
    (folder / "ours" / "acme.py").touch()
    assert kept() is not None


def test_run_runs_them(folder: Path) -> None:
    command = [sys.executable, "-c", "from gxo.cli.main import entry; entry()", "run", *FLAGS]
    command += ["greet.gxo.yaml", "--report", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = read_report(done.stdout)["workload_results"]
    assert results["greet"]["summary"] == {"text": "hello, Ada"}


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("acme.py", "LIMIT = 1 / 0", "23: the file cannot be loaded: ZeroDivisionError: "),
        ("acme.py", "raise SystemExit(0)", "23: the file cannot be loaded: SystemExit: 0"),
        ("_words.py", "from .acme import greet", "2: the file cannot be loaded: ImportError: "),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named_and_no_defect_of_gxo(
    file: str, line: str, told: str, folder: Path, python: Path
) -> None:
    with (folder / "ours" / file).open("a") as text:
        text.write(f"{line}\n")
    assert main(["compile", *FLAGS, "greet.gxo.yaml", "-o", "job.pyz"]) == 0
    verb = [sys.executable, "-c", "from gxo.cli.main import entry; entry()", "run", *FLAGS]
    for command in ([str(python), "job.pyz"], [*verb, "greet.gxo.yaml"]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: modules/{file}:{told}")
        assert "Traceback" not in done.stderr


def test_an_error_of_a_module_has_its_place(folder: Path, python: Path) -> None:
    """That of what the module calls is where the module calls it."""
    text = MODULE.replace("{WORD}, {name}", "{WORD.index(name)}")
    (folder / "ours" / "acme.py").write_text(text)
    assert main(["compile", *FLAGS, "greet.gxo.yaml", "-o", "job.pyz"]) == 0
    done = subprocess.run([str(python), "job.pyz"], capture_output=True, text=True)
    assert "ValueError: substring not found (modules/acme.py:22)" in done.stderr
