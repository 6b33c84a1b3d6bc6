"""`gxo diff`: what a reviewer sees of a change."""

import hashlib
import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.cli.main import main
from gxo.compiler.compare.changes import compare
from gxo.compiler.compare.jobs import InvalidError, Job
from gxo.compiler.compare.shown import render_text
from gxo.compiler.package.archive import render
from gxo.compiler.trust.artifact import PLAYBOOK as PLAYBOOK_IN_IT
from gxo.compiler.version import VERSION
from gxo.runtime.bundle import ZipBundle
from tests.casefile import Case, read_cases, update
from tests.transcript import commands_of, transcript

FOLDER = Path(__file__).with_name("diff")
CASES = read_cases(FOLDER / "cases.test")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PLAYBOOKS = [EXAMPLES / name / f"{name}.gxo.yaml" for name in ("orders-etl", "host-report")]
MANIFEST, JOB = "_gxo/manifest.json", "gxo_job.py"


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_session(
    case: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    shutil.copy(FOLDER / "old.gxo.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    said = "".join(transcript(line, capsys) for line in commands_of(case.sections["session"]))
    if request.config.getoption("--update-golden"):
        update(case, {"session": said})
    else:
        assert said == case.sections["session"]


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of old.pyz, which is there as well."""
    shutil.copy(FOLDER / "old.gxo.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["compile", "old.gxo.yaml"]) == 0
    bundle = ZipBundle("old.pyz", Path("old.pyz").read_bytes())
    return {name: bundle.read(name) for name in bundle.names() if name != "__main__.py"}


def with_file(files: dict[str, bytes], path: str, content: bytes) -> dict[str, bytes]:
    """The files with another content of one, of which the manifest says that it is right."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"][path] = hashlib.sha256(content).hexdigest()
    return {**files, path: content, MANIFEST: json.dumps(manifest).encode()}


def said_of(files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """How a comparison of old.pyz with an artifact of the files ends, and what it prints."""
    Path("new.pyz").write_bytes(render(files))
    capsys.readouterr()
    code = main(["diff", "old.pyz", "new.pyz"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_program_that_its_playbook_does_not_give(
    artifact: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    program = artifact[JOB].replace(b'"ping"', b'"evil"')
    code, out, err = said_of(with_file(artifact, JOB, program), capsys)
    assert code == 1
    assert '+    return await exec_(ctx, command="evil"' in out
    assert err == (
        "gxo: warning: new.pyz: its program is NOT what its playbook gives:"
        " believe the generated code alone\n"
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("gxo_job.pyc", "is not the byte code that this Python makes of its source"),
        ("gxo/runtime/job.py", f"is not the file that gxo {VERSION} puts there"),
    ],
)
def test_what_runs_beside_the_program(
    path: str, said: str, artifact: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    files = with_file(artifact, path, artifact[path] + b"#")
    code, out, err = said_of(files, capsys)
    assert (code, out) == (0, "")
    assert err.startswith(f"gxo: warning: new.pyz: {path} in it {said}")


def test_a_program_by_another_version(
    artifact: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """What differs in the header alone is no difference, and what cannot be told is said."""
    older = artifact[JOB].replace(f"gxo {VERSION}".encode(), b"gxo 0.0.7")
    manifest = artifact[MANIFEST].replace(f'"gxo": "{VERSION}"'.encode(), b'"gxo": "0.0.7"')
    files = with_file({**artifact, MANIFEST: manifest}, JOB, older)
    said = f"gxo 0.0.7 has made it, whose runtime gxo {VERSION} does not know"
    assert said_of(files, capsys) == (0, "", f"gxo: warning: new.pyz: {said}\n")
    files = with_file({**artifact, MANIFEST: manifest}, JOB, older.replace(b"1.0", b"2.0"))
    code, _, err = said_of(files, capsys)
    assert code == 1
    assert "gxo 0.0.7 has made it, and gxo" in err


def test_what_is_not_as_the_manifest_says(
    artifact: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    others = {f"gxo/runtime/more_{number}.py": b"" for number in range(4)}
    code, out, err = said_of({**artifact, **others}, capsys)
    assert (code, out) == (0, "")
    assert err.count("is in the artifact and not in the manifest") == 3
    assert "1 more of its files are not what its manifest says" in err


def test_a_playbook_that_cannot_be_compiled_here(
    artifact: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is compared as far as it can be read."""
    playbook = artifact[PLAYBOOK_IN_IT].replace(b"timeout: 30s", b"timeot: 30s")
    code, out, err = said_of({**artifact, PLAYBOOK_IN_IT: playbook}, capsys)
    assert code == 1
    assert "fetch.timeout" in out
    assert "its playbook cannot be compiled here" in err


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil", "", "/etc/passwd"])
def test_nothing_is_laid_outside(
    name: str, artifact: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads(artifact[MANIFEST])
    manifest["assets"] = [{"path": name, "sha256": "0" * 64, "executable": False}]
    files = {**artifact, MANIFEST: json.dumps(manifest).encode()}
    code, out, err = said_of(files, capsys)
    assert (code, out) == (2, "")
    assert "gxo: cannot read new.pyz: " in err


def test_own_modules_and_assets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An artifact has all that its comparison needs, and is what its playbook gives."""
    shutil.copytree(EXAMPLES / "catalogue", tmp_path / "old")
    shutil.copytree(EXAMPLES / "catalogue", tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    assert main(["compile", "old/catalogue.gxo.yaml", "-o", "old.pyz"]) == 0
    assert main(["diff", "old.pyz", "new/catalogue.gxo.yaml"]) == 0
    assert capsys.readouterr() == ("", "")
    with Path("new/products.csv").open("a") as file:
        file.write("\n")
    module = next(Path("new/modules").rglob("*.py"))
    module.write_text(f"{module.read_text()}\n# more\n")
    assert main(["diff", "old.pyz", "new/catalogue.gxo.yaml"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("parameters\n  ~ assets products.csv: changed\n\ngenerated code\n")
    assert "+# more\n" in said


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.name)
@settings(max_examples=3, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_another_formatting_is_no_difference(path: Path, chance: random.Random) -> None:
    """Comments, the order of keys, quotes, flow and block style."""
    text = yaml.safe_dump(
        shuffled(read(path), chance),
        sort_keys=False,
        default_flow_style=chance.choice([True, False, None]),
        indent=chance.choice([2, 4]),
        width=chance.choice([40, 1000]),
        allow_unicode=chance.choice([True, False]),
    )
    assert compared(path, f"# {chance.random()}\n{text}") == ("", False)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.name)
@settings(max_examples=6, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_whatever_changes_the_code_is_told(path: Path, chance: random.Random) -> None:
    """One value is another: what the sections before the code say of it is never nothing."""
    tree = read(path)
    alter(tree, chance)
    try:
        said, differs = compared(path, yaml.safe_dump(tree, sort_keys=False))
    except InvalidError:
        return
    assert differs == bool(said)
    assert not said.startswith("generated code")


def read(path: Path) -> dict[str, Any]:
    """The playbook; PyYAML knows YAML 1.1, where `on` is true."""
    tree: dict[str, Any] = yaml.safe_load(re.sub(r"\bon:", '"on":', path.read_text("utf-8")))
    return tree


def shuffled(tree: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The playbook with the keys in another order where the language has a name for each."""
    for key in ("workloads", "finally"):
        for workload in tree.get(key, []):
            process = workload["process"]
            if "params" in process:
                process["params"] = mixed(process["params"], chance)
            workload["process"] = mixed(process, chance)
        if key in tree:
            tree[key] = [mixed(workload, chance) for workload in tree[key]]
    for key in ("inputs", "vars"):
        if key in tree:
            tree[key] = mixed(tree[key], chance)
    return mixed(tree, chance)


def mixed(tree: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return dict(chance.sample(list(tree.items()), len(tree)))


def alter(tree: Any, chance: random.Random) -> None:
    """Change one value of the tree, or take one away."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    key = chance.choice(list(keys))
    value = tree[key]
    if isinstance(value, dict | list) and value and chance.random() < 0.9:
        alter(value, chance)
    elif chance.random() < 0.2:
        del tree[key]
    elif isinstance(value, bool):
        tree[key] = not value
    elif isinstance(value, int):
        tree[key] = value + 1
    elif isinstance(value, str):
        tree[key] = chance.choice([f"{value}x", f"x{value}", value.replace("{{ ", "{{ 1 | ")])


def compared(path: Path, text: str) -> tuple[str, bool]:
    """What is shown of the difference between a playbook and the same one with another text."""
    old = Job(str(path), path, path.read_bytes())
    new = Job(str(path), path, text.encode())
    comparison = compare(old.compile(new.read().playbook), new.compile())
    return render_text(comparison, colour=False), comparison.differs
