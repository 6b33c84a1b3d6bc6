"""A workspace's life: made, locked, laid out, swept, removed."""

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import gxo.runtime
from gxo.runtime.errors import UsageError
from gxo.runtime.workspace import removal, workspace
from gxo.runtime.workspace.workspace import Workspace
from tests.runtime.workspace.unprivileged import call_as_nobody, folder_of_nobody

ROOT = os.geteuid() == 0


@pytest.fixture
def place(tmp_path):
    return tmp_path / "workspaces"


@pytest.fixture
def create(place):
    made = []

    def make():
        made.append(Workspace.create({"GXO_WORKSPACES": str(place)}))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture(autouse=True)
def no_descriptor_left():
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


def abandon(one):
    """What SIGKILL leaves: no process holds the lock, nothing was removed."""
    one.close()
    os.close(one._lease._lock)
    os.close(one._lease._place)
    one._lease = None


def test_a_fresh_workspace_is_private_empty_random_and_locked(create, place):
    one, other = create(), create()
    assert os.path.dirname(one.path) == str(place)
    assert len(os.path.basename(one.path)) == 32
    assert one.path != other.path
    assert stat.S_IMODE(os.stat(one.path).st_mode) == 0o700
    assert os.listdir(one.path) == []
    assert sorted(os.listdir(place)) == sorted(
        os.path.basename(each.path) + end for each in (one, other) for end in ("", ".lock")
    )
    lock = os.open(one.path + ".lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_the_umask_does_not_weaken_it(create):
    old = os.umask(0)
    try:
        assert stat.S_IMODE(os.stat(create().path).st_mode) == 0o700
    finally:
        os.umask(old)


def test_remove_leaves_nothing_and_may_be_repeated(create, place):
    one = create()
    one.write("a/b", b"x")
    assert one.remove()
    assert one.remove()
    assert os.listdir(place) == []


def test_the_next_job_sweeps_what_a_killed_one_left(create, place):
    dead, alive = create(), create()
    for one in (dead, alive):
        one.write("out/report", b"x")
    abandon(dead)
    new = create()
    assert sorted(os.listdir(place)) == sorted(
        os.path.basename(each.path) + end for each in (alive, new) for end in ("", ".lock")
    )
    assert alive.read("out/report", 9) == b"x"


CHILD = """
import os, sys
sys.path[:0] = sys.argv[2:]
from gxo.runtime.workspace.workspace import Workspace
made = Workspace.create({"GXO_WORKSPACES": sys.argv[1]})
made.write("file", b"x")
print(made.path, flush=True)
sys.stdin.read()
"""


def test_a_job_that_is_killed_is_swept_and_a_live_one_is_not(create, place):
    command = [sys.executable, "-I", "-S", "-c", CHILD, str(place), *_roots()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:
        killed, alive = first.stdout.readline().strip(), second.stdout.readline().strip()
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert os.path.exists(killed)
        create()
        assert not os.path.exists(killed)
        assert not os.path.exists(killed + ".lock")
        assert os.listdir(alive) == ["file"]
        second.kill()


def _roots():
    return [os.path.dirname(os.path.dirname(path)) for path in gxo.runtime.__path__]


def test_what_is_not_a_dead_workspace_is_left_alone(create, place):
    place.mkdir(mode=0o700)
    (place / "folder-without-lock").mkdir()
    (place / "file").write_text("x")
    (place / "link.lock").symlink_to("file")
    (place / "dir.lock").mkdir()
    (place / "half-made.lock").write_text("")  # killed before its folder was there
    one = create()
    names = sorted(os.listdir(place))
    assert names == sorted(
        ["folder-without-lock", "file", "link.lock", "dir.lock"]
        + [os.path.basename(one.path) + end for end in ("", ".lock")]
    )


@pytest.mark.skipif(not ROOT, reason="needs root to make files of others")
def test_the_workspaces_of_other_users_are_left_alone(create, place):
    dead = create()
    abandon(dead)
    os.chown(dead.path + ".lock", 65534, -1)
    create()
    assert os.path.exists(dead.path)


def test_a_sweep_is_bounded_and_the_next_goes_on(create, place, monkeypatch):
    monkeypatch.setattr(workspace, "ENTRIES_TO_SWEEP", 12)
    dead = create()
    for number in range(30):
        Path(dead.path, f"f{number}").write_text("")
    abandon(dead)
    left = []
    for _ in range(4):
        create()
        left.append(len(os.listdir(dead.path)) if os.path.exists(dead.path) else None)
    assert left == [18, 6, None, None]
    assert not os.path.exists(dead.path + ".lock")


def test_a_sweep_looks_at_some_locks_only_but_in_the_end_at_all(create, place, monkeypatch):
    dead = [create() for _ in range(6)]
    for one in dead:
        abandon(one)
    monkeypatch.setattr(workspace, "LOCKS_TO_TRY", 2)
    one = create()
    assert len(os.listdir(place)) == 2 * 6 - 2 * 2 + 2
    for _ in range(500):  # each starts at random
        one.remove()
        if os.listdir(place) == []:
            break
        one = create()
    assert os.listdir(place) == []


def test_a_name_whose_lock_a_sweep_took_first_is_given_up(create, place, monkeypatch):
    real = workspace._lock_nowait
    answers = [False]

    def lock(*args):
        return real(*args) if not answers else answers.pop()

    monkeypatch.setattr(workspace, "_lock_nowait", lock)
    one = create()
    assert len(os.listdir(place)) == 3  # the lock file that was given up: free, so swept next time
    one.remove()
    create().remove()
    assert os.listdir(place) == []


def test_jobs_that_start_end_and_sweep_at_once_never_take_each_others_folder(place):
    problems = []

    def job():
        for _ in range(15):
            one = Workspace.create({"GXO_WORKSPACES": str(place)})
            try:
                one.write("file", b"x")
                assert one.read("file", 9) == b"x"
                assert one.remove()
            except BaseException as error:
                problems.append(error)

    threads = [threading.Thread(target=job) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    Workspace.create({"GXO_WORKSPACES": str(place)}).remove()
    assert os.listdir(place) == []


def test_an_error_while_making_it_leaves_nothing(place, monkeypatch):
    def mkdir(*_args, **_options):
        raise OSError(28, "No space left on device")

    place.mkdir(mode=0o700)
    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(UsageError, match=r"cannot make a workspace in .*: no space left on device"):
        Workspace.create({"GXO_WORKSPACES": str(place)})
    assert os.listdir(place) == []


# --- what remove must cope with --------------------------------------------------------------


def test_remove_copes_with_deep_trees_and_many_files(create, place):
    one = create()
    here = os.open(one.path, os.O_RDONLY)
    for _ in range(2000):  # deeper than any path can name
        os.mkdir("d" * 100, dir_fd=here)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)
    os.mkdir(one.path + "/many")
    for number in range(2500):
        os.close(os.open(f"{one.path}/many/{number}", os.O_CREAT))
    assert one.remove()
    assert os.listdir(place) == []


def test_remove_follows_nothing(create, place, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("stays")
    (tmp_path / "outside").chmod(0o755)
    one = create()
    os.symlink(tmp_path / "outside", one.path + "/folder-link")
    os.symlink(tmp_path / "outside/file", one.path + "/file-link")
    os.link(tmp_path / "outside/file", one.path + "/hard")
    os.mkfifo(one.path + "/fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(one.path)  # its path may be too long for an address
        listener.bind("socket")
        os.chdir("/")
    assert one.remove()
    assert (tmp_path / "outside/file").read_text() == "stays"
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o755


def test_remove_copes_with_write_protection_without_being_root():
    def job(path):
        one = Workspace.create({"GXO_WORKSPACES": path})
        one.write("a/b/c/file", b"x")
        one.write("closed/file", b"x")
        one.write("closed/deeper/file", b"x")
        for name, mode in [("a/b/c/file", 0), ("a/b/c", 0o555), ("a/b", 0o500), ("a", 0o111)]:
            os.chmod(f"{one.path}/{name}", mode)
        for name in ("closed/deeper", "closed", "."):
            os.chmod(f"{one.path}/{name}", 0)
        return one.remove(), os.listdir(path)

    with folder_of_nobody() as path:
        assert call_as_nobody(lambda: job(path + "/workspaces")) == (True, [])


def test_a_process_that_works_in_it_does_not_keep_it(create, place):
    one = create()
    one.write("log", b"x")
    command = [
        sys.executable,
        "-S",
        "-c",
        "import sys; print('ready', flush=True); sys.stdin.read()",
    ]
    with (
        open(one.path + "/log") as held,
        subprocess.Popen(command, cwd=one.path, stdin=-1, stdout=-1, text=True) as child,
    ):
        assert child.stdout.readline() == "ready\n"
        assert one.remove()
        assert held.read() == "x"
        child.kill()
    assert os.listdir(place) == []


def test_files_that_appear_while_it_is_removed_are_removed_too(create, place, monkeypatch):
    one = create()
    one.write("a/file", b"x")
    real = os.rmdir
    left = [1, 1]

    def rmdir(name, dir_fd):
        if name == os.path.basename(one.path) and left:
            left.pop()
            Path(one.path, "late").write_text("x")
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir)
    assert one.remove()
    assert not left
    assert os.listdir(place) == []


def test_what_cannot_be_removed_is_left_for_the_next_job(create, place, monkeypatch):
    one = create()
    one.write("busy", b"x")
    one.write("a/b", b"x")
    real = os.unlink

    def unlink(name, dir_fd):
        if name == "busy":
            raise OSError(16, "Device or resource busy")
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    assert one.remove() is False
    assert os.listdir(one.path) == ["busy"]
    monkeypatch.undo()
    create().remove()
    assert os.listdir(place) == []


def test_remove_tree_of_what_is_not_there_is_done(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    assert removal.remove_tree(here, "missing", 5) == 5
    (tmp_path / "file").write_text("x")
    assert removal.remove_tree(here, "file", 5) is None  # no folder: not ours to remove
    os.close(here)


# --- an existing folder, assets -------------------------------------------------------------

ASSETS = [("hosts.csv", 0o644, b"a,b\n"), ("bin/run.sh", 0o755, b"#!/bin/sh\n")]


def listing(path):
    return {
        str(each.relative_to(path)): (stat.S_IMODE(each.stat().st_mode), each.read_bytes())
        for each in Path(path).rglob("*")
        if each.is_file()
    }


def test_assets_are_laid_out_with_their_modes(create):
    old = os.umask(0o077)
    try:
        one = create()
        one.lay_out(ASSETS)
    finally:
        os.umask(old)
    assert listing(one.path) == {name: (mode, data) for name, mode, data in ASSETS}


def test_an_existing_workspace_stays(tmp_path):
    (tmp_path / "mine").write_text("x")
    one = Workspace.existing(str(tmp_path))
    one.lay_out(ASSETS)
    assert one.remove()
    assert sorted(listing(tmp_path)) == ["bin/run.sh", "hosts.csv", "mine"]


def test_an_existing_workspace_may_be_named_by_a_link_or_relative(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    for name in ("link", "real", "./real/"):
        one = Workspace.existing(name)
        assert one.path == str(tmp_path / "real")
        one.remove()


def test_a_file_that_equals_the_asset_is_left_as_it_is(tmp_path):
    (tmp_path / "hosts.csv").write_bytes(b"a,b\n")
    (tmp_path / "hosts.csv").chmod(0o600)
    before = (tmp_path / "hosts.csv").stat()
    one = Workspace.existing(str(tmp_path))
    one.lay_out(ASSETS)
    one.remove()
    after = (tmp_path / "hosts.csv").stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )


DIFFERENT = {
    "shorter": lambda path: path.write_bytes(b"a"),
    "longer": lambda path: path.write_bytes(b"a,b\nmore"),
    "other": lambda path: path.write_bytes(b"x,y\n"),
    "folder": lambda path: path.mkdir(),
    "fifo": os.mkfifo,
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_an_asset_does_not_replace_a_different_file_and_nothing_is_written(tmp_path, kind):
    DIFFERENT[kind](tmp_path / "hosts.csv")
    before = listing(tmp_path) if kind != "fifo" else None
    one = Workspace.existing(str(tmp_path))
    with pytest.raises(
        UsageError, match=r"'hosts.csv' would replace a different file in "
    ) as caught:
        one.lay_out(reversed(ASSETS))
    assert "--workspace" in caught.value.hint
    one.remove()
    assert os.listdir(tmp_path) == ["hosts.csv"]
    if before is not None:
        assert listing(tmp_path) == before


def test_an_asset_does_not_leave_through_a_link(tmp_path):
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws/bin").symlink_to("..")
    one = Workspace.existing(str(tmp_path / "ws"))
    with pytest.raises(UsageError, match=r"cannot lay out an asset: .* leads out of the workspace"):
        one.lay_out(ASSETS)
    one.remove()
    assert sorted(os.listdir(tmp_path)) == ["ws"]


def test_what_is_no_folder_is_no_workspace(tmp_path):
    (tmp_path / "file").write_text("x")
    for name, reason in (("missing", "no such file"), ("file", "not a directory")):
        with pytest.raises(UsageError, match=f"cannot use the workspace .*{name}: {reason}"):
            Workspace.existing(str(tmp_path / name))
