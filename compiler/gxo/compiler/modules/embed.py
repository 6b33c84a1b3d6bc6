"""Finds the files of a user's own modules that an artifact needs: those used, and what they import.

    before:  mail:send in modules/mail.py      from ._smtp import Session
                                               import jinja2
    after:   modules/__init__.py, modules/_smtp.py, modules/mail.py
             jinja2, for line 3 of modules/mail.py

Nothing is imported. What an artifact would not have is an error here, at the import's place: a
helper that is not there, a part of gxo that compiles, a package that nobody declares to need.
"""

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec

from gxo.compiler.diagnostics import Diagnostics, Note, Span, did_you_mean
from gxo.compiler.imports import import_statements, origin
from gxo.compiler.modules.annotations import SourceFile
from gxo.compiler.modules.fault import span_of
from gxo.compiler.modules.index import TWO_PLACES, Library
from gxo.compiler.modules.spec import ModuleSpec

NOT_THERE = "GXO0523"
LINKED = ("gxo.runtime", "gxo.stdlib")
_GUARDS = ("ImportError", "ModuleNotFoundError", "Exception")


@dataclass(slots=True)
class Embedded:
    """Files by their path in the artifact, and the packages of others that these surely import.

    Surely: when a file is loaded, or a module of it that is used is called.
    """

    files: dict[str, str] = field(default_factory=dict)
    others: dict[str, Span] = field(default_factory=dict)


def embed(specs: Iterable[ModuleSpec], library: Library, diags: Diagnostics) -> Embedded:
    """What travels with modules of a user's own; faults of their imports go to `diags`."""
    users = [spec for spec in specs if spec.is_users]
    found = Embedded()
    declared: list[ModuleSpec] = []
    anything: dict[str, Span] = {}
    waiting = sorted({name for spec in users for name in (spec.source, spec.summary_source)})
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [name.rpartition(".")[0]] if "." in name else []
        source = _add(name, found.files, library, diags)
        if source is not None:
            functions = {spec.function for spec in users if spec.source == source.package}
            reader = _Reader(source, library, functions, diags)
            waiting += reader.imported()
            found.others |= reader.certain
            anything |= reader.others
            declared += library.declared_in(source)
    _check_places(seen, library, diags)
    if not any(spec.needs for spec in declared):
        _refuse(anything, diags)
    return Embedded(dict(sorted(found.files.items())), found.others)


def _check_places(names: set[str], library: Library, diags: Diagnostics) -> None:
    """Nothing is both a file and a folder with files: Python would see one of them."""
    for package in sorted({name.rpartition(".")[0] for name in names}):
        for path, full in library.files_of(package):
            if full == package:
                message = f"`{package}` is this file, and a folder"
                hint = "put what is in the file into the folder, or the other way round"
                diags.error(TWO_PLACES, Span(path, 1, 1, 1, 2), message, hint)


def _refuse(others: dict[str, Span], diags: Diagnostics) -> None:
    for name, span in others.items():
        message = f"`{name}` is neither Python's own nor a file beside this one"
        hint = 'a module that needs it says so: `@module(..., needs=["name==version"])`'
        diags.error(NOT_THERE, span, message, hint)


def _add(
    name: str, files: dict[str, str], library: Library, diags: Diagnostics
) -> SourceFile | None:
    """Add the file of an import name; a package without one gets an empty one."""
    found = list(library.files_of(name))
    if not found:
        files[f"{name.replace('.', '/')}/__init__.py"] = ""
        return None
    path, package = found[0]
    source = library.source(path, package)
    for other, _ in found[1:]:
        library.source(other, package)
        if library.texts.get(other) != library.texts.get(path) and not library.split & {
            *name.split(".")
        }:
            message = f"`{package}` is in two folders, and they differ"
            notes = [Note(Span(path, 1, 1, 1, 2), "the other one")]
            diags.error(TWO_PLACES, Span(other, 1, 1, 1, 2), message, "rename one of them", notes)
    if path in library.texts:
        files[f"{package.replace('.', '/')}.py"] = library.texts[path]
    return source


