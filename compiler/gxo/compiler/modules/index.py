"""Finds a module's declaration by its name, from the layout of files alone.

    "filesystem:read"   filesystem.py (the whole namespace) or filesystem/read.py
    "exec"              exec.py

A verb that Python keeps for itself has an underscore in its file's name too (`assert_.py`). Only
the files that a playbook names are read: one takes a few milliseconds.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.declare import BROKEN, parse_file, read_modules
from gxo.compiler.modules.decorator import MODULE_NAME
from gxo.compiler.modules.spec import ModuleSpec

DUPLICATE = "GXO0591"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of module files, and the package that its files are imported from."""

    folder: str
    package: str


def standard_roots() -> tuple[Root, ...]:
    """Where gxo's own library lies; it is found, not imported."""
    package = find_spec("gxo.stdlib")
    folders = package.submodule_search_locations if package else None
    return tuple(Root(folder, "gxo.stdlib") for folder in folders or ())


@dataclass(slots=True)
class Library:
    """The modules below some roots. Faults of the files that are read go to `diags`."""

    roots: Sequence[Root]
    diags: Diagnostics
    _sources: dict[str, SourceFile | None] = field(default_factory=dict)
    _specs: dict[str, tuple[ModuleSpec, ...]] = field(default_factory=dict)
    _found: dict[str, ModuleSpec | None] = field(default_factory=dict)
    _names: tuple[str, ...] | None = None

    def find(self, name: str) -> ModuleSpec | None:
        """The module `namespace:verb` or `name`; of two with one name the first, with an error."""
        if name not in self._found:
            found = [
                spec
                for path, package in self._candidates(name)
                for spec in self._read(path, package)
                if spec.name == name
            ]
            if len(found) > 1:
                self._refuse(found)
            self._found[name] = found[0] if found else None
        return self._found[name]

    def all(self) -> tuple[ModuleSpec, ...]:
        """Every module, sorted by name; reads every file."""
        found = {
            spec.name
            for root in self.roots
            for path, package in _module_files(root)
            for spec in self._read(path, package)
        }
        return tuple(spec for name in sorted(found) if (spec := self.find(name)))

    def names(self) -> tuple[str, ...]:
        """Every module's name, sorted; reads every file, so it is for messages and listings."""
        if self._names is None:
            self._names = tuple(spec.name for spec in self.all())
        return self._names

    def namespace_names(self) -> tuple[str, ...]:
        """`control`, `exec`, `filesystem`...: from the file names alone."""
        return tuple(
            sorted(
                {
                    package.removeprefix(root.package + ".").partition(".")[0]
                    for root in self.roots
                    for _, package in _module_files(root)
                }
            )
        )

    def _candidates(self, name: str) -> Iterator[tuple[str, str]]:
        if not MODULE_NAME.fullmatch(name):
            return
        namespace, _, verb = name.partition(":")
        for root in self.roots:
            places = [namespace]
            if verb:
                places += [f"{namespace}/{verb}", f"{namespace}/{verb}_"]
            for place in places:
                path = os.path.join(root.folder, f"{place}.py")
                if os.path.isfile(path):
                    yield path, f"{root.package}.{place.replace('/', '.')}"

    def _read(self, path: str, package: str) -> tuple[ModuleSpec, ...]:
        if path not in self._specs:
            source = self._parse(path)
            specs = read_modules(source, package, self.diags) if source else ()
            self._specs[path] = tuple(spec for spec in specs if self._in_place(spec, path))
        return self._specs[path]

    def _in_place(self, spec: ModuleSpec, path: str) -> bool:
        if any(path == candidate for candidate, _ in self._candidates(spec.name)):
            return True
        message = f"the module `{spec.name}` would not be found in this file"
        hint = "the file's name is the namespace, or folder and file are namespace and verb"
        self.diags.error(BROKEN, spec.span, message, hint)
        return False

    def _parse(self, path: str) -> SourceFile | None:
        if path not in self._sources:
            self._sources[path] = None  # files that import each other's types meet this
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            self._sources[path] = parse_file(text, path, self._load, self.diags)
        return self._sources[path]

    def _load(self, package: str) -> SourceFile | None:
        """The file behind an import name, when it lies below a root."""
        for root in self.roots:
            if package.startswith(root.package + "."):
                place = package.removeprefix(root.package + ".").replace(".", "/")
                path = os.path.join(root.folder, f"{place}.py")
                if os.path.isfile(path):
                    return self._parse(path)
        return None

    def _refuse(self, found: list[ModuleSpec]) -> None:
        first, second = found[:2]
        message = f"the module `{second.name}` is declared twice"
        notes = [Note(first.span, "first declared here")]
        self.diags.error(DUPLICATE, second.span, message, "rename one of them", notes)


def _module_files(root: Root) -> Iterator[tuple[str, str]]:
    """Path and import name of each module file below a root, sorted."""
    for name in sorted(os.listdir(root.folder)):
        path = os.path.join(root.folder, name)
        if _is_module(name):
            yield path, f"{root.package}.{name[:-3]}"
        elif os.path.isdir(path) and not name.startswith(("_", ".")):
            for inner in sorted(os.listdir(path)):
                if _is_module(inner):
                    yield os.path.join(path, inner), f"{root.package}.{name}.{inner[:-3]}"


def _is_module(name: str) -> bool:
    return name.endswith(".py") and not name.startswith("_")
