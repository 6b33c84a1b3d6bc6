"""The jail, on both of its backends: the table in jail.yaml, and what a table cannot say."""

import contextlib
import os
import stat
import threading
from pathlib import Path

import pytest
import yaml

from gxo.runtime.errors import ModuleError, SecurityError
from gxo.runtime.workspace import beneath
from gxo.runtime.workspace.jail import MAX_DEPTH, Jail

CASES = yaml.load(
    Path(__file__).with_name("jail.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)
OPENERS = {"walk": beneath.walk}
try:
    OPENERS["openat2"] = beneath.openat2_opener()
except OSError:  # this kernel has none; the walk is all there is
    pass


@pytest.fixture
def tree(tmp_path):
    ws = tmp_path / "ws"
    (ws / "dir").mkdir(parents=True)
    (tmp_path / "ws2").mkdir()
    (tmp_path / "ws2/file").write_text("other")
    (tmp_path / "secret").write_text("outside")
    (ws / "file").write_text("inside")
    (ws / "dir/deep").write_text("deep")
    (ws / "readonly").write_text("ro")
    (ws / "readonly").chmod(0o444)
    (ws / "twin").write_text("twin")
    os.link(ws / "twin", ws / "hard")
    os.mkfifo(ws / "fifo")
    links = {
        "in": "file",
        "dirlink": "dir",
        "dir/up": "../file",
        "out": "../secret",
        "outdir": "..",
        "dir/far": "../../secret",
        "abs": tmp_path / "secret",
        "absin": ws / "file",
        "proc": "/proc/self/root",
        "loop": "loop",
        "dangling": "missing",
        "twice": "in",
    }
    for link, target in links.items():
        (ws / link).symlink_to(target)
    return tmp_path


@pytest.fixture(params=OPENERS)
def jail(request, tree):
    made = Jail(str(tree / "ws"), opener=OPENERS[request.param])
    before = len(os.listdir("/proc/self/fd"))
    yield made
    assert len(os.listdir("/proc/self/fd")) == before
    made.close()
    made.close()


def filled(text, jail):
    words = {"ws": jail.path, "long": "n" * 300, "far": "x/" * 2500, "surrogate": "\ud800"}
    for word, meaning in words.items():
        text = text.replace(f"{{{word}}}", meaning)
    return text


def perform(jail, do, path):
    match do:
        case "read":
            return jail.read(path, 1000).decode()
        case "write" | "append":
            assert getattr(jail, do)(path, b"new text") == 8
            return jail.read(path, 1000).decode()
        case "make_directory":
            jail.make_directory(path)
            assert stat.S_ISDIR(jail.stat(path).st_mode)
            return "made"
        case "stat":
            return jail.stat(path).st_size
        case "scan":
            return sorted(name for name, _status in jail.scan(path))
        case "open":
            with open(jail.open(path, os.O_RDONLY)) as file:
                return file.read()
    return getattr(jail, do)(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['do']}-{case['path'][:30]!r}")
def test_table(case, jail, tree):
    path = filled(case["path"], jail)
    expect = case["expect"]
    if expect in ("security", "module"):
        kind = SecurityError if expect == "security" else ModuleError
        with pytest.raises(kind) as caught:
            perform(jail, case["do"], path)
        assert type(caught.value) is kind
        assert case.get("says", "") in caught.value.message
        assert case.get("hint", "") in (caught.value.hint or "")
        assert len(caught.value.message) < 400
    else:
        expect = filled(expect, jail) if isinstance(expect, str) else expect
        assert perform(jail, case["do"], path) == expect
        if "also" in case:
            assert (tree / "ws" / case["also"]).exists()
            assert not (tree / "ws" / case["also"]).is_symlink()
    assert sorted(os.listdir(tree)) == ["secret", "ws", "ws2"]
    assert (tree / "secret").read_text() == "outside"
    assert (tree / "ws2/file").read_text() == "other"
    assert not [name for name in os.listdir(tree / "ws") if name.startswith(".gxo")]


def test_what_cannot_be_an_asset_is_not_taken_for_one(jail, tree):
    other = Jail(str(tree), name="the folder")
    with contextlib.closing(other), pytest.raises(ModuleError) as caught:
        other.read("missing", 100)
    assert caught.value.hint is None
    for do, path in (("read", f"{jail.path}/missing"), ("read", "dir"), ("scan", "missing")):
        with pytest.raises(ModuleError) as caught:
            list(perform(jail, do, path))
        assert caught.value.hint is None


def test_both_backends_are_tested():
    assert set(OPENERS) == {"walk", "openat2"} or beneath.best_opener() is beneath.walk


MODES = [
    # umask, mode of the file before, mode asked for, mode after
    (0o022, None, None, 0o644),
    (0o077, None, None, 0o600),
    (0o077, None, 0o644, 0o644),
    (0o000, None, 0o600, 0o600),
    (0o022, None, 0o6755, 0o6755),
    (0o077, 0o755, None, 0o755),
    (0o022, 0o755, 0o640, 0o640),
    (0o000, 0o444, None, 0o444),
]


@pytest.fixture
def umask():
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)


@pytest.mark.parametrize(("mask", "before", "asked", "after"), MODES)
def test_write_applies_the_mode_whatever_the_umask(jail, umask, mask, before, asked, after):
    target = Path(jail.path, "dir/made")
    if before is not None:
        target.write_text("old")
        target.chmod(before)
    umask(mask)
    jail.write("dir/made", b"x", asked)
    assert stat.S_IMODE(target.stat().st_mode) == after


def test_append_applies_the_mode_only_to_a_file_it_creates(jail, umask):
    umask(0o077)
    jail.append("log", b"a", 0o644)
    assert stat.S_IMODE(jail.stat("log").st_mode) == 0o644
    os.chmod(Path(jail.path, "log"), 0o600)
    jail.append("log", b"b", 0o644)
    assert stat.S_IMODE(jail.stat("log").st_mode) == 0o600
    assert jail.read("log", 9) == b"ab"


def test_write_takes_pieces_and_replaces_the_file_as_a_whole(jail):
    old = os.open(Path(jail.path, "file"), os.O_RDONLY)
    seen = []

    def pieces():
        for piece in (b"one ", b"", b"two"):
            seen.append(jail.read("file", 99))
            yield piece

    assert jail.write("file", pieces()) == 7
    assert seen == [b"inside"] * 3
    assert os.read(old, 99) == b"inside"  # who has it open keeps the old one
    assert jail.read("file", 99) == b"one two"
    os.close(old)


@pytest.mark.parametrize("error", [ConnectionResetError("peer"), KeyboardInterrupt(), ValueError()])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(jail, error):
    def pieces():
        yield b"half"
        raise error

    before = sorted(os.listdir(jail.path))
    with pytest.raises(type(error)) as caught:  # the source's error is not taken for the file's
        jail.write("file", pieces())
    assert caught.value is error
    assert jail.read("file", 99) == b"inside"
    assert sorted(os.listdir(jail.path)) == before


def test_a_full_disk_leaves_the_old_file(jail, monkeypatch):
    real = os.write

    def write(descriptor, data):
        if real(descriptor, bytes(data[:2])) == 2:
            raise OSError(28, "No space left on device")

    before = sorted(os.listdir(jail.path))
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ModuleError, match="cannot write 'file': no space left on device"):
        jail.write("file", b"much more")
    assert jail.read("file", 99) == b"inside"
    assert sorted(os.listdir(jail.path)) == before