@dataclass(slots=True)
class _Reader:
    """The imports of one file. functions: those of its modules that are used.

    others: packages that it imports of others; certain: those of them that this imports surely.
    """

    source: SourceFile
    library: Library
    functions: set[str]
    diags: Diagnostics
    others: dict[str, Span] = field(default_factory=dict)
    certain: dict[str, Span] = field(default_factory=dict)
    _later: set[ast.AST] = field(default_factory=set)
    _optional: set[ast.stmt] = field(default_factory=set)

    def imported(self) -> Iterator[str]:
        """Yield the import names of files beside this one; what is not there is an error.

        Unless the file does without: then it gets what there is.
        """
        self._later = set(_of_functions(self.source.tree, self.functions))
        self._optional = _optional(self.source.tree)
        for statement in import_statements(self.source.tree):
            for module, names in self._asked(statement):
                yield from self._look_up(statement, module, names)

    def _asked(self, statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, list[str]]]:
        if isinstance(statement, ast.Import):
            yield from ((alias.name, []) for alias in statement.names)
        elif statement.level > self.source.package.count("."):
            self._error(statement, "this import leaves the folder of modules")
        else:
            names = [alias.name for alias in statement.names]
            yield origin(statement, self.source.package), names

    def _look_up(self, statement: ast.stmt, module: str, names: list[str]) -> Iterator[str]:
        top = module.partition(".")[0]
        if top == self.source.package.partition(".")[0]:
            yield from self._beside(statement, module, names)
        elif top == "gxo":
            for name in [f"gxo.{each}" for each in names] if module == "gxo" else [module]:
                self._check_gxo(statement, name)
        elif top not in sys.stdlib_module_names and statement not in self._optional:
            self.others.setdefault(top, self._span(statement))
            if statement not in self._later:
                self.certain.setdefault(top, self._span(statement))

    def _beside(self, statement: ast.stmt, module: str, names: list[str]) -> Iterator[str]:
        is_file = any(not name.endswith(".__init__") for _, name in self.library.files_of(module))
        if not is_file and not self.library.is_package(module):
            self._error(statement, f"there is no file `{module.replace('.', '/')}.py`")
            return
        yield module
        for name in names if not is_file else ():
            inner = f"{module}.{name}"
            if self.library.is_package(inner) or any(self.library.files_of(inner)):
                yield inner
            elif not any(self.library.files_of(module)):
                path = module.replace(".", "/")
                self._error(statement, f"there is no file `{path}/{name}.py`")

    def _check_gxo(self, statement: ast.stmt, name: str) -> None:
        if not f"{name}.".startswith(tuple(f"{each}." for each in LINKED)):
            message = f"`{name}` is no part of an artifact"
            self._error(statement, message, f"an artifact has {' and '.join(LINKED)}")
        elif not _is_part_of_gxo(name):
            self._error(statement, f"gxo has no `{name}`", did_you_mean(name, _PUBLIC))

    def _span(self, statement: ast.stmt) -> Span:
        return span_of(statement, self.source.file, self.source.lines)

    def _error(self, statement: ast.stmt, message: str, hint: str | None = None) -> None:
        if statement not in self._optional:
            self.diags.error(NOT_THERE, self._span(statement), message, hint)


_PUBLIC = (
    "gxo.runtime",
    "gxo.runtime.context",
    "gxo.runtime.errors",
    "gxo.runtime.spec",
    "gxo.runtime.streams.ports",
)
"""Where what the guide speaks of is imported from."""


def _is_part_of_gxo(name: str) -> bool:
    package = find_spec("gxo")
    folders = package.submodule_search_locations if package else None
    places = [os.path.join(folder, *name.split(".")[1:]) for folder in folders or ()]
    return any(os.path.isfile(f"{place}.py") or os.path.isdir(place) for place in places)


def _of_functions(tree: ast.Module, but: set[str]) -> Iterator[ast.AST]:
    """What is in functions, which may never be called, but for these functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in but:
            yield from ast.walk(node)


def _optional(tree: ast.Module) -> set[ast.stmt]:
    """The imports that a file does without: in a `try` that takes an ImportError."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any(map(_takes_import_error, node.handlers))
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.stmt)
    }


def _takes_import_error(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in _GUARDS for kind in kinds)
