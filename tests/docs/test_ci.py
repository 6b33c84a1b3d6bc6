"""The recipe of docs/ci.md at work, in a repository as it describes one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import VERBS

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text("utf-8")
FILES = Path(__file__).with_name("ci")
PLAYBOOK, GENERATED = "playbooks/disks.gxo.yaml", "generated/disks.py"


def shown(kind: str) -> str:
    """The page's only block of that kind."""
    (block,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)
    return str(block)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("changed"))
    script = shown("sh")
    if "caps" not in VERBS:
        script = re.sub(r"^for playbook in .*\n  gxo caps .*\ndone\n", "", script, flags=re.M)
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "check.sh").write_text(script)
    bin_ = tmp_path / "build" / "bin"
    bin_.mkdir(parents=True)
    command = bin_ / "gxo"
    command.write_text(f"#!{sys.executable}\nfrom gxo.cli.main import entry\nentry()\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    for variable in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{variable}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{variable}_EMAIL", "somebody@example.com")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path)
    run("gxo", "compile", PLAYBOOK, "--emit", "python", "-o", "generated/")
    run("git", "init", "--quiet", "--initial-branch=main")
    commit("The first playbook")
    return tmp_path


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done


def commit(message: str) -> None:
    assert run("git", "add", "playbooks", "generated", "tests", "ci", "caps.yaml").returncode == 0
    assert run("git", "commit", "--quiet", "-m", message).returncode == 0


def test_a_change_goes_through_the_checks(repository: Path) -> None:
    run("git", "checkout", "--quiet", "-b", "change")
    shutil.copy(FILES / "changed" / "disks.gxo.yaml", PLAYBOOK)
    stale = run("sh", "ci/check.sh", BASE="main")
    assert stale.returncode == 1
    assert f"{GENERATED}:6:1: error[GXO0909]: {PLAYBOOK} gives something else" in stale.stderr
    (renewing,) = re.findall(r"hint: `(.*)` renews it", stale.stderr)
    assert run("sh", "-c", renewing).returncode == 0
    if "caps" in VERBS:
        forbidden = run("sh", "ci/check.sh", BASE="main")
        assert forbidden.returncode == 1
        assert "DISKS_TOKEN" in forbidden.stderr
    shutil.copy(FILES / "changed" / "caps.yaml", "caps.yaml")
    commit("Send the list of disks")
    last = run("sh", "ci/check.sh", BASE="main")
    assert last.returncode == 0, last.stderr
    command, _, output = session().partition("\n")
    assert command == f"$ gxo diff build/base/{PLAYBOOK} {PLAYBOOK}"
    assert output in last.stdout


def session() -> str:
    """What the page shows of `gxo diff`, up to the code that it leaves out."""
    (block,) = re.findall(r"^```\n(\$ gxo diff .*?)(?:\.\.\.\n)?^```$", PAGE, re.M | re.S)
    return str(block)
