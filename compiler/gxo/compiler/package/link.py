"""Finds the files of gxo that an artifact needs: what its modules import, and what those import.

    before:  gxo_job.py    from gxo.runtime import Context, Job
                           from gxo.stdlib.exec import Executed, exec_
    after:   gxo/__init__.py, gxo/runtime/__init__.py, gxo/runtime/main.py, gxo/runtime/context.py,
             ..., gxo/stdlib/__init__.py, gxo/stdlib/exec.py

Files are read, never imported. Imports inside functions count; those for the type checker do not.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

from gxo.compiler.imports import import_statements, quietly
from gxo.compiler.kept import Kept

ROOTS = ("gxo.runtime.main", "gxo.runtime.bundle")
"""What an artifact's `__main__.py` imports besides the generated module."""

LINKED = ("gxo", "gxo.runtime", "gxo.stdlib")

Import = tuple[str, list[str]]
"""A module, and the names that are taken from it."""


class LinkError(Exception):
    """The library is not whole: a defect of gxo, not of the playbook."""


def link(sources: Mapping[str, str], known: Kept | None = None) -> dict[str, bytes]:
    """The closure of the sources' imports below gxo, as archive path to content, sorted.

    Packages without an `__init__.py` get an empty one: an artifact's are complete, and finding them
    is then one look. known: what is known of files' imports. Raises LinkError when an import leads
    nowhere, or out of runtime and library.
    """
    library = _Library(roots(), known or Kept({}))
    linked: dict[str, bytes] = {}
    waiting = [*ROOTS]
    for path, text in sorted(sources.items()):
        waiting += library.needed(text.encode(), path)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            path, content = library.read(name)
            linked[path] = content
            waiting += library.needed(content, path)
    return dict(sorted(linked.items()))


def find(name: str) -> str | None:
    """The file of a module or package below gxo, such as `gxo.stdlib`; None if there is none."""
    return _Library(roots(), Kept({})).find(name)


def roots() -> tuple[str, ...]:
    """The folders that make up gxo's namespace."""
    spec = find_spec("gxo")
    return tuple(spec.submodule_search_locations or ()) if spec else ()


@dataclass(frozen=True, slots=True)
class _Library:
    """The installed files of gxo, in the folders that make up its namespace.

    known: what files import; found: the file of each module that was looked for, None for none.
    """

    roots: tuple[str, ...]
    known: Kept
    found: dict[str, str | None] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        if name not in self.found:
            self.found[name] = next(filter(os.path.isfile, self._candidates(name)), None)
        return self.found[name]

    def _candidates(self, name: str) -> Iterator[str]:
        below = name.split(".")[1:]
        for root in self.roots:
            base = os.path.join(root, *below)
            yield os.path.join(base, "__init__.py")
            yield f"{base}.py"

    def has(self, name: str) -> bool:
        """Whether there is such a module or package."""
        below = name.split(".")[1:]
        return self.find(name) is not None or any(
            os.path.isdir(os.path.join(root, *below)) for root in self.roots
        )

    def read(self, name: str) -> tuple[str, bytes]:
        """The archive path and content of a module or package."""
        base = name.replace(".", "/")
        file = self.find(name)
        if file is None:
            if not self.has(name):
                raise LinkError(f"there is no module {name}")
            return f"{base}/__init__.py", b""
        is_package = os.path.basename(file) == "__init__.py"
        return (f"{base}/__init__.py" if is_package else f"{base}.py"), _content(file)

    def needed(self, content: bytes, path: str) -> Iterator[str]:
        """Yield the modules below gxo that a file imports, each with the packages it is in."""
        imports = self.known.get_plain(b"imports of " + content, lambda: _imports(content, path))
        for name in self._imported(imports):
            parts = name.split(".")
            if len(parts) > 1 and ".".join(parts[:2]) not in LINKED:
                raise LinkError(f"{path} imports {name}, which no artifact has")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))

    def _imported(self, imports: list[Import]) -> Iterator[str]:
        for module, names in imports:
            yield module
            for name in names:
                source = self._source(module, name)
                if source is not None:
                    yield source

    def _source(self, module: str, name: str) -> str | None:
        """Where `from module import name` takes the name from, if not from the module itself.

        A package that loads the files of its names when they are first used says which in the
        imports that it makes for the type checker.
        """
        file = self.find(module)
        if file is not None and os.path.basename(file) != "__init__.py":
            return None
        if self.has(f"{module}.{name}"):
            return f"{module}.{name}"
        if file is None:
            return None
        content = _content(file)
        sources = self.known.get_plain(b"sources of " + content, lambda: _sources(content, file))
        source: str | None = sources.get(name)
        return source


def _content(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _imports(content: bytes, path: str) -> list[Import]:
    """What a file imports of gxo when it runs."""
    found: list[Import] = []
    with quietly():
        tree = ast.parse(content, path)
    for node in import_statements(tree):
        if isinstance(node, ast.Import):
            found += ((alias.name, []) for alias in node.names if _is_ours(alias.name))
        elif not node.level and node.module and _is_ours(node.module):
            found.append((node.module, [alias.name for alias in node.names]))
    return found


def _sources(content: bytes, file: str) -> dict[str, str | None]:
    """Where the names that a file imports come from, those for the type checker too."""
    found: dict[str, str | None] = {}
    for node in ast.walk(ast.parse(content, file)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found.setdefault(alias.name, node.module)
    return found


def _is_ours(name: str) -> bool:
    return name == "gxo" or name.startswith("gxo.")
