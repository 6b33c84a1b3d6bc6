"""The archive: its layout, its repeatability, and what happens to it when writing fails."""

import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from gxo.compiler.package.archive import build_artifact, render
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.parts import Asset
from tests.package.support import build, in_child, package

BUILD = """
import os, sys, time
from pathlib import Path
os.umask(int(sys.argv[2], 8))
sys.path[:0] = sys.argv[3:]
from tests.package.support import build
build(Path(sys.argv[1]), "from gxo.stdlib.exec import exec_\\n" + {job!r})
"""


def test_layout(tmp_path: Path) -> None:
    artifact = build(tmp_path)
    assert artifact.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert stat.S_IMODE(artifact.stat().st_mode) == 0o755
    with zipfile.ZipFile(artifact) as archive:
        assert archive.testzip() is None
        first, *rest = archive.infolist()
        names = [info.filename for info in rest]
    assert (first.filename, first.compress_type) == ("__main__.py", zipfile.ZIP_STORED)
    assert names == sorted(names)
    assert {"gxo_job.py", "gxo_job.pyc", "gxo/runtime/main.pyc", "_gxo/playbook.yaml"} <= {*names}
    modes = {info.filename: info.external_attr >> 16 for info in (first, *rest)}
    assert modes.pop("_gxo/assets/run.sh") == stat.S_IFREG | 0o755
    assert {*modes.values()} == {stat.S_IFREG | 0o644}
    assert {info.date_time for info in (first, *rest)} == {(1980, 1, 1, 0, 0, 0)}


def test_starts_without_inflating(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(tmp_path)) as archive:
        compiled = [one for one in archive.infolist() if one.filename.endswith(".pyc")]
    assert {one.compress_type for one in compiled} == {zipfile.ZIP_STORED}


def test_same_bytes_for_everyone_everywhere(tmp_path: Path) -> None:
    surroundings: list[tuple[str, dict[str, str], int | None]] = [
        ("022", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, None),
        ("077", {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}, None),
    ]
    if os.geteuid() == 0:
        surroundings.append(("000", {"TZ": "America/New_York", "PYTHONHASHSEED": "3"}, 65534))
    seen = set()
    for number, (umask, environment, user) in enumerate(surroundings):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        if user is None:
            code = BUILD.format(job='from gxo.runtime import Job\njob = Job("x")\n')
            arguments = [str(folder), umask]
            in_child(f"import sys; sys.argv[1:] = {arguments!r}\n{code}", environment, cwd=folder)
            seen.add((folder / "job.pyz").read_bytes())
        else:
            seen.add(_built_as(user, folder, umask, environment))
    assert len(seen) == 1


def _built_as(user: int, folder: Path, umask: str, environment: dict[str, str]) -> bytes:
    """The artifact as another user builds it, who may not be able to read this checkout."""
    folder.chmod(0o777)
    code = f"""
import os, sys
from pathlib import Path
import gxo.compiler.package.archive, gxo.compiler.package.collect, shiv.builder, black
from tests.package.support import package
from gxo.compiler.package.archive import build_artifact, render
from gxo.compiler.package.collect import collect
os.umask(int({umask!r}, 8))
source = "from gxo.stdlib.exec import exec_\\n" + 'from gxo.runtime import Job\\njob = Job("x")\\n'
os.chdir({str(folder)!r})
collected = collect(package(source))
render({{}})  # loads what it needs, while this user still can
target = os.open({str(folder)!r}, os.O_RDONLY)
os.setgroups([]); os.setgid({user}); os.setuid({user})
os.fchdir(target)
Path("job.pyz").write_bytes(render(collected.files, collected.executable))
"""
    in_child(code, environment)
    assert (folder / "job.pyz").stat().st_uid == user
    return (folder / "job.pyz").read_bytes()


def test_writing_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "job.pyz").write_bytes(b"old")
    assert build(tmp_path).read_bytes() != b"old"
    assert os.listdir(tmp_path) == ["job.pyz"]


@pytest.mark.parametrize("limit", [0, 1, 1000, 100_000])
def test_a_full_disk_leaves_the_old_artifact(tmp_path: Path, limit: int) -> None:
    (tmp_path / "job.pyz").write_bytes(b"old")
    said = in_child(
        f"""
import resource, pathlib
from tests.package.support import build
from gxo.compiler.package.errors import PackageError
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    build(pathlib.Path({str(tmp_path)!r}))
except PackageError as error:
    print(error.code, error.message)
"""
    )
    assert said == f"GXO0901 cannot write {tmp_path}/job.pyz: file too large\n"
    assert os.listdir(tmp_path) == ["job.pyz"]
    assert (tmp_path / "job.pyz").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("missing/job.pyz", "there is no folder {folder}/missing"),
        (".", "it is a folder"),
        ("fifo", "it is no regular file"),
        ("file/job.pyz", "there is no folder {folder}/file"),
    ],
)
def test_a_target_that_cannot_be_is_said(tmp_path: Path, target: str, complaint: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_text("")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(PackageError) as caught:
        build_artifact(tmp_path / target, package())
    expected = f"cannot write {tmp_path / target}: {complaint.format(folder=tmp_path)}"
    assert (caught.value.code, caught.value.message) == ("GXO0901", expected)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_folder_that_cannot_be_written_is_said() -> None:
    """/proc refuses new files from everybody, also from root."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    with pytest.raises(PackageError, match=r"cannot write /proc/job\.pyz: "):
        build_artifact(Path("/proc/job.pyz"), package())


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "job.pyz").symlink_to("other")
    build(tmp_path)
    assert (tmp_path / "other").read_bytes() == b"other"
    assert not (tmp_path / "job.pyz").is_symlink()


def test_more_than_a_zip_can_hold_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    with pytest.raises(PackageError) as caught:
        render({"a": b"", "b": b"", "c": b""})
    assert caught.value.code == "GXO0905"


def test_an_asset_changes_nothing_but_itself_and_the_manifest(tmp_path: Path) -> None:
    def contents(data: bytes) -> dict[str, bytes]:
        artifact = build(tmp_path, assets={"a": Asset(data)})
        with zipfile.ZipFile(artifact) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    one, two = contents(b"1"), contents(b"2")
    assert {name for name in one if one[name] != two[name]} == {
        "_gxo/assets/a",
        "_gxo/manifest.json",
    }
