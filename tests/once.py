"""What is made of gxo's own files, made once a process: nothing changes them while tests run.

To read the modules that a playbook names takes twice as long as all else that is done to check it; to
compile the runtime, and to look for its imports, takes most of the time that an artifact takes.
"""

import functools
import os

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.index import Library, Root, standard_roots
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.package import collect, link
from gxo.compiler.package.bytecode import compile_module

_SHARED = Library(standard_roots(), Diagnostics())
_read, _parse = Library._read, Library._parse


@functools.cache
def share_own_files() -> None:
    """Let all compilations in this process take what one has made. Faults fail whoever asks."""
    Library._read = _read_once  # type: ignore[method-assign]
    Library._parse = _parse_once  # type: ignore[method-assign]
    link._imports = functools.cache(link._imports)
    link._sources = functools.cache(link._sources)
    collect.compile_module = functools.cache(compile_module)  # type: ignore[attr-defined]


def keep_modules(root: Root) -> None:
    """Read the modules of a folder of the tests once, too."""
    share_own_files()
    _SHARED.roots = (*_SHARED.roots, root)


def _read_once(self: Library, path: str, package: str) -> tuple[ModuleSpec, ...]:
    return _read(_owner(self, path), path, package)


def _parse_once(self: Library, path: str, package: str) -> SourceFile | None:
    return _parse(_owner(self, path), path, package)


def _owner(asked: Library, path: str) -> Library:
    assert not _SHARED.diags.items, _SHARED.diags.items
    is_own = any(path.startswith(root.folder + os.sep) for root in _SHARED.roots)
    return _SHARED if is_own else asked
