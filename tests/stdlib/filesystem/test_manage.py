"""`filesystem:manage` where the owner matters: as root, and as a user who may not give away."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.entries import set_owner
from gxo.runtime.workspace.jail import Jail
from tests.stdlib.harness import Outcome, bench, module_spec, run

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def manage(folder: Path, **params: Any) -> Outcome:
    async def play() -> Outcome:
        async with bench(folder) as workbench:
            return await workbench.call(module_spec("filesystem:manage"), params)

    return run(play())


def owners(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid


@needs_root
def test_owner_of_all_in_a_folder(tmp_path: Path) -> None:
    """Also of a link itself, and never of what it leads to."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "kept").write_text("")
    (tmp_path / "d/e/l").symlink_to("../../kept")
    given = {"path": "d", "state": "directory", "owner": "nobody", "group": str(NOBODY)}
    first = manage(tmp_path, **given, recursive=True)
    assert first.summary["diff"] == {
        "owner": {"before": "root", "after": "nobody"},
        "group": {"before": "root", "after": "nogroup"},
    }
    for name in ("d", "d/e", "d/e/l"):
        assert owners(tmp_path / name) == (NOBODY, NOBODY)
    assert owners(tmp_path / "kept") == (0, 0)
    assert not manage(tmp_path, **given, recursive=True).summary["changed"]


@needs_root
def test_a_program_keeps_its_bits_though_it_is_given_away(tmp_path: Path) -> None:
    """The system takes the set-user-ID bit with the owner, so the mode comes after."""
    (tmp_path / "run").write_text("")
    outcome = manage(tmp_path, path="run", state="present", owner="nobody", mode="4755")
    assert outcome.error is None
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o4755


@needs_root
def test_who_may_not_give_away(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    tmp_path.chmod(0o755)
    os.chown(tmp_path / "a.txt", NOBODY, NOBODY)
    jail = Jail(str(tmp_path))  # opened before: the folders of tests are root's
    os.seteuid(NOBODY)
    try:
        with pytest.raises(ModuleError, match="operation not permitted"):
            set_owner(jail, "a.txt", 0, -1)
    finally:
        os.seteuid(0)
        jail.close()
    assert owners(tmp_path / "a.txt") == (NOBODY, NOBODY)
