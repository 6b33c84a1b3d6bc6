"""What a workload may use outside the workspace, on both backends, with real files and links."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError, SecurityError
from gxo.runtime.workspace import beneath
from gxo.runtime.workspace.allowed import AllowedPaths
from gxo.runtime.workspace.jail import Jail

OPENERS = {"walk": beneath.walk}
try:
    OPENERS["openat2"] = beneath.openat2_opener()
except OSError:  # this kernel has none; the walk is all there is
    pass


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("ws", "ro/inner", "ro/rw/deep", "other"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("ws/file", "ro/file", "ro/inner/file", "ro/rw/file", "other/file", "alone"):
        (tmp_path / file).write_text(file)
    links = {
        "ro/out": "../other/file",
        "ro/outdir": "../other",
        "ro/absolute": tmp_path / "other/file",
        "ro/in": "inner/file",
        "ro/rw/up": "../file",
        "ro/rw/outdir": "../../other",
        "ws/into": tmp_path / "ro/file",
        "linked": "ro",
        "linked-file": "alone",
    }
    for link, target in links.items():
        (tmp_path / link).symlink_to(target)
    return tmp_path


@pytest.fixture(params=OPENERS)
def jail(request: pytest.FixtureRequest, tree: Path) -> Iterator[Jail]:
    made = Jail(str(tree / "ws"), opener=OPENERS[request.param])
    yield made
    made.close()


@pytest.fixture
def allowed(jail: Jail, tree: Path) -> Iterator[AllowedPaths]:
    """`ro` to read, `ro/rw` in it to write, and one file to write; no descriptor is lost."""
    before = len(os.listdir("/proc/self/fd"))
    paths = {"ro": "ro", "ro/rw": "rw", "alone": "rw", "new": "rw", "linked": "rw"}
    yield AllowedPaths(jail, {str(tree / path): access for path, access in paths.items()})
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("path", ["ro/file", "ro/in", "ro/inner/../file", "ro/rw/file", "alone"])
def test_what_is_allowed_is_read(allowed: AllowedPaths, tree: Path, path: str) -> None:
    assert allowed.read(str(tree / path), 100) == (tree / path).read_bytes()
    assert allowed.stat(str(tree / path)).st_size == len((tree / path).read_bytes())
    assert allowed.exists(str(tree / path))


def test_the_workspace_is_as_before(allowed: AllowedPaths, tree: Path) -> None:
    assert allowed.read("file", 100) == allowed.read(str(tree / "ws/file"), 100) == b"ws/file"
    allowed.write("new/file", b"x")
    assert (tree / "ws/new/file").read_text() == "x"
    assert allowed.path == str(tree / "ws")


@pytest.mark.parametrize(
    "path",
    [
        "other/file",
        "ro/../other/file",
        "ro/rw/../../other/file",
        "ro/rw/../file",  # though it may be read by its own name
        "ro/out",
        "ro/outdir/file",
        "ro/absolute",
        "ro/rw/up",
        "ro/rw/outdir/file",
        "ro2/file",
        "alone/../other/file",
        "ws/into",
        "ws/../ro/file",
    ],
)
def test_nothing_else_is(allowed: AllowedPaths, tree: Path, path: str) -> None:
    is_below_a_file = path.startswith("alone/")
    with pytest.raises(ModuleError if is_below_a_file else SecurityError) as caught:
        allowed.read(str(tree / path), 100)
    if not is_below_a_file:
        assert "leads out of the workspace and the allowed paths" in caught.value.message
    for change in changes(allowed, str(tree / path)):
        with pytest.raises(ModuleError if is_below_a_file else SecurityError):
            change()
    assert (tree / "other/file").read_text() == "other/file"
    assert sorted(os.listdir(tree / "other")) == ["file"]


@pytest.mark.parametrize("path", ["../ro/file", "into"])
def test_the_workspace_leads_nowhere_else(allowed: AllowedPaths, path: str) -> None:
    with pytest.raises(SecurityError):
        allowed.read(path, 100)


def uses(jail: Jail, path: str) -> list[Callable[[], object]]:
    return [lambda: jail.read(path, 100), *changes(jail, path)]


def changes(jail: Jail, path: str) -> list[Callable[[], object]]:
    return [
        lambda: jail.write(path, b"changed"),
        lambda: jail.append(path, b"changed"),
        lambda: jail.open(path, os.O_WRONLY),
        lambda: jail.open(path, os.O_RDWR),
        lambda: jail.open(path, os.O_RDONLY | os.O_TRUNC),
        lambda: jail.open(path, os.O_RDONLY | os.O_CREAT),
        lambda: jail.make_directory(path),
    ]


@pytest.mark.parametrize("path", ["ro/file", "ro/new", "ro", "ro/inner/new/deep", "ro/in"])
def test_read_only_refuses_every_change(allowed: AllowedPaths, tree: Path, path: str) -> None:
    before = sorted(str(found) for found in tree.rglob("*"))
    for change in changes(allowed, str(tree / path)):
        with pytest.raises(SecurityError) as caught:
            change()
        assert f"this workload may only read {tree}/ro" in caught.value.message
    assert sorted(str(found) for found in tree.rglob("*")) == before
    assert (tree / "ro/file").read_text() == "ro/file"


@pytest.mark.parametrize("path", ["ro/rw/file", "ro/rw/new/deep/file", "alone"])
def test_what_is_writable_is_written(allowed: AllowedPaths, tree: Path, path: str) -> None:
    allowed.write(str(tree / path), b"one", mode=0o600)
    allowed.append(str(tree / path), b"two")
    assert (tree / path).read_text() == "onetwo"
    assert (tree / path).stat().st_mode & 0o777 == 0o600
    assert not list(tree.rglob("*.tmp"))


def test_a_path_that_is_not_there_is_made_when_written(allowed: AllowedPaths, tree: Path) -> None:
    new = str(tree / "new")
    assert not allowed.exists(new)
    assert not allowed.exists(f"{new}/file")
    allowed.write(f"{new}/file", b"x")
    assert allowed.read(f"{new}/file", 1) == b"x"
    assert [name for name, _ in allowed.scan(new)] == ["file"]
    assert allowed.resolve(new) == new


def test_it_may_become_a_file_or_a_folder(allowed: AllowedPaths, tree: Path) -> None:
    allowed.append(str(tree / "new"), b"x")
    assert (tree / "new").read_text() == "x"
    (tree / "new").unlink()
    allowed.make_directory(str(tree / "new"))
    assert (tree / "new").is_dir()


def test_no_link_leads_to_an_allowed_path(allowed: AllowedPaths, tree: Path) -> None:
    for use in uses(allowed, str(tree / "linked")) + uses(allowed, str(tree / "linked/file")):
        with pytest.raises(SecurityError) as caught:
            use()
        message = f"the allowed path {tree}/linked is a symbolic link, which is not followed"
        assert caught.value.message == message
        assert caught.value.hint == f"name what it leads to: {tree}/ro"


def test_nor_does_one_on_the_way(jail: Jail, tree: Path) -> None:
    path = str(tree / "linked/inner")
    with pytest.raises(SecurityError, match="/linked is a symbolic link"):
        AllowedPaths(jail, {path: "ro"}).read(f"{path}/file", 100)


def test_an_allowed_file_is_not_its_folder(jail: Jail, tree: Path) -> None:
    files = AllowedPaths(jail, {str(tree / "linked-file"): "rw"})
    with pytest.raises(SecurityError, match="is a symbolic link"):
        files.write(str(tree / "linked-file"), b"x")
    assert (tree / "alone").read_text() == "alone"


def test_all_of_the_file_system(jail: Jail, tree: Path) -> None:
    files = AllowedPaths(jail, {"/": "ro"})
    assert files.read(str(tree / "ro/file"), 100) == b"ro/file"
    assert files.read(str(tree / "other/file"), 100) == b"other/file"
    with pytest.raises(SecurityError, match="may only read /"):
        files.write(str(tree / "other/file"), b"x")
    files.write("mine", b"x")
    files.write(str(tree / "ws/mine"), b"y")
    assert (tree / "ws/mine").read_text() == "y"


def test_what_no_path_can_be(allowed: AllowedPaths, tree: Path) -> None:
    for name in ("nul\0byte", "x" * 5000):
        with pytest.raises(ModuleError):
            allowed.read(f"{tree}/ro/{name}", 100)


def test_a_swapped_link_lets_nothing_out(jail: Jail, tree: Path) -> None:
    """A folder on the way, and an allowed file, are replaced by links again and again meanwhile."""
    (tree / "other/deep").mkdir()
    files = AllowedPaths(jail, {str(tree / "ro/rw/deep"): "rw", str(tree / "alone"): "rw"})
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(tree / "ro/rw", tree / "kept")
            os.symlink("../other", tree / "ro/rw")
            os.unlink(tree / "ro/rw")
            os.rename(tree / "kept", tree / "ro/rw")
            os.symlink("other/file", tree / "link")
            os.replace(tree / "link", tree / "alone")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(300):
            for path in ("ro/rw/deep/file", "alone"):
                try:
                    files.write(str(tree / path), b"mine")
                    assert files.read(str(tree / path), 100) != b"other/file"
                except (SecurityError, ModuleError):
                    continue
    finally:
        stop.set()
        swapping.join()
    assert (tree / "other/file").read_text() == "other/file"
    assert os.listdir(tree / "other/deep") == []
    assert (tree / "ro/rw/deep/file").read_text() == "mine"
