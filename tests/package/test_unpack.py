"""Native code is unpacked to a private folder, checked at every start, and shared by runs."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import filterfalse
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ArtifactError
from gxo.runtime.unpack import check_host, host_libc, interpreter
from tests.package.support import answer, build, one_sentence, probe, start
from tests.package.wheel_files import NATIVE_TAG, offer, wheel
from tests.pythons import supported

NOBODY = 65534
FILES = {"fast/__init__.py": "from fast.inner import VALUE\n", "fast/inner.py": "VALUE = 7\n"}
SOURCE = f"import fast\n{probe('[fast.VALUE, fast.__file__]')}"


@pytest.fixture
def artifact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One with a distribution whose wheel is only for this Python and platform."""
    offer(monkeypatch, tmp_path / "compiler", wheel("fast", FILES, tag=NATIVE_TAG))
    return build(tmp_path, SOURCE, needs=("fast",))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    return folder


def run(artifact: Path, cache: Path, **how: Any) -> subprocess.CompletedProcess[str]:
    return start(artifact, XDG_CACHE_HOME=str(cache), **how)


def unpacked(cache: Path) -> Path:
    (folder,) = [path for path in (cache / "gxo" / "native").iterdir() if path.is_dir()]
    return folder


def test_native_code_is_kept_apart(artifact: Path) -> None:
    with zipfile.ZipFile(artifact) as archive:
        names = [name for name in archive.namelist() if "fast" in name]
        manifest = json.loads(archive.read("_gxo/manifest.json"))
    tag = sys.implementation.cache_tag
    assert names == [
        "site-packages/fast-1.0.dist-info/METADATA",
        "site-packages/fast-1.0.dist-info/entry_points.txt",
        "site-packages/fast-1.0.dist-info/licenses/LICENSE",
        "site-packages/fast/__init__.py",
        f"site-packages/fast/__pycache__/__init__.{tag}.pyc",
        f"site-packages/fast/__pycache__/inner.{tag}.pyc",
        "site-packages/fast/inner.py",
    ]
    assert {*names} <= {*manifest["files"]}
    assert manifest["native"]["python"] == interpreter()


