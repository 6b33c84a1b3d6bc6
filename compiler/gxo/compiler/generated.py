"""The files that `gxo compile` makes of playbooks: where each goes, and whether it is up to date.

    -o job.pyz            the artifact
    -o made/sync.py       with `--emit python`: what that prints
    -o made/              what each playbook gives: made/sync.py, or of a program in parts
                          made/sync/gxo_job.py, made/sync/gxo_parts/...

With `--check` they are compared instead of written. A folder then holds what the playbooks give,
and nothing else that gxo has made.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.driver import Compilation
from gxo.compiler.package.errors import PackageError
from gxo.compiler.textdiff import first_difference, unified
from gxo.compiler.version import VERSION

ARTIFACT = "artifact"
ENDINGS = {
    ARTIFACT: ".pyz",
    "ast": ".ast.txt",
    "plan": ".plan.txt",
    "python": ".py",
    "manifest": ".manifest.json",
}
"""What can be written, and how the names of such files end in a folder."""

_MADE_BY = re.compile(rb'compiled by gxo (\S+) from |^  "gxo": "([^"]+)"', re.MULTILINE)
_HEAD = 4096  # bytes of a Python file that have its header in them


@dataclass(frozen=True, slots=True)
class Output:
    """What is made of each playbook, and the file, or folder with a `/` at its end, for it."""

    stage: str
    target: str

    @property
    def is_folder(self) -> bool:
        return self.target.endswith("/")

    def contents(self, compilation: Compilation) -> dict[Path, bytes]:
        """The files that a playbook gives. Raises PackageError."""
        path = self.path(compilation.file)
        if self.stage == ARTIFACT:
            return {path: _artifact(compilation)}
        if self.stage == "python" and self.is_folder:
            sources = compilation.generate().sources
            if len(sources) > 1:
                folder = path.with_suffix("")
                return {folder / name: text.encode() for name, text in sources.items()}
        return {path: compilation.stage_text(self.stage).encode()}

    def path(self, playbook: str) -> Path:
        """The file for a playbook, where it gives but one."""
        return Path(self.target, stem(playbook) + ENDINGS[self.stage] if self.is_folder else "")


def stem(playbook: str) -> str:
    """What a playbook's files are called: its own file's name up to the first dot."""
    return Path(playbook).name.partition(".")[0]


def refuse_collisions(output: Output, playbooks: Iterable[str]) -> None:
    """Raises PackageError where a file would stand for two playbooks, or for one and be another."""
    playbooks = list(playbooks)
    owners: dict[Path, str] = {}
    for playbook in playbooks:
        path = output.path(playbook)
        if path in owners:
            message = f"{owners[path]} and {playbook} would both be {path}"
            raise PackageError("GXO0901", message, "compile them to two folders")
        owners[path] = playbook
        for source in playbooks:
            if path.exists() and path.samefile(source):
                raise PackageError("GXO0901", f"cannot write {path}: it is the playbook itself")


def write(output: Output, compilation: Compilation) -> None:
    """Write the files that a playbook gives. Raises PackageError."""
    from gxo.compiler.package.archive import check_target, replace_file  # start-up: it loads shiv

    if output.is_folder:
        _make_folder(Path(output.target))
    if output.stage == ARTIFACT:
        compilation.write_artifact(output.path(compilation.file))
        return
    for path, content in output.contents(compilation).items():
        if output.is_folder:
            _make_folder(path.parent)
        check_target(path)
        replace_file(path, content, 0o644)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares files with what playbooks give; reports, and keeps how their texts differ.

    renew: the command that writes the right ones.
    """

    output: Output
    renew: str
    diagnostics: Diagnostics
    differences: list[str] = field(default_factory=list)

    def compare(self, compilations: Iterable[Compilation]) -> None:
        """Report each file that is not what its playbook gives. Raises PackageError."""
        given: set[Path] = set()
        for compilation in compilations:
            for path, content in self.output.contents(compilation).items():
                given.add(path)
                self._compare(path, content, compilation.file)
        if self.output.is_folder:
            for path in sorted(set(_made_files(self.output)) - given):
                what = "gxo has made this file, and none of the playbooks gives it"
                self._report(path, what, "remove it, or name its playbook as well")

    def _compare(self, path: Path, content: bytes, playbook: str) -> None:
        found = _read(path)
        if found is None:
            self._report(path, f"there is no such file, and {playbook} gives it", root="missing")
        elif found == content:
            return
        elif (version := _version(found)) and version != VERSION:
            what = f"gxo {version} has made this file, and this is gxo {VERSION}"
            self._report(path, what, f"{self.renew}, or check with gxo {version}", root=version)
        elif self.output.stage == ARTIFACT:
            self._report(path, f"it is not the artifact that {playbook} gives")
        elif found.replace(b"\r\n", b"\n") == content:
            what = f"its lines end with CR LF, and {playbook} gives line feeds"
            keep = f"keep them in git with `{path.name} text eol=lf` in .gitattributes"
            self._report(path, what, f"{self.renew}; {keep}")
        else:
            old, new = (one.decode("utf-8", "backslashreplace") for one in (found, content))
            what = f"{playbook} gives something else"
            self._report(path, what, line=first_difference(old, new))
            self.differences.extend(unified(old, new, str(path), str(path)))

    def _report(self, path: Path, what: str, hint: str = "", line: int = 1, root: str = "") -> None:
        span = Span(str(path), line, 1, line, 1)
        self.diagnostics.error("GXO0909", span, what, hint or self.renew, root=root)


def _artifact(compilation: Compilation) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gxo-check-") as folder:
        path = Path(folder, "job.pyz")
        compilation.write_artifact(path)
        return path.read_bytes()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PackageError("GXO0901", f"cannot make the folder {folder}: {why}") from None


def _read(path: Path) -> bytes | None:
    """What is in the file; None where there is none. Raises PackageError."""
    try:
        if path.exists() and not path.is_file():
            raise PackageError("GXO0901", f"cannot read {path}: it is no regular file")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PackageError("GXO0901", f"cannot read {path}: {why}") from None


def _version(content: bytes) -> str:
    """The version of gxo that made a file, where it says so."""
    found = _MADE_BY.search(content)
    return (found[1] or found[2]).decode("utf-8", "replace") if found else ""


def _made_files(output: Output) -> Iterator[Path]:
    """The files in the folder that gxo has made, as far as their names and first lines say."""
    for folder, _, names in os.walk(output.target):
        for path in (Path(folder, name) for name in names if name.endswith(ENDINGS[output.stage])):
            if output.stage != "python" or b"compiled by gxo" in (_read(path) or b"")[:_HEAD]:
                yield path
