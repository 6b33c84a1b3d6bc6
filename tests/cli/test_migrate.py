"""`gxo migrate`, and the verbs that take the v0.1 form: what they say, write and leave alone."""

import errno
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main

OLD = b"""\
# a greeting
name: hello
schemaVersion: v1.0.0
tasks:
  - name: greet   # once
    type: exec
    params: {command: echo, args: [hello]}
"""
NEW = b"""\
# a greeting
name: hello
schemaVersion: v1.0.0
workloads:
  - name: greet   # once
    lifecycle: {policy: run_once}
    process:
      module: exec
      params: {command: echo, args: [hello]}
"""
WARNING = "warning[GXO0219]"


@pytest.fixture
def playbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    path = tmp_path / "p.gxo.yaml"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def gxo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-c", "from gxo.cli.main import entry; entry()", *arguments)


@pytest.mark.parametrize("verb", [["validate"], ["compile", "-o", "job.pyz"]], ids=lambda v: v[0])
def test_the_old_form_is_one_warning(
    verb: list[str], playbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb, "p.gxo.yaml"]) == 0
    said = capsys.readouterr().err
    assert said.count("warning[") == said.count(WARNING) == 1
    assert "deprecated 'tasks' key" in said
    assert "gxo migrate -f p.gxo.yaml" in said
    playbook.write_bytes(NEW)
    assert main([*verb, "p.gxo.yaml"]) == 0
    assert capsys.readouterr().err == ""


def test_each_run_of_the_old_form_warns(playbook: Path) -> None:
    for _ in range(2):
        done = gxo("run", "p.gxo.yaml")
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(WARNING) == 1


def test_the_new_form_is_printed_and_nothing_written(
    playbook: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["migrate", "-f", "p.gxo.yaml"]) == 0
    assert capsysbinary.readouterr() == (NEW, b"")
    assert playbook.read_bytes() == OLD
    assert names(playbook.parent) == ["p.gxo.yaml"]


