"""gxo's own module library, read once a process: nothing changes its files while tests run.

To read the files that a playbook names takes twice as long as all else that is done to check it.
"""

import os

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.modules.spec import ModuleSpec

_SHARED = Library(standard_roots(), Diagnostics())
_read, _parse = Library._read, Library._parse


def share_library() -> None:
    """Let every library take from one what lies in gxo's own; faults there fail who asks."""
    Library._read = _read_once  # type: ignore[method-assign]
    Library._parse = _parse_once  # type: ignore[method-assign]


def _read_once(self: Library, path: str, package: str) -> tuple[ModuleSpec, ...]:
    return _read(_owner(self, path), path, package)


def _parse_once(self: Library, path: str) -> SourceFile | None:
    return _parse(_owner(self, path), path)


def _owner(asked: Library, path: str) -> Library:
    assert not _SHARED.diags.items, _SHARED.diags.items
    is_own = any(path.startswith(root.folder + os.sep) for root in _SHARED.roots)
    return _SHARED if is_own else asked