def test_unpacked_once_and_private(artifact: Path, cache: Path) -> None:
    how = {"XDG_CACHE_HOME": str(cache), "PYTHONPYCACHEPREFIX": str(cache / "byte-code")}
    value, file = answer(artifact, **how)
    folder = unpacked(cache)
    assert (value, file) == (7, f"{folder}/site-packages/fast/__init__.py")
    seen = {path: path.stat() for path in folder.rglob("*")}
    assert all(stat.S_IMODE(one.st_mode) & 0o022 == 0 for one in seen.values())
    for path in (cache / "gxo", cache / "gxo" / "native", folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert answer(artifact, **how) == [value, file]
    again = {path: path.stat() for path in folder.rglob("*")}
    assert {path: one.st_mtime_ns for path, one in again.items()} == {
        path: one.st_mtime_ns for path, one in seen.items()
    }


def test_the_users_own_cache_is_the_default(artifact: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    _, file = answer(artifact, HOME=str(home))
    assert file.startswith(f"{home}/.cache/gxo/native/probe.")


def _change_a_file(folder: Path) -> None:
    (folder / "site-packages" / "fast" / "inner.py").write_text("VALUE = 8\n")


def _change_bytecode(folder: Path) -> None:
    (compiled,) = folder.rglob("inner.*.pyc")
    compiled.write_bytes(compiled.read_bytes()[:-1] + b"x")


def _add_a_file(folder: Path) -> None:
    (folder / "site-packages" / "json.py").write_text("raise SystemExit('hijacked')\n")


def _remove_a_file(folder: Path) -> None:
    (folder / "site-packages" / "fast" / "inner.py").unlink()


def _replace_by_a_link(folder: Path) -> None:
    inner = folder / "site-packages" / "fast" / "inner.py"
    inner.rename(folder.parent.parent.parent / "inner.py")
    inner.symlink_to(folder.parent.parent.parent / "inner.py")


def _link_a_folder(folder: Path) -> None:
    (folder / "site-packages" / "more").symlink_to("/usr/share")


def _open_a_file(folder: Path) -> None:
    (folder / "site-packages" / "fast" / "inner.py").chmod(0o666)


CHANGES: list[Callable[[Path], None]] = [
    _change_a_file,
    _change_bytecode,
    _add_a_file,
    _remove_a_file,
    _replace_by_a_link,
    _link_a_folder,
    _open_a_file,
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_as_unpacked_is_replaced(
    artifact: Path, cache: Path, change: Callable[[Path], None]
) -> None:
    how = {"XDG_CACHE_HOME": str(cache)}
    before = answer(artifact, **how)
    change(unpacked(cache))
    assert answer(artifact, **how) == before


def test_what_a_killed_run_left_is_no_obstacle(artifact: Path, cache: Path) -> None:
    answer(artifact, XDG_CACHE_HOME=str(cache))
    folder = unpacked(cache)
    folder.rename(f"{folder}.tmp")
    (Path(f"{folder}.tmp") / "site-packages" / "fast" / "inner.py").write_text("half")
    assert answer(artifact, XDG_CACHE_HOME=str(cache))[0] == 7


# Folders that are not used


@pytest.mark.parametrize("which", [".", "gxo", "gxo/native", "gxo/native/BUILD"])
def test_a_link_in_the_path_is_not_used(artifact: Path, cache: Path, which: str) -> None:
    answer(artifact, XDG_CACHE_HOME=str(cache))
    path = cache / which.replace("BUILD", unpacked(cache).name)
    elsewhere = cache.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    said = one_sentence(run(artifact, cache))
    assert said.startswith(f"the cache folder {path} is not used: it is a symbolic link; set XDG_")


@pytest.mark.parametrize("which", ["gxo", "gxo/native", "gxo/native/BUILD"])
@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_lets_others_in_is_not_used(
    artifact: Path, cache: Path, which: str, mode: int
) -> None:
    answer(artifact, XDG_CACHE_HOME=str(cache))
    path = cache / which.replace("BUILD", unpacked(cache).name)
    path.chmod(mode)
    said = one_sentence(run(artifact, cache))
    assert f"{path} is not used: it lets others in by its mode {mode:04o}" in said


def test_a_folder_above_that_others_can_write_is_not_used(artifact: Path, cache: Path) -> None:
    cache.chmod(0o777)
    assert f"{cache} is not used: it can be written by others" in one_sentence(run(artifact, cache))
    cache.chmod(0o1777)
    assert run(artifact, cache).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder away")
@pytest.mark.parametrize("which", [".", "gxo", "gxo/native", "gxo/native/BUILD"])
def test_a_folder_of_another_user_is_not_used(artifact: Path, cache: Path, which: str) -> None:
    answer(artifact, XDG_CACHE_HOME=str(cache))
    path = cache / which.replace("BUILD", unpacked(cache).name)
    os.chown(path, NOBODY, NOBODY)
    assert f"{path} is not used: it belongs to another user" in one_sentence(run(artifact, cache))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")
def test_a_file_of_another_user_is_replaced(artifact: Path, cache: Path) -> None:
    answer(artifact, XDG_CACHE_HOME=str(cache))
    path = unpacked(cache) / "site-packages" / "fast" / "inner.py"
    os.chown(path, NOBODY, NOBODY)
    assert run(artifact, cache).returncode == 0
    assert path.stat().st_uid == 0


def test_a_file_in_place_of_a_folder_is_not_used(artifact: Path, cache: Path) -> None:
    (cache / "gxo").write_text("")
    assert f"{cache}/gxo is not used: it is no folder" in one_sentence(run(artifact, cache))


def test_a_cache_that_cannot_be_made_is_said(artifact: Path) -> None:
    said = one_sentence(run(artifact, Path("/proc/cache")))
    assert said.startswith("the cache folder /proc/cache cannot be used: ")


# Builds and hosts


def test_older_builds_are_removed_unless_in_use(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = f"import fast, sys\nprint(fast.VALUE, flush=True)\nsys.stdin.readline()\n{SOURCE}"
    offer(monkeypatch, tmp_path / "one", wheel("fast", FILES, tag=NATIVE_TAG))
    older = build(tmp_path / "one", waits, needs=("fast",))
    files = {**FILES, "fast/inner.py": "VALUE = 9\n"}
    offer(monkeypatch, tmp_path / "two", wheel("fast", files, tag=NATIVE_TAG))
    newer = build(tmp_path / "two", SOURCE, needs=("fast",))
    native = cache / "gxo" / "native"
    with subprocess.Popen(
        [sys.executable, older],
        env={"XDG_CACHE_HOME": str(cache)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "7\n"
        (old,) = unpacked_names(native)
        (native / "probe-two.0000000000000000").mkdir()
        assert answer(newer, XDG_CACHE_HOME=str(cache))[0] == 9
        assert old in unpacked_names(native)
        running.communicate("go\n")
    assert running.returncode == 0
    answer(newer, XDG_CACHE_HOME=str(cache))
    assert old not in unpacked_names(native)
    assert "probe-two.0000000000000000" in unpacked_names(native)


def unpacked_names(native: Path) -> set[str]:
    return {path.name for path in native.iterdir() if path.is_dir()}


def test_concurrent_first_starts(artifact: Path, cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: run(artifact, cache), range(4)))
    assert [one.returncode for one in done] == [0] * 4, [one.stderr for one in done]


def is_alike(python: str) -> bool:
    """Whether native code made for this Python runs on that version: `3.11.2` on `3.11.7`."""
    return python.rpartition(".")[0] == ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize("version", [*filter(is_alike, supported())])
def test_native_code_runs_on_its_python(artifact: Path, cache: Path, version: str) -> None:
    assert run(artifact, cache, python=supported()[version]).returncode == 0


@pytest.mark.parametrize("version", [*filterfalse(is_alike, supported())])
def test_another_python_is_refused(artifact: Path, cache: Path, version: str) -> None:
    said = one_sentence(run(artifact, cache, python=supported()[version]))
    kind = f"cpython-{''.join(version.split('.')[:2])}"
    assert said.startswith(f"{artifact} was built for {interpreter()} on ")
    assert f", and this is {kind} on " in said


HOST = {"python": interpreter(), "system": sys.platform, "machine": os.uname().machine}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"machine": "riscv64"}, "was built for .* on .* riscv64, and this is"),
        ({"system": "plan9"}, "was built for .* on plan9 "),
        ({"libc": ["glibc", 9, 1]}, "needs glibc 9.1 or newer, and this host has"),
        ({"libc": ["bionic", 0, 0]}, "needs bionic 0.0 or newer, and this host has"),
    ],
)
def test_another_host_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArtifactError, match=complaint):
        check_host("job.pyz", {**HOST, "libc": None, **change})


def test_this_host_is_accepted() -> None:
    check_host("job.pyz", {**HOST, "libc": None})
    check_host("job.pyz", {**HOST, "libc": list(host_libc())})
