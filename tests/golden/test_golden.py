"""Golden cases: a playbook, and all that is made of it.

A case is a folder of `golden/` with a `playbook.gxo.yaml`, or a `playbook.path` that names one. What is
made of it is compared both ways with `expect/`: missing and extra files fail. The generated modules are
type-checked, and every case is run from its artifact. `make golden` rewrites `expect/`.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.codegen import parts
from gxo.compiler.codegen.emit import Module
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.package.archive import build_artifact
from gxo.compiler.rendering import render_text
from tests.reports import read_report

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())
VALID = [case for case in CASES if not (case / "expect" / "errors.txt").exists()]


def playbook_of(case: Path) -> Path:
    pointer = case / "playbook.path"
    if pointer.exists():
        return GOLDEN.parent / pointer.read_text().strip()
    return case / "playbook.gxo.yaml"


@cache
def compiled(case: Path) -> Compilation:
    return check(playbook_of(case), Options(verify_ir=True))


@cache
def module_of(case: Path) -> Module:
    return compiled(case).generate()


def made_of(case: Path) -> dict[str, str]:
    """File name to content: everything that the compiler makes of the case's playbook."""
    compilation = compiled(case)
    findings = compilation.diagnostics.sorted()
    text = render_text(findings, {compilation.file: compilation.text}, colour=False)
    text = text.replace(str(playbook_of(case).parent) + os.sep, "")
    if compilation.diagnostics.has_errors:
        return {"errors.txt": text}
    assert compilation.plan is not None
    module = module_of(case)
    made = {
        "gxo_job.py": module.text,
        "plan.txt": print_plan(compilation.plan),
        "manifest.json": without_hashes(compilation.manifest_text(module)),
        "sourcemap.json": module.source_map,
    }
    if module.included:
        made["gxo_included.py"] = module.included.text
    return made | ({"warnings.txt": text} if findings else {})


def without_hashes(manifest: str) -> str:
    """The manifest without what changes with every file of the runtime; that is no news here."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", manifest)
    return re.sub(r'^  "files": \{$.*?^  \},\n', "", text, count=1, flags=re.M | re.S)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path, request: pytest.FixtureRequest) -> None:
    made = made_of(case)
    expect = case / "expect"
    if request.config.getoption("--update-golden"):
        assert not os.environ.get("CI"), "golden files are never rewritten in CI"
        expect.mkdir(exist_ok=True)
        for path in expect.iterdir():
            path.unlink()
        for name, text in made.items():
            (expect / name).write_text(text, encoding="utf-8")
        return
    expected = {path.name: path.read_text(encoding="utf-8") for path in expect.iterdir()}
    assert sorted(made) == sorted(expected), "missing or extra files; see `make golden`"
    for name, text in made.items():
        assert text == expected[name], f"{name} differs; `make golden` rewrites it"


def test_generated_modules_type_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mypy --strict` over all generated modules at once, and over one program in parts.

    And over what the code of playbooks with any other module would import.
    """
    library = Library(standard_roots(), Diagnostics()).all()
    words = [(one.source, one.function) for one in library]
    words += [(one.summary_source, one.summary_name) for one in library if one.summary_name]
    lines = [f"from {source} import {name} as n{place}" for place, (source, name) in enumerate(words)]
    (tmp_path / "imports.py").write_text("\n".join(lines), encoding="utf-8")
    paths = [str(tmp_path / "imports.py")]
    for name, functions in {"ONE_FILE": 5, "LEAST": 1, "MOST": 3}.items():
        monkeypatch.setattr(parts, name, functions)
    for name, text in compiled(GOLDEN / "fused").generate().sources.items():
        path = tmp_path / "in-parts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    assert len(paths) > 4
    for case in VALID:
        for generated in case.glob("expect/gxo_*.py"):
            path = tmp_path / f"{case.name}_{generated.stem}.py".replace("-", "_")
            path.write_text(generated.read_text(encoding="utf-8"))
            paths.append(str(path))
    # Of what the modules of an example import of others, which is not installed here.
    (tmp_path / "slugify.pyi").write_text("def slugify(text: str, *, max_length: int) -> str: ...\n")
    users = [str(playbook_of(case).parent) for case in VALID if users_modules(case)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *paths],
        env=os.environ
        | {"MYPYPATH": ":".join(["compiler", "runtime", "stdlib", str(tmp_path), *users])},
        cwd=GOLDEN.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def users_modules(case: Path) -> bool:
    return (playbook_of(case).parent / "modules").is_dir()


def run_of(case: Path) -> dict[str, Any]:
    """What `run.json` says: options, environment, and how the run ends."""
    file = case / "run.json"
    assert file.exists(), f"{case.name} has no run.json"
    plan: dict[str, Any] = json.loads(file.read_text())
    return plan


ELSEWHERE = {case: run_of(case)["elsewhere"] for case in VALID if "elsewhere" in run_of(case)}
"""The cases that another test runs, because they need something around them."""

RUN = [case for case in VALID if case not in ELSEWHERE]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The artifact of the case that the test is about."""
    case: Path = request.param
    package = compiled(case).package(module_of(case))
    return build_artifact(tmp_path_factory.mktemp(case.name) / "job.pyz", package).path


def test_what_runs_elsewhere_is_there() -> None:
    assert [test for test in ELSEWHERE.values() if not (GOLDEN.parent / test).exists()] == []


@pytest.mark.parametrize(
    ("case", "artifact"),
    [pytest.param(case, case, id=case.name) for case in RUN],
    indirect=["artifact"],
)
def test_runs(case: Path, artifact: Path, python: Path, tmp_path: Path) -> None:
    """The artifact ends as `run.json` of the case says: exit code and each workload's status."""
    plan = run_of(case)
    done = subprocess.run(
        [python, "-W", "error", artifact, "--report", "-", *plan.get("options", [])],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | plan.get("environment", {}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == plan["exit_code"], done.stderr
    if refused := plan.get("refused"):
        assert refused in done.stderr
        return
    results = read_report(done.stdout)["workload_results"]
    assert {name: result["status"] for name, result in results.items()} == plan["statuses"]


@pytest.mark.parametrize(
    ("case", "artifact"),
    [pytest.param(case, case, id=case.name) for case in RUN if "refused" not in run_of(case)],
    indirect=["artifact"],
)
def test_dry_run(case: Path, artifact: Path, tmp_path: Path) -> None:
    """A dry run of the artifact does not fail, and leaves no trace."""
    plan = run_of(case)
    options = ["--dry-run", "--detailed-exitcode", "--diff", *plan.get("options", [])]
    done = subprocess.run(
        [sys.executable, str(artifact), *options],
        env={"PATH": "/nowhere", "HOME": str(tmp_path)} | plan.get("environment", {}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 3), done.stderr
    assert re.search(r"dry run: \d+ would change, \d+ unchanged, \d+ unknown$", done.stderr.strip())
    assert list(tmp_path.iterdir()) == []
