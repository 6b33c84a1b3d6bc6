"""What a test may touch: cases in `isolation.yaml`, played in a process of their own, and in a
second one at the same time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.testing.confine import Confinement
from gxo.runtime.testing.landlock import Landlock

HERE = Path(__file__).parent
FILE = HERE / "isolation.yaml"
CASES: Mapping[str, Any] = yaml.safe_load(FILE.read_text())


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What becomes of the cases, in each of two processes."""
    processes = []
    for number in range(2):
        folder = tmp_path_factory.mktemp(f"played-{number}")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "GXO_WORKSPACES": str(folder),
        }
        command = [sys.executable, str(HERE / "play.py"), str(FILE), str(folder)]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    texts = [process.communicate(timeout=60)[0] for process in processes]
    return [json.loads(text) for text in texts]


def has_landlock() -> bool:
    with suppress(OSError):
        Landlock((), ()).close()
        return True
    return False


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, number: int, outcomes: list[dict[str, Any]]) -> None:
    case, outcome = CASES[name], outcomes[number][name]
    result = outcome["workload_results"]["a"]
    if "kernel" in case and not has_landlock():
        pytest.skip("this kernel has no Landlock")
    if "network" in case and not Confinement("", (), ()).words:
        pytest.skip("this host lets nobody take the network from a command")
    wanted = case.get("gives", case.get("network", case.get("kernel")))
    if "kernel" in case:
        assert {key: result["summary"][key] for key in wanted} == wanted, result
    elif "gives" in case or "network" in case:
        assert result.get("summary") == wanted, result
    assert case.get("error", "") in (outcome["error"] or ""), outcome
    assert bool(outcome["error"]) == ("error" in case), outcome
    assert outcome["code"] == (1 if "error" in case else 0)
