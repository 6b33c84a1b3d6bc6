"""What is copied out of the workspace, and what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime import Context, Job
from gxo.runtime.errors import ModuleError, SecurityError
from gxo.runtime.main import main
from gxo.runtime.workspace.outputs import copy_out, fits
from gxo.runtime.workspace.workspace import Workspace
from tests.runtime.workspace.unprivileged import call_as_nobody, folder_of_nobody

FILES = ["top.txt", ".hidden", "out/a.csv", "out/b.csv", "out/deep/c.csv", "out/.d.csv"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    os.symlink("/etc/passwd", folder / "out/link.csv")
    os.symlink("deep", folder / "out/linked")
    os.mkfifo(folder / "out/pipe.csv")
    return Workspace.existing(str(folder))


def copied(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["top.txt"], ["top.txt"]),
        (["./top.txt", "top.txt"], ["top.txt"]),
        (["out/*.csv"], ["out/a.csv", "out/b.csv"]),
        (["out/**/*.csv"], ["out/a.csv", "out/b.csv", "out/deep/c.csv"]),
        (["**"], ["out/a.csv", "out/b.csv", "out/deep/c.csv", "top.txt"]),
        ([".hidden", "out/.*"], [".hidden", "out/.d.csv"]),
        (["out/[ab].csv"], ["out/a.csv", "out/b.csv"]),
        (["missing", "out"], []),
        (["out/link.csv", "out/linked/c.csv", "out/pipe.csv"], []),
    ],
)
def test_patterns(
    patterns: list[str], expected: list[str], workspace: Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    assert copy_out(workspace, patterns, str(target)).paths == expected
    assert copied(target) == expected
    assert all((target / name).read_text() == name for name in expected)


@pytest.mark.parametrize("pattern", ["../x", "out/../../x", "/etc/passwd"])
def test_a_name_that_leaves(pattern: str, workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(SecurityError, match="would leave the directory"):
        copy_out(workspace, [pattern], str(tmp_path / "target"))
    assert not (tmp_path / "target").exists()


def test_the_mode_is_kept_and_the_old_file_replaced(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "out").mkdir(parents=True)
    (target / "out/a.csv").write_text("before")
    other = tmp_path / "other"
    os.link(target / "out/a.csv", other)
    os.chmod(Path(workspace.path) / "out/a.csv", 0o755)
    copy_out(workspace, ["out/a.csv"], str(target))
    assert (target / "out/a.csv").stat().st_mode & 0o777 == 0o755
    assert other.read_text() == "before"  # replaced, not written into


def test_what_is_not_copied_is_told(workspace: Workspace, tmp_path: Path) -> None:
    patterns = ["gone", "gone/*", "top.txt/x", "*.log", "out/*.csv", "out/linked/c.csv", "out"]
    copied = copy_out(workspace, patterns, str(tmp_path / "target"))
    assert copied.paths == ["out/a.csv", "out/b.csv"]
    assert copied.left_out == ["out", "out/link.csv", "out/linked/c.csv", "out/pipe.csv"]
    assert copied.missing == ["gone", "gone/*", "top.txt/x", "*.log"]


def test_only_folders_that_a_pattern_needs_are_listed(tmp_path: Path) -> None:
    class Locked(Workspace):
        def scan(self, path: str, recursive: bool = False) -> Any:
            listed.append((path, recursive))
            return super().scan(path, recursive)

    listed: list[tuple[str, bool]] = []
    folder = tmp_path / "workspace"
    (folder / "out/deep").mkdir(parents=True)
    (folder / "out/deep/x.txt").write_text("x")
    patterns = ["out/deep/x.txt", "out/deep/*.txt", "out/*/x.txt"]
    copy_out(Locked.existing(str(folder)), patterns, str(tmp_path / "target"))
    assert listed == [("out/deep", False), ("out", True)]


def test_no_link_is_followed_on_the_way_out(workspace: Workspace, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    os.symlink(elsewhere, target / "out")
    with pytest.raises(
        ModuleError, match=r"cannot write 'out/a.csv' to .*/target: not a directory"
    ):
        copy_out(workspace, ["out/a.csv"], str(target))
    assert copied(elsewhere) == []
    os.symlink(elsewhere / "victim", target / "top.txt")
    copy_out(workspace, ["top.txt"], str(target))
    assert not (target / "top.txt").is_symlink()
    assert copied(elsewhere) == []


def test_outputs_are_copied_after_a_failure_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GXO_WORKSPACES", str(tmp_path / "workspaces"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workspaces").mkdir(mode=0o700)
    job = Job("case", outputs=["out/*"])

    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx.thread(ctx.workspace.write, "out/x", b"content")
        raise ValueError("no luck")

    assert main(job, None, ["--outputs", "there"]) == 1
    assert (tmp_path / "there/out/x").read_bytes() == b"content"
    assert os.listdir(tmp_path / "workspaces") == []
    assert "output: out/x" in capfd.readouterr().err


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("writing", [False, True])
def test_outputs_that_are_not_there_are_told_unless_the_job_failed(
    writing: bool,
    failing: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GXO_WORKSPACES", str(tmp_path / "workspaces"))
    (tmp_path / "workspaces").mkdir(mode=0o700)
    job = Job("case", outputs=["x", "out/*.csv", "link"])

    @job.workload("a")
    async def a(ctx: Context) -> None:
        if writing:
            os.symlink("x", os.path.join(ctx.workspace.path, "link"))
        if failing:
            raise ValueError("no luck")

    assert main(job, None, ["--outputs", str(tmp_path)]) == failing
    log = capfd.readouterr().err
    assert ("there is no output 'x' in the workspace" in log) is not failing
    assert ("there is no output 'out/*.csv' in the workspace" in log) is not failing
    assert ("no regular files, and so no outputs: 'link'" in log) is writing


def test_messages_name_what_may_not_be_used() -> None:
    with folder_of_nobody() as place:

        def scene() -> None:
            for folder in ("w", "w/locked", "target"):
                os.mkdir(f"{place}/{folder}")
            Path(f"{place}/w/o.txt").write_text("x")
            os.chmod(f"{place}/w/locked", 0)
            workspace = Workspace.existing(f"{place}/w")
            assert copy_out(workspace, ["o.txt"], f"{place}/target").paths == ["o.txt"]
            with pytest.raises(ModuleError, match="cannot list 'locked': permission denied"):
                copy_out(workspace, ["**/*.txt"], f"{place}/target")
            os.chmod(f"{place}/target", 0o500)
            with pytest.raises(ModuleError) as caught:
                copy_out(workspace, ["o.txt"], f"{place}/target")
            expected = f"cannot write 'o.txt' to {place}/target: permission denied"
            assert caught.value.message == expected
            assert caught.value.hint == "name another folder by `--outputs DIR`"

        call_as_nobody(scene)


def test_outputs_that_cannot_be_copied_fail_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GXO_WORKSPACES", str(tmp_path))
    os.chmod(tmp_path, 0o700)
    (tmp_path / "there").write_text("a file")
    job = Job("case", outputs=["x"])

    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx.thread(ctx.workspace.write, "x", b"content")

    assert main(job, None, ["--outputs", str(tmp_path / "there")]) == 1
    folder = tmp_path / "there"
    expected = f"the outputs could not be copied: cannot create the folder {folder}: file exists"
    assert expected in capfd.readouterr().err
    assert os.listdir(tmp_path) == ["there"]


WORD = st.text("ab", min_size=1, max_size=3)


@given(st.lists(WORD, min_size=1, max_size=4))
def test_a_path_fits_itself_and_two_stars(parts: list[str]) -> None:
    assert fits(parts, parts)
    assert fits(parts, ["**"])
    assert fits(parts, ["**", parts[-1]])
    assert fits(parts, [*parts[:-1], "*"])
    assert not fits(parts, [*parts, "x"])
