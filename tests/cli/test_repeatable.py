"""Two compiles of one input give the same bytes, wherever and however they run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SURROUNDINGS = [
    {"umask": "022", "TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"umask": "077", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
]


@pytest.mark.parametrize("name", ["full-disks", "host-report", "orders-etl", "site-deploy"])
def test_same_bytes(name: str, tmp_path: Path) -> None:
    """From the playbook and its assets on, through the command."""
    seen = set()
    for number, surroundings in enumerate(SURROUNDINGS):
        folder = tmp_path / f"folder {number}"
        shutil.copytree(EXAMPLES / name, folder, copy_function=shutil.copyfile)
        code = (
            f"import os, sys; os.umask(0o{surroundings['umask']}); sys.argv[1:] ="
            f" ['compile', '{name}.gxo.yaml', '-o', 'job.pyz'];"
            "from gxo.cli.main import entry; entry()"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env=os.environ | surroundings | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        seen.add((folder / "job.pyz").read_bytes())
    assert len(seen) == 1
