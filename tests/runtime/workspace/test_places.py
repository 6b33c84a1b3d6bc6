"""Where workspaces go, by the table in places.yaml."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from gxo.runtime.errors import UsageError
from gxo.runtime.workspace.places import open_place
from tests.runtime.workspace.unprivileged import NOBODY, call_as_nobody, folder_of_nobody

CASES = yaml.load(
    Path(__file__).with_name("places.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)
ROOT = os.geteuid() == 0


def prepare(tmp, things, owner):
    for name, thing in things.items():
        path = f"{tmp}/{name}"
        if thing.startswith("-> "):
            os.symlink(thing[3:], path)
        elif thing == "file":
            Path(path).write_text("")
        else:
            os.mkdir(path)
            if thing == "nobody":
                os.chown(path, NOBODY, NOBODY)
            else:
                os.chmod(path, int(thing.split()[-1], 8))
        if not thing.startswith("root") and thing != "nobody":
            os.chown(path, owner, -1, follow_symlinks=False)


def opened(environment, system):
    path, descriptor = open_place(environment, system)
    assert os.path.samestat(os.fstat(descriptor), os.lstat(path))
    os.close(descriptor)
    return path


def run(case, tmp):
    as_nobody = case.get("nobody", False)
    things = case.get("prepare", {})
    if not ROOT and any("root" in thing or thing == "nobody" for thing in things.values()):
        pytest.skip("needs root to make folders of others")
    prepare(tmp, things, NOBODY if as_nobody and ROOT else os.geteuid())
    environment = {name: text.replace("{tmp}", tmp) for name, text in case["environment"].items()}
    system = f"{tmp}/{case.get('system', 'system')}"
    if "system" not in case and "system" not in things:
        system = "/dev/null/workspaces"  # not even root can write there
    if as_nobody:
        return call_as_nobody(lambda: opened(environment, system))
    return opened(environment, system)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("says") or case["expect"])
def test_table(case):
    with folder_of_nobody() as tmp:
        if not case.get("nobody") and ROOT:
            os.chown(tmp, 0, 0)
        before = len(os.listdir("/proc/self/fd"))
        if "says" in case:
            with pytest.raises(UsageError) as caught:
                run(case, tmp)
            assert case["says"].replace("{tmp}", tmp) in caught.value.message
            assert "GXO_WORKSPACES" in caught.value.hint
        else:
            assert run(case, tmp) == f"{tmp}/{case['expect']}"
            for name, mode in case.get("modes", {}).items():
                assert f"{stat.S_IMODE(os.stat(f'{tmp}/{name}').st_mode):04o}" == mode
        assert len(os.listdir("/proc/self/fd")) == before
