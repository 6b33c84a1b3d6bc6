"""What `gxo run` compiled is found again exactly as long as it would be compiled the same."""

import os
import stat
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.run_cache import find
from gxo.compiler.package.run_store import store, write_folder
from gxo.runtime.bundle import FolderBundle, manifest
from gxo.runtime.errors import ArtifactError
from tests.package.support import EMPTY_JOB, in_child, package
from tests.package.wheel_files import NATIVE_TAG, offer, wheel

NOBODY = 65534
FLAGS = ("0.1.0",)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The run cache, in a user's cache folder of its own."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "gxo" / "run"


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    """A playbook that is as old as they mostly are, with an asset beside it."""
    folder = tmp_path / "jobs"
    (folder / "conf").mkdir(parents=True)
    path = folder / "probe.gxo.yaml"
    path.write_text("name: probe\n")
    (folder / "conf" / "a.txt").write_text("text")
    return path


def inputs(playbook: Path) -> list[str]:
    folder = playbook.parent
    return [str(folder / "conf"), str(folder / "conf" / "a.txt"), str(folder / "modules")]


def keep(playbook: Path, after: float = 1.0, **parts: object) -> str:
    """Store what is compiled from the playbook, which was written `after` seconds before."""
    started = time.time_ns() + int(after * 1e9)
    return store(str(playbook), FLAGS, package(**parts), inputs(playbook), started)


def found(playbook: Path) -> str | None:
    return find(str(playbook), FLAGS)


def test_what_was_stored_is_found(playbook: Path) -> None:
    assert found(playbook) is None
    folder = keep(playbook)
    assert found(playbook) == folder
    assert found(playbook) == folder


def test_the_folder_is_a_job(playbook: Path) -> None:
    folder = keep(playbook)
    bundle = FolderBundle(folder)
    assert manifest(bundle)["playbook"]["name"] == "probe"
    assert bundle.read("_gxo/assets/conf/a.txt") == b"text"
    assert stat.S_IMODE(os.stat(f"{folder}/_gxo/assets/run.sh").st_mode) == 0o700
    assert not os.path.exists(f"{folder}/gxo")
    code = f"import sys; sys.path.insert(0, {folder!r}); import gxo_job; print(gxo_job.__cached__)"
    printed = in_child(code).strip()
    assert printed == f"{folder}/__pycache__/gxo_job.{sys.implementation.cache_tag}.pyc"


def test_linked_distributions_are_in_the_folder(
    monkeypatch: pytest.MonkeyPatch, playbook: Path, cache: Path
) -> None:
    pure, native = (
        wheel("slow", {"slow.py": "N = 1\n"}),
        wheel("fast", {"fast.py": "N = 2\n"}, tag=NATIVE_TAG),
    )
    offer(monkeypatch, cache.parent.parent, pure, native)
    folder = keep(playbook, needs=("slow", "fast"))
    code = f"import sys; sys.path.insert(0, {folder!r}); import fast, slow; print(fast.N, slow.N)"
    assert in_child(code) == "2 1\n"
    assert found(playbook) == folder


CHANGES: dict[str, Callable[[Path], object]] = {
    "playbook": lambda folder: (folder / "probe.gxo.yaml").write_text("name: other\n"),
    "same size and time": lambda folder: _rewrite(folder / "probe.gxo.yaml", "name: prob2\n"),
    "asset": lambda folder: (folder / "conf" / "a.txt").write_text("tex2"),
    "asset's mode": lambda folder: (folder / "conf" / "a.txt").chmod(0o755),
    "asset gone": lambda folder: (folder / "conf" / "a.txt").unlink(),
    "one more asset": lambda folder: (folder / "conf" / "b.txt").write_text(""),
    "a modules folder": lambda folder: (folder / "modules").mkdir(),
    "playbook replaced": lambda folder: _replace(folder / "probe.gxo.yaml", "name: other\n"),
}


