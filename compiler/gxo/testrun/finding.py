"""Finds playbooks below the paths of a command line, in an order that is always the same.

["checks", "deploy.test.gxo.yaml"]  ->  checks/disks.test.gxo.yaml, checks/net/dns.test.gxo.yaml,
                                        deploy.test.gxo.yaml
"""

import os
import re
from collections.abc import Iterable, Iterator

TEST, PLAYBOOK = ".test.gxo.yaml", ".gxo.yaml"
LEFT_OUT = frozenset({"build", "dist", "node_modules", "venv", "__pycache__"})
"""Folders that hold what was made or fetched; so do those whose name starts with a dot."""


_NAME = re.compile(r"""^name:[ \t]+(["']?)(.+?)\1[ \t]*(?:[ \t]#.*)?$""", re.MULTILINE)
_HEAD = 1 << 16
"""Characters at a file's beginning, where its name is looked for."""


class PathError(Exception):
    """A path that cannot be used; its text is for the user."""


def find(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """The test playbooks, and the other playbooks, that are named or lie below folders.

    Each is there once, by the first way that leads to it. Links to folders are not followed.
    Raises PathError for a path that is not there, a file that is no test, and a folder that cannot
    be read.
    """
    tests: dict[str, str] = {}
    others: dict[str, str] = {}
    for path in paths:
        if os.path.isdir(path):
            for file in _below(path):
                found = tests if file.endswith(TEST) else others
                found.setdefault(os.path.realpath(file), file)
        elif not os.path.exists(path):
            raise PathError(f"cannot read {path!r}: there is no such file or folder")
        elif not path.endswith(TEST):
            raise PathError(f"{path} is no test playbook: the name of one ends with {TEST}")
        else:
            tests.setdefault(os.path.realpath(path), os.path.normpath(path))
    return list(tests.values()), list(others.values())


def name_of(path: str) -> str:
    """The name of a test, as far as it is in the file in an ordinary way; else the file's."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = _NAME.search(file.read(_HEAD))
    except OSError:
        found = None
    return found[2] if found else os.path.basename(path).removesuffix(PLAYBOOK)


def _below(folder: str) -> Iterator[str]:
    """Each playbook in the folder, then those of the folders in it; all by name."""
    for path, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        for name in sorted(names):
            if name.endswith(PLAYBOOK) and not name.startswith("."):
                yield os.path.normpath(os.path.join(path, name))


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name in LEFT_OUT


def _refuse(error: OSError) -> None:
    raise PathError(f"cannot read {error.filename!r}: {(error.strerror or str(error)).lower()}")
