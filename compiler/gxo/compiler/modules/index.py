"""Finds a module's declaration by its name, from the layout of files alone.

    "filesystem:read"   filesystem.py (the whole namespace) or filesystem/read.py
    "exec"              exec.py

A verb that Python keeps for itself has an underscore in its file's name too (`assert_.py`). Only
the files that a playbook names are read: one takes a few milliseconds.

Besides gxo's own library there are a user's own modules, in `modules/` beside the playbook and in
each folder of `--module-path`. All are in one package, `modules`; no namespace is in two places.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain

from gxo.compiler.diagnostics import Diagnostics, Note, Span, did_you_mean
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.declare import BROKEN, parse_file, read_modules
from gxo.compiler.modules.decorator import MODULE_NAME
from gxo.compiler.modules.files import UnusableError, read_text
from gxo.compiler.modules.spec import OWN, USERS, ModuleSpec

HIDDEN = frozenset(("test:include",))
"""What no playbook names: keys of the language become workloads of these modules."""
UNKNOWN, DUPLICATE, TWO_PLACES, UNUSABLE = "GXO0501", "GXO0591", "GXO0520", "GXO0521"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of module files, and the package that its files are imported from."""

    folder: str
    package: str

    @property
    def is_own(self) -> bool:
        """Whether it is gxo's own library."""
        return self.package == OWN

    def place(self, name: str) -> str | None:
        """The path of an import name, without `.py`; None when it does not lie below this."""
        if not f"{name}.".startswith(f"{self.package}."):
            return None
        return os.path.join(self.folder, *name.removeprefix(self.package).split(".")[1:])


def standard_roots() -> tuple[Root, ...]:
    """Where gxo's own library lies; it is found, not imported."""
    package = find_spec(OWN)
    folders = package.submodule_search_locations if package else None
    return tuple(Root(folder, OWN) for folder in folders or ())


def user_roots(beside: str, folders: Sequence[str] = ()) -> tuple[Root, ...]:
    """`modules/` in a playbook's folder, whether it is there or not, and each other folder once."""
    once: dict[str, str] = {}
    for folder in (os.path.join(beside, USERS), *folders):
        once.setdefault(os.path.realpath(folder), folder)
    return tuple(Root(folder, USERS) for folder in once.values())


