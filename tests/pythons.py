"""The Pythons that are installed here, whichever way: what artifacts have to run on.

    python tests/pythons.py
    3.11.2 /usr/bin/python3.11
    3.13.0 /opt/python/bin/python3.13

They are found in the folders of PATH and below pyenv's root. Nothing is skipped in silence: a test
that takes the fixture `python` runs once for each, and the end of the test run says which they were.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OLDEST = (3, 11)
"""What gxo's artifacts need."""

_NAME = re.compile(r"python[23](\.\d+)?")
_WHO = (
    "import os, sys; sys.stdout.write('%d.%d.%d ' % tuple(sys.version_info[:3])"
    " + os.path.realpath(sys.executable))"
)

Version = tuple[int, int, int]


@cache
def installed() -> dict[Version, Path]:
    """Every Python here by version, the oldest first; of two of one version, one."""
    asked = [
        subprocess.Popen(
            [path, "-c", _WHO], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for path in sorted(_candidates())
    ]
    found = {}
    for process in asked:
        answer, _ = process.communicate(timeout=60)
        if process.returncode == 0:  # a shim of pyenv may stand for no Python that is switched on
            version, _, path = answer.partition(" ")
            major, minor, micro = map(int, version.split("."))
            found[major, minor, micro] = Path(path)
    return dict(sorted(found.items()))


def supported() -> dict[str, Path]:
    """The Pythons that artifacts run on: `{"3.11.2": ..., "3.13.0": ...}`."""
    return {
        ".".join(map(str, version)): path
        for version, path in installed().items()
        if version >= OLDEST
    }


def _candidates() -> Iterator[Path]:
    for folder in _folders():
        for path in folder.glob("python*"):
            if _NAME.fullmatch(path.name) and os.access(path, os.X_OK):
                yield path


def _folders() -> list[Path]:
    folders = [Path(entry) for entry in os.get_exec_path() if entry]
    try:
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return folders
    return [*folders, *Path(root.strip()).glob("versions/*/bin")]


if __name__ == "__main__":
    for version, path in supported().items():
        print(version, path)
