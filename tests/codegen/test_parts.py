"""A large program in parts is the program in one file, and a small change changes one of them."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gxo.compiler.codegen import parts
from gxo.compiler.codegen.emit import Module
from gxo.compiler.driver import Compilation, check
from gxo.compiler.package.run_store import write_folder

ROOT = Path(__file__).parents[2]
GOLDEN = [ROOT / "golden" / name / "playbook.gxo.yaml" for name in ("fused", "pipeline")]

HEAD = """\
name: parted
schemaVersion: v1.0.0
inputs: {who: {default: you}}
vars: {first: "{{ index (list 1 2) (int .who) }}"}
workloads:
"""
WORKLOAD = """\
  - name: w-{n}
    lifecycle: {{policy: run_once}}
    process: {{module: control:identity, params: {{value: "{{{{ index (list 1 2) (int .who) }}}}"}}}}
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are as small as tests are."""
    for name, value in {"ONE_FILE": 5, "LEAST": 2, "MOST": 8, "ONE_IN": 2}.items():
        monkeypatch.setattr(parts, name, value)


def workloads(*numbers: int) -> str:
    return "".join(WORKLOAD.format(n=n) for n in numbers)


def compiled(text: str) -> Compilation:
    compilation = Compilation("parted.gxo.yaml")
    assert compilation.read(text.encode())
    assert compilation.analyse(), compilation.diagnostics.sorted()
    return compilation


def sources(text: str) -> Mapping[str, str]:
    return compiled(text).generate().sources


def functions(*texts: str) -> list[str]:
    """The code of everything but heads, in order."""
    nodes = [node for text in texts for node in ast.parse(text).body]
    code = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [ast.dump(node) for node in nodes if isinstance(node, code)]


def bodies(module: Module) -> list[str]:
    return [text for path, text in module.sources.items() if path != f"{parts.JOB.folder}/job.py"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_parts_have_what_one_file_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = check(path).generate(pretty=False)
    assert len(split.sources) > 4
    monkeypatch.setattr(parts, "ONE_FILE", 1000)
    alone = check(path).generate(pretty=False)
    assert list(alone.sources) == ["gxo_job.py"]
    assert functions(*bodies(split)) == functions(alone.text)


def test_the_table_imports_the_parts_in_order() -> None:
    found = sources(HEAD + workloads(*range(20)))
    table = found["gxo_job.py"]
    imported = [line for line in table.splitlines() if line.startswith("import ")]
    names = [path.removesuffix(".py").replace("/", ".") for path in list(found)[3:]]
    assert imported == [f"import {name}" for name in names]
    assert "from gxo_parts.job import job" in table
    assert table.startswith('"""parted, compiled by gxo ')
    assert all("job = Job(" not in text for path, text in found.items() if path[-6:] != "job.py")


def test_a_changed_workload_changes_its_part() -> None:
    text = HEAD + workloads(*range(40))
    before, after = (
        sources(text),
        sources(text.replace("name: w-17\n", "name: w-17\n    timeout: 3s\n")),
    )
    assert list(before) == list(after)
    (changed,) = [path for path in before if before[path] != after[path]]
    assert "timeout=3.0" in after[changed]


@pytest.mark.parametrize("number", range(0, 40, 3))
def test_a_workload_more_changes_what_is_near(number: int) -> None:
    before = sources(HEAD + workloads(*(one for one in range(40) if one != number)))
    after = sources(HEAD + workloads(*range(40)))
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert len(changed) <= 5  # the table, its part, and where it begins another
    assert len(before) > 8


def test_files_are_called_after_workloads_whatever_those_are_called() -> None:
    names = ["job", "Job", "class", "import", "__init__", "a" * 100, "A" * 100, "w-1", "W_1"]
    text = HEAD + "".join(workloads(7).replace("w-7", name) for name in names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LEAST", 1)
        patch.setattr(parts, "ONE_IN", 1)
        found = sources(text)
    files = [path.removeprefix("gxo_parts/") for path in found][3:]
    assert len(files) == len(names)
    assert len({file.lower() for file in ("__init__.py", "job.py", *files)}) == len(names) + 2
    assert all(file.removesuffix(".py").isidentifier() and len(file) < 70 for file in files)
    assert "class.py" not in files


RUN = "import sys; sys.path.insert(0, sys.argv[1])\n" + (
    "from gxo_job import job\n"
    "from gxo.runtime.bundle import FolderBundle\n"
    "from gxo.runtime.main import main\n"
    "sys.exit(main(job, FolderBundle(sys.argv[1]), sys.argv[2:]))\n"
)


@pytest.mark.parametrize("folder", [False, True], ids=["artifact", "folder"])
def test_it_runs_and_blames_the_playbook(folder: bool, tmp_path: Path) -> None:
    text = (HEAD + workloads(*range(12))).replace("vars: ", "vars: {}  # ")
    compilation = compiled(text)
    if folder:
        write_folder(str(tmp_path / "job"), compilation.package(compilation.generate(pretty=False)))
        command = [sys.executable, "-c", RUN, str(tmp_path / "job")]
    else:
        compilation.write_artifact(tmp_path / "job.pyz")
        command = [sys.executable, str(tmp_path / "job.pyz")]
    good = subprocess.run([*command, "--var", "who=1"], capture_output=True, text=True)
    assert good.returncode == 0, good.stderr
    bad = subprocess.run([*command, "--var", "who=7"], capture_output=True, text=True)
    assert bad.returncode == 1
    line = 6 + 3 * 9 + 2
    assert f"(parted.gxo.yaml:{line}:" in bad.stderr, bad.stderr
    assert "w-9: failed" in bad.stderr


def test_what_fails_in_a_var_leads_to_its_place(tmp_path: Path) -> None:
    compiled(HEAD + workloads(*range(12))).write_artifact(tmp_path / "job.pyz")
    command = [sys.executable, str(tmp_path / "job.pyz"), "--var", "who=7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "(parted.gxo.yaml:4:" in done.stderr, done.stderr
