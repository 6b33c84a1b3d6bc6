"""`gxo compile --check`: what it notices, what it says, and that it writes nothing."""

import shutil
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.codegen import parts
from tests.casefile import Case, read_cases, update
from tests.transcript import commands_of, transcript

FOLDER = Path(__file__).with_name("check")
CASES = read_cases(FOLDER / "cases.test")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_transcript(
    case: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    for playbook in FOLDER.glob("*.gxo.yaml"):
        shutil.copy(playbook, tmp_path)
    monkeypatch.chdir(tmp_path)
    said = ""
    for line in commands_of(case.sections["session"]):
        before = contents(tmp_path)
        said += transcript(line, capsys)
        assert "--check" not in line or contents(tmp_path) == before
    if request.config.getoption("--update-golden"):
        update(case, {"session": said})
    else:
        assert said == case.sections["session"]


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """When each file was written, and what is in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_program_in_parts_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each part is compared, and one that is left over is told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parts, "ONE_FILE", 1)
    monkeypatch.setattr(parts, "MOST", 1)
    playbook = tmp_path / "sync.gxo.yaml"
    shutil.copy(FOLDER / "sync.gxo.yaml", playbook)
    command = ["compile", "sync.gxo.yaml", "--emit", "python", "-o", "made/"]
    assert main(command) == 0
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("made/**/*.py"))
    parted = ("__init__", "fetch", "job", "keep")
    assert made == [
        "made/sync/gxo_job.py",
        *(f"made/sync/gxo_parts/{name}.py" for name in parted),
    ]
    assert main([*command, "--check"]) == 0
    playbook.write_text(playbook.read_text().replace("name: keep", "name: store"))
    capsys.readouterr()
    assert main([*command, "--check"]) == 1
    said = capsys.readouterr().err
    assert [line.partition(":")[0] for line in said.splitlines() if "GXO0909" in line] == [
        "made/sync/gxo_job.py",
        "made/sync/gxo_parts/keep.py",
        "made/sync/gxo_parts/store.py",
    ]