def test_short_writes_are_continued(jail, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:3])))
    assert jail.write("file", b"0123456789") == 10
    assert jail.append("file", [b"abcd", b"e"]) == 5
    assert jail.read("file", 99) == b"0123456789abcde"


def test_write_syncs_file_and_folder_before_and_after_the_rename(jail, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def call(*args, name=name, real=real, **options):
            kind = "folder" if name == "fsync" and _is_folder(args[0]) else ""
            done.append(name + kind)
            return real(*args, **options)

        monkeypatch.setattr(os, name, call)
    jail.write("file", b"x")
    assert done == ["fsync", "replace", "fsyncfolder"]


def _is_folder(descriptor):
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def test_read_has_a_limit(jail):
    assert jail.read("file", 6) == b"inside"
    with pytest.raises(ModuleError, match="cannot read 'file': it has more than 5 bytes"):
        jail.read("file", 5)


def test_descriptors_are_not_inherited(jail):
    descriptor = jail.open("file", os.O_RDWR)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_open_creates_only_inside(jail, tree):
    os.close(jail.open("made", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    assert stat.S_IMODE((tree / "ws/made").stat().st_mode) == 0o600
    for path in ("../made", "out/../../made", "outdir/made"):
        with pytest.raises((SecurityError, ModuleError)):
            jail.open(path, os.O_CREAT | os.O_WRONLY)
    with pytest.raises(ModuleError, match="is a directory"):
        jail.open("made2/", os.O_CREAT | os.O_WRONLY)
    with pytest.raises(ModuleError, match="file exists"):
        jail.open("dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    assert sorted(os.listdir(tree)) == ["secret", "ws", "ws2"]


def test_open_with_nofollow_names_the_link_itself(jail):
    descriptor = jail.open("out", beneath.O_PATH | os.O_NOFOLLOW)
    assert stat.S_ISLNK(os.fstat(descriptor).st_mode)
    os.close(descriptor)
    with pytest.raises(ModuleError, match="too many levels of symbolic links"):
        jail.open("in", os.O_RDONLY | os.O_NOFOLLOW)


def test_scan_goes_deep_and_follows_no_links(jail):
    jail.make_directory("dir/a/b")
    jail.write("dir/a/b/c", b"123")
    found = dict(jail.scan("dir", recursive=True))
    assert sorted(found) == ["a", "a/b", "a/b/c", "deep", "far", "up"]
    assert found["a/b/c"].st_size == 3
    assert stat.S_ISLNK(found["far"].st_mode)
    assert "outdir" in dict(jail.scan(".", recursive=True))


def test_scan_leaves_out_what_disappears_and_gives_its_descriptors_back(jail):
    scanning = jail.scan(".", recursive=True)
    next(scanning)
    jail.make_directory("dir/a/b")
    for name, status in scanning:
        if stat.S_ISDIR(status.st_mode) and name == "dir":
            for inner in os.listdir(Path(jail.path, "dir/a")):
                os.rmdir(Path(jail.path, "dir/a", inner))
    scanning = jail.scan(".", recursive=True)
    next(scanning)
    scanning.close()  # the fixture counts descriptors


def test_scan_says_when_folders_are_nested_too_deep(jail):
    jail.make_directory("/".join(["d"] * (MAX_DEPTH + 5)))
    with pytest.raises(ModuleError, match=f"nested deeper than {MAX_DEPTH}"):
        list(jail.scan(".", recursive=True))


def test_a_folder_that_cannot_sync_is_no_failure(jail, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if _is_folder(descriptor):
            raise OSError(22, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert jail.write("file", b"x") == 1


def test_a_jail_that_was_removed_is_an_error_not_a_loop(tmp_path):
    (tmp_path / "gone").mkdir()
    jail = Jail(str(tmp_path / "gone"))
    (tmp_path / "gone").rmdir()
    with pytest.raises(ModuleError, match="no such file"):
        jail.write("a/b", b"x")
    jail.close()


ROUNDS = 300
MOST_ROUNDS = 20_000  # if the other thread hardly gets to run


def swapping(swap):
    """Call `swap` with 0, 1, 0, 1... in a thread until the block ends."""
    stop = threading.Event()

    def work():
        number = 0
        while not stop.is_set():
            number += 1
            swap(number % 2)

    class Swapping:
        def __enter__(self):
            self.thread = threading.Thread(target=work)
            self.thread.start()

        def __exit__(self, *_error):
            stop.set()
            self.thread.join()

    return Swapping()


def link_swapper(tree, name, inside, outside):
    """A link that points inside, then outside, then inside..., replaced atomically."""
    link, spare = tree / "ws" / name, tree / "ws" / (name + ".spare")
    link.symlink_to(inside)

    def swap(number):
        spare.symlink_to(outside if number else inside)
        spare.rename(link)

    return swap


@pytest.mark.parametrize("path", ["racy/file", "racy/../racy/file"])
def test_a_link_that_is_swapped_never_leads_out(jail, tree, path):
    """`racy` leads to a folder with the same names inside the jail and outside, by turns."""
    (tree / "ws/dir/file").write_text("inside")
    (tree / "outside").mkdir()
    (tree / "outside/file").write_text("outside")
    outcomes = set()
    actions = (
        lambda: jail.read(path, 9) == b"inside",
        lambda: jail.write(path, b"inside"),
        lambda: jail.append("racy/log", b"x"),
    )
    with swapping(link_swapper(tree, "racy", "dir", "../outside")):
        for number in range(MOST_ROUNDS):
            for action in actions:
                try:
                    assert action()
                    outcomes.add("done")
                except (SecurityError, ModuleError) as error:
                    outcomes.add(type(error).__name__)
                assert os.listdir(tree / "outside") == ["file"]
            if number >= ROUNDS and {"done", "SecurityError"} <= outcomes:
                break
    assert (tree / "outside/file").read_text() == "outside"
    assert {"done", "SecurityError"} <= outcomes


def test_a_file_that_becomes_a_link_is_replaced_or_refused(jail, tree):
    """The last component itself is swapped between a file and a link that leads out."""
    target, spare = tree / "ws/racy", tree / "ws/racy.spare"
    target.write_text("inside")

    def swap(number):
        if number:
            spare.symlink_to("../secret")
        else:
            spare.write_text("inside")
        spare.rename(target)

    with swapping(swap):
        for _ in range(ROUNDS):
            for action in (
                lambda: jail.write("racy", b"inside"),
                lambda: jail.append("racy", b""),
                lambda: jail.read("racy", 9),
            ):
                try:
                    assert action() != b"outside"
                except (SecurityError, ModuleError):
                    pass
    assert (tree / "secret").read_text() == "outside"


def test_the_kernel_is_asked_again_when_it_lost_a_race(monkeypatch, tree):
    """EAGAIN, and after enough of them the walk."""
    import ctypes

    calls = []

    class Library:
        def __init__(self, *_args, **_options):
            pass

        @staticmethod
        def syscall(number, root, path, how, size):
            calls.append(path)
            if path == b".":
                return os.dup(root)
            ctypes.set_errno(11)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    opener = beneath.openat2_opener()
    root = os.open(tree / "ws", beneath.DIRECTORY)
    found = opener(root, "in", os.O_RDONLY, 0)
    assert os.read(found, 9) == b"inside"
    assert calls == [b".", *[b"in"] * beneath.RACES]
    os.close(found)
    os.close(root)


@pytest.mark.parametrize("code", [38, 1])
def test_without_openat2_the_walk_is_used(monkeypatch, code):
    import ctypes

    class Library:
        def __init__(self, *_args, **_options):
            pass

        @staticmethod
        def syscall(*_args):
            ctypes.set_errno(code)  # ENOSYS: an old kernel; EPERM: a seccomp filter
            return -1

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert beneath.best_opener.__wrapped__() is beneath.walk