@dataclass(slots=True)
class Library:
    """The modules below some roots. Faults of the files that are read go to `diags`.

    texts: what was read of a user's own files, by their path. split: namespaces in two places.
    """

    roots: Sequence[Root]
    diags: Diagnostics
    texts: dict[str, str] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)
    _sources: dict[str, SourceFile | None] = field(default_factory=dict)
    _specs: dict[str, tuple[ModuleSpec, ...]] = field(default_factory=dict)
    _found: dict[str, ModuleSpec | None] = field(default_factory=dict)
    _names: tuple[str, ...] | None = None

    def find(self, name: str) -> ModuleSpec | None:
        """The module `namespace:verb` or `name`; of two with one name the first, with an error."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> ModuleSpec | None:
        found = [
            spec
            for path, package in self._candidates(name)
            for spec in self._read(path, package)
            if spec.name == name
        ]
        in_one_place = self._check_namespace(name.partition(":")[0])
        if len(found) > 1 and in_one_place:
            self._refuse(found)
        return found[0] if found else None

    def report_unknown(self, name: str, span: Span) -> None:
        """Say that there is no module of the name, unless a file's error says enough."""
        if not self.is_broken(name):
            hint = did_you_mean(name, self.names())
            if (file := self._undeclared(name)) is not None:
                decorator = f'@module("{name}")'
                hint = (
                    f"{os.path.basename(file)} declares none: write `{decorator}` before a function"
                )
            hint = hint or "`gxo modules` lists those that there are"
            self.diags.error(UNKNOWN, span, f'there is no module "{name}"', hint)

    def is_broken(self, name: str) -> bool:
        """Whether a file that may declare the module has an error, which says enough."""
        files = {path for path, _ in self._candidates(name)}
        return any(item.level == "error" and item.span.file in files for item in self.diags.items)

    def _undeclared(self, name: str) -> str | None:
        """A user's file that has the module's name and declares none at all; to be asked last."""
        for path, package in self._candidates(name):
            if package.startswith(f"{USERS}.") and not self._specs.get(path):
                return path
        return None

    def all(self) -> tuple[ModuleSpec, ...]:
        """Every module that a playbook can name, sorted by name; reads every file."""
        found = {
            spec.name
            for root in self.roots
            for path, package in _module_files(root)
            for spec in self._read(path, package)
        }
        return tuple(spec for name in sorted(found - HIDDEN) if (spec := self.find(name)))

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

    def _check_namespace(self, namespace: str) -> bool:
        """Whether no two roots have modules of the namespace; an error otherwise, once."""
        places = [root for root in self.roots if _has_namespace(root, namespace)]
        if len(places) < 2 or namespace in self.split:
            return len(places) < 2
        declared = [spec for root in places for spec in self._declared(root, namespace)[:1]]
        if len(declared) < 2:
            return True
        self.split.add(namespace)
        first, second = declared[:2]
        if first.is_own:
            message = f"the namespace `{namespace}` is gxo's own"
            hint = "give your modules another one: a file's or folder's name is the namespace"
            self.diags.error(TWO_PLACES, second.span, message, hint)
        else:
            message = f"modules of the namespace `{namespace}` are in two folders"
            notes = [Note(first.span, "the other one has this")]
            self.diags.error(TWO_PLACES, second.span, message, "put them into one", notes)
        return False

    def _declared(self, root: Root, namespace: str) -> list[ModuleSpec]:
        files = (
            (path, package)
            for path, package in _module_files(root)
            if package.split(".")[root.package.count(".") + 1] == namespace
        )
        return list(chain.from_iterable(self._read(path, package) for path, package in files))

    def _read(self, path: str, package: str) -> tuple[ModuleSpec, ...]:
        if path not in self._specs:
            source = self._parse(path, package)
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

    def _parse(self, path: str, package: str) -> SourceFile | None:
        if path not in self._sources:
            self._sources[path] = None  # files that import each other's types meet this
            text = self._text(path)
            if text is not None:
                self._sources[path] = parse_file(text, path, self._load, self.diags, package)
        return self._sources[path]

    def _text(self, path: str) -> str | None:
        root = next(root for root in self.roots if path.startswith(os.path.join(root.folder, "")))
        if root.is_own:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        try:
            self.texts[path] = read_text(path, root.folder)
        except UnusableError as error:
            message = f"this file cannot be used as a module: {error}"
            self.diags.error(UNUSABLE, Span(path, 1, 1, 1, 2), message)
        return self.texts.get(path)

    def _load(self, package: str) -> SourceFile | None:
        """The file behind an import name, when it lies below a root."""
        return next((self._parse(path, name) for path, name in self.files_of(package)), None)

    def declared_in(self, source: SourceFile) -> tuple[ModuleSpec, ...]:
        """The modules that a file declares which was read."""
        return self._read(source.file, source.package)

    def source(self, path: str, package: str) -> SourceFile | None:
        """The syntax tree of a file that `files_of` has found; None after an error."""
        return self._parse(path, package)

    def files_of(self, name: str) -> Iterator[tuple[str, str]]:
        """The files behind an import name, and what that is in full: of a package `__init__`."""
        for root in self.roots:
            place = root.place(name)
            if place is not None:
                # A file beside a root, of its name, is not below it.
                if name != root.package and os.path.isfile(f"{place}.py"):
                    yield f"{place}.py", name
                elif os.path.isfile(os.path.join(place, "__init__.py")):
                    yield os.path.join(place, "__init__.py"), f"{name}.__init__"

    def is_package(self, name: str) -> bool:
        """Whether an import name is that of a root, or of a folder below one."""
        places = (root.place(name) for root in self.roots)
        return any(place is not None and os.path.isdir(place) for place in places)

    def made_from(self) -> list[str]:
        """A user's own files that were read, and the folders in which a new one could matter."""
        folders = {root.folder for root in self.roots if not root.is_own}
        return sorted(folders | {os.path.dirname(path) for path in self.texts} | self.texts.keys())

    def _refuse(self, found: list[ModuleSpec]) -> None:
        first, second = found[:2]
        message = f"the module `{second.name}` is declared twice"
        notes = [Note(first.span, "first declared here")]
        self.diags.error(DUPLICATE, second.span, message, "rename one of them", notes)


def _module_files(root: Root) -> Iterator[tuple[str, str]]:
    """Path and import name of each module file below a root, sorted; none when it is not there."""
    for name in sorted(os.listdir(root.folder)) if os.path.isdir(root.folder) else ():
        path = os.path.join(root.folder, name)
        if _is_module(name):
            yield path, f"{root.package}.{name[:-3]}"
        elif os.path.isdir(path) and not name.startswith(("_", ".")):
            for inner in sorted(os.listdir(path)):
                if _is_module(inner):
                    yield os.path.join(path, inner), f"{root.package}.{name}.{inner[:-3]}"


def _has_namespace(root: Root, namespace: str) -> bool:
    place = os.path.join(root.folder, namespace)
    return os.path.isfile(f"{place}.py") or os.path.isdir(place)


def _is_module(name: str) -> bool:
    return name.endswith(".py") and not name.startswith("_")