@pytest.mark.parametrize(
    "data",
    [
        NEW,
        NEW.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + NEW,
        NEW.rstrip(b"\n") + b"   # x",
        b"workloads:   [ {colour:   'red'} ]\n# no playbook, but of no old form\n",
    ],
    ids=["plain", "crlf", "mark", "no-end", "with-errors"],
)
def test_the_current_form_stays_byte_for_byte(
    data: bytes, playbook: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    playbook.write_bytes(data)
    before = playbook.stat()
    assert main(["migrate", "-f", "p.gxo.yaml"]) == 0
    assert capsysbinary.readouterr() == (data, b"")
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 0
    assert capsysbinary.readouterr() == (b"p.gxo.yaml: nothing to migrate\n", b"")
    assert playbook.read_bytes() == data
    assert playbook.stat().st_mtime_ns == before.st_mtime_ns
    assert names(playbook.parent) == ["p.gxo.yaml"]


@pytest.mark.parametrize("form", [b"\xef\xbb\xbf%s", b"%s"], ids=["mark", "crlf"])
def test_the_bytes_around_the_text_stay(
    form: bytes, playbook: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ending = b"\n" if b"\xef" in form else b"\r\n"
    playbook.write_bytes(form % OLD.replace(b"\n", ending))
    assert main(["migrate", "-f", "p.gxo.yaml"]) == 0
    assert capsysbinary.readouterr().out == form % NEW.replace(b"\n", ending)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (OLD + b"workloads: []\n", "GXO0207"),
        (OLD + b"finaly: []\n", "GXO0201"),
        (b"tasks: [\n", "GXO0106"),
        (b"- tasks\n", "GXO0205"),
        (b"", "GXO0101"),
        (b"\xff\xfe", "GXO0102"),
        (OLD + b"# caf\xe9\n", "GXO0102"),
        (OLD.replace(b"    type", b"\ttype"), "GXO0107"),
        (b"tasks: [{name: a, # c\n type: exec}]\n", "the comment '# c' would be lost"),
    ],
    ids=[
        "both",
        "unknown-key",
        "no-yaml",
        "no-map",
        "empty",
        "no-text",
        "latin-1",
        "tab",
        "comment",
    ],
)
def test_what_cannot_be_migrated_stays(
    data: bytes, said: str, playbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playbook.write_bytes(data)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert "warning" not in shown.err
    assert shown.out == ""
    assert playbook.read_bytes() == data
    assert names(playbook.parent) == ["p.gxo.yaml"]


def test_in_place_keeps_the_old_form_and_the_mode(
    playbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 0
    assert capsys.readouterr().out == "p.gxo.yaml: migrated; the old form is in p.gxo.yaml.bak\n"
    assert names(playbook.parent) == ["p.gxo.yaml", "p.gxo.yaml.bak"]
    backup = playbook.with_name("p.gxo.yaml.bak")
    assert (playbook.read_bytes(), backup.read_bytes()) == (NEW, OLD)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (playbook, backup)} == {0o640}


@pytest.mark.parametrize("renames", [0, 1], ids=["of-the-backup", "of-the-playbook"])
def test_a_failing_rename_leaves_the_file(
    renames: int,
    playbook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real, done = os.replace, []

    def replace(source: str, target: str) -> None:
        if len(done) == renames:
            raise OSError(errno.EIO, "Input/output error")
        done.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 2
    assert "cannot rewrite p.gxo.yaml: Input/output error" in capsys.readouterr().err
    assert playbook.read_bytes() == OLD
    assert names(playbook.parent) == ["p.gxo.yaml", "p.gxo.yaml.bak"][: 1 + renames]
    monkeypatch.undo()
    monkeypatch.chdir(playbook.parent)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 0
    assert playbook.read_bytes() == NEW


@pytest.mark.parametrize("renames", [0, 1], ids=["of-the-backup", "of-the-playbook"])
def test_a_kill_before_a_rename_leaves_the_file(renames: int, playbook: Path) -> None:
    killed = python(
        "-c",
        "import os, signal, sys\n"
        "from gxo.cli.main import main\n"
        "real, left = os.replace, [int(sys.argv[1])]\n"
        "def replace(source, target):\n"
        "    if not left[0]:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    real(source, target)\n"
        "os.replace = replace\n"
        "main(['migrate', '-f', 'p.gxo.yaml', '--in-place'])\n",
        str(renames),
    )
    assert killed.returncode == -9
    assert playbook.read_bytes() == OLD
    (temporary,) = playbook.parent.glob(".p.gxo.yaml*")
    assert temporary.read_bytes() == (NEW if renames else OLD)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 0
    assert playbook.read_bytes() == NEW
    assert playbook.with_name("p.gxo.yaml.bak").read_bytes() == OLD


def test_another_backup_is_never_lost(playbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup = playbook.with_name("p.gxo.yaml.bak")
    backup.write_bytes(b"precious")
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 2
    assert "p.gxo.yaml.bak is there already" in capsys.readouterr().err
    assert (playbook.read_bytes(), backup.read_bytes()) == (OLD, b"precious")


def test_links_are_not_followed(playbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = playbook.with_name("link.gxo.yaml")
    link.symlink_to(playbook)
    assert main(["migrate", "-f", "link.gxo.yaml", "--in-place"]) == 2
    assert f"name the file itself: {playbook}" in capsys.readouterr().err
    target = playbook.with_name("elsewhere")
    target.write_bytes(OLD)
    playbook.with_name("p.gxo.yaml.bak").symlink_to(target)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 2
    assert "p.gxo.yaml.bak is there already" in capsys.readouterr().err
    assert link.is_symlink()
    assert playbook.read_bytes() == target.read_bytes() == OLD


def test_a_folder_that_refuses(
    playbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root may write anywhere, so the folder's answer is given here."""
    playbook.parent.chmod(0o555)
    real = os.open

    def refuse(path: str, flags: int, *rest: int, **named: int) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    assert main(["migrate", "-f", "p.gxo.yaml", "--in-place"]) == 2
    monkeypatch.undo()
    playbook.parent.chmod(0o755)
    assert "cannot rewrite p.gxo.yaml: Permission denied" in capsys.readouterr().err
    assert playbook.read_bytes() == OLD
    assert names(playbook.parent) == ["p.gxo.yaml"]


def test_no_file(playbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "-f", "other.yaml"]) == 2
    assert capsys.readouterr().err == "gxo: cannot read 'other.yaml': there is no such file\n"


def test_only_migrate_loads_the_round_trip_parser(playbook: Path) -> None:
    show = "import sys; from gxo.cli.main import main; main(sys.argv[1:]); print('ruamel.yaml' in sys.modules)"
    for arguments, loaded in (
        (["validate", "p.gxo.yaml"], "False"),
        (["migrate", "-f", "p.gxo.yaml"], "True"),
    ):
        done = python("-c", show, *arguments)
        assert re.findall(r"^(?:True|False)$", done.stdout, re.MULTILINE) == [loaded]
