"""The recipe of docs/ci.md at work, in a repository as it describes one."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main

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
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "check.sh").write_text(shown("sh"))
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
    renew()
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


def change(path: str) -> None:
    """What a developer changes, in the file or folder."""
    shutil.copy(FILES / "changed" / Path(path).name, path)


def renew() -> None:
    assert main(["compile", PLAYBOOK, "--emit", "python", "-o", "generated/"]) == 0


def test_what_is_generated_has_to_be_renewed(repository: Path) -> None:
    change(PLAYBOOK)
    stale = run("sh", "ci/check.sh", BASE="main")
    assert stale.returncode == 1
    assert f"{GENERATED}:6:1: error[GXO0909]: {PLAYBOOK} gives something else" in stale.stderr
    (renewing,) = re.findall(r"hint: `gxo (.*)` renews it", stale.stderr)
    assert main(shlex.split(renewing)) == 0
    assert main(shlex.split(f"{renewing} --check")) == 0


def test_what_is_new_has_to_be_allowed(repository: Path) -> None:
    change(PLAYBOOK)
    renew()
    forbidden = run("sh", "ci/check.sh", BASE="main")
    assert forbidden.returncode == 1
    assert "DISKS_TOKEN" in forbidden.stderr


def test_a_reviewer_sees_what_the_page_shows(repository: Path) -> None:
    run("git", "checkout", "--quiet", "-b", "change")
    change(PLAYBOOK)
    change("caps.yaml")
    renew()
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