def _rewrite(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(path: Path, text: str) -> None:
    beside = path.with_name("beside")
    beside.write_text(text)
    beside.rename(path)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_noticed(playbook: Path, change: Callable[[Path], object]) -> None:
    keep(playbook)
    change(playbook.parent)
    assert found(playbook) is None


TOUCHES: dict[str, Callable[[Path], object]] = {
    "touched": lambda folder: os.utime(folder / "probe.gxo.yaml"),
    "written again": lambda folder: (folder / "probe.gxo.yaml").write_text("name: probe\n"),
    "replaced by a copy": lambda folder: _replace(folder / "probe.gxo.yaml", "name: probe\n"),
    "asset touched": lambda folder: os.utime(folder / "conf" / "a.txt"),
    "made and removed": lambda folder: (
        (folder / "conf" / "b").mkdir(),
        (folder / "conf" / "b").rmdir(),
    ),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_the_same_content_is_found_and_then_known_again(
    monkeypatch: pytest.MonkeyPatch, playbook: Path, touch: Callable[[Path], object]
) -> None:
    folder = keep(playbook)
    touch(playbook.parent)
    assert found(playbook) == folder
    monkeypatch.setattr("gxo.compiler.package.run_cache.content_digest", None)
    assert found(playbook) == folder


def test_other_flags_are_another_job(playbook: Path) -> None:
    keep(playbook)
    assert find(str(playbook), ("0.2.0",)) is None
    assert find(str(playbook), (*FLAGS, "--native")) is None


def test_another_place_is_another_job(playbook: Path, tmp_path: Path) -> None:
    keep(playbook)
    other = tmp_path / "probe.gxo.yaml"
    other.write_text("name: probe\n")
    assert found(other) is None


def test_what_changed_while_it_was_compiled_is_not_kept(playbook: Path) -> None:
    folder = keep(playbook, after=-1.0)
    assert os.path.exists(f"{folder}/gxo_job.py")
    assert found(playbook) is None


def test_a_name_with_a_line_break_is_compiled_each_time(playbook: Path) -> None:
    odd = playbook.with_name("a\nb.yaml")
    odd.write_text("name: probe\n")
    keep(odd)
    assert found(odd) is None


@pytest.mark.parametrize("index", [b"", b"\xff\xfe", b"key\n", b"\0" * 100])
def test_a_damaged_index_is_no_index(playbook: Path, cache: Path, index: bytes) -> None:
    keep(playbook)
    (path,) = [path for path in cache.iterdir() if path.is_file()]
    for damaged in (index, path.read_bytes().replace(b"|", b" ")):
        path.write_bytes(damaged)
        assert found(playbook) is None


def test_a_changed_job_is_not_used(playbook: Path) -> None:
    folder = keep(playbook)
    Path(folder, "gxo_job.py").write_text("raise SystemExit('hijacked')\n")
    assert found(playbook) is None


def test_older_jobs_are_removed_unless_they_run(playbook: Path, cache: Path) -> None:
    """Those of this process are held by it, so another one stores them."""
    code = f"""
import os, time
from tests.package.support import package
from gxo.compiler.package.run_store import store
print(store({str(playbook)!r}, {FLAGS!r}, package(), [], time.time_ns() + 10**10))
"""
    first = in_child(code).strip()
    (cache / f"{Path(first).name}.new").mkdir()  # left by a process that was killed
    held = found(playbook)
    assert held == first
    second = in_child(code).strip()
    assert {first, second} <= {str(path) for path in cache.iterdir()}
    assert not (cache / f"{Path(first).name}.new").exists()
    last = in_child(code).strip()
    folders = {str(path) for path in cache.iterdir() if path.is_dir()}
    assert folders == {first, last}


def test_concurrent_runs(playbook: Path, cache: Path) -> None:
    code = f"""
import os, time
from tests.package.support import package
from gxo.compiler.package.run_cache import find
from gxo.compiler.package.run_store import store
for _ in range(5):
    folder = find({str(playbook)!r}, {FLAGS!r})
    folder = folder or store({str(playbook)!r}, {FLAGS!r}, package(), [], time.time_ns() + 10**10)
    open(folder + "/gxo_job.py").close()
    os.utime({str(playbook)!r})
"""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: in_child(code), range(3)))
    assert found(playbook) is not None


# A cache that is not used


@pytest.mark.parametrize("which", ["cache", "cache/gxo", "cache/gxo/run", "ENTRY", "INDEX", "JOB"])
def test_a_link_in_the_cache_is_not_used(playbook: Path, tmp_path: Path, which: str) -> None:
    folder = Path(keep(playbook))
    index = folder.parent / folder.name.rpartition(".")[0]
    places = {"ENTRY": folder, "INDEX": index, "JOB": folder / "gxo_job.py"}
    path = places.get(which, tmp_path / which)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match=f"{path}.* symbolic link") as caught:
        found(playbook)
    assert caught.value.hint is not None


@pytest.mark.parametrize("which", ["cache/gxo", "cache/gxo/run", "ENTRY"])
def test_a_cache_that_lets_others_in_is_not_used(
    playbook: Path, tmp_path: Path, which: str
) -> None:
    folder = Path(keep(playbook))
    path = folder if which == "ENTRY" else tmp_path / which
    path.chmod(0o750)
    with pytest.raises(ArtifactError, match=f"{path} is not used: it lets others in"):
        found(playbook)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder away")
@pytest.mark.parametrize("which", ["cache", "cache/gxo", "cache/gxo/run", "ENTRY"])
def test_a_cache_of_another_user_is_not_used(playbook: Path, tmp_path: Path, which: str) -> None:
    folder = Path(keep(playbook))
    path = folder if which == "ENTRY" else tmp_path / which
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(ArtifactError, match=f"{path} is not used: it belongs to another user"):
        found(playbook)


def test_a_full_disk_is_said_and_the_old_job_stays(playbook: Path, cache: Path) -> None:
    folder = keep(playbook)
    said = in_child(
        f"""
import resource, time
from tests.package.support import package
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.run_store import store
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    store({str(playbook)!r}, {FLAGS!r}, package(), [], time.time_ns())
except PackageError as error:
    print(error.message)
"""
    )
    assert said == f"cannot write to the cache folder {cache}: file too large\n"
    assert found(playbook) == folder


def test_without_the_cache_a_folder_is_written(tmp_path: Path) -> None:
    write_folder(str(tmp_path / "job"), package())
    assert (tmp_path / "job" / "gxo_job.py").read_text() == EMPTY_JOB
    with pytest.raises(PackageError, match=r"cannot write to .*/job: file exists"):
        write_folder(str(tmp_path / "job"), package())


def test_the_way_of_an_unchanged_playbook_imports_next_to_nothing(playbook: Path) -> None:
    keep(playbook)
    heavy = (
        "json",
        "hashlib",
        "pathlib",
        "dataclasses",
        "tempfile",
        "ast",
        "zipfile",
        "shutil",
        "importlib.metadata",
    )
    code = f"""
import sys
before = set(sys.modules)
from gxo.compiler.package.run_cache import find
assert find({str(playbook)!r}, {FLAGS!r})
print([name for name in {heavy!r} if name in set(sys.modules) - before])
"""
    assert in_child(code).strip() == "[]"
