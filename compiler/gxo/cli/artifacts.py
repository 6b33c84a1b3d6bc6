"""How verbs read a job that they only look at: an artifact, or the playbook of one."""

import sys
from dataclasses import replace
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.output import show
from gxo.compiler.driver import Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.package.collect import collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.trust.artifact import PLAYBOOKS, Artifact, from_files, read_artifact
from gxo.compiler.trust.caps import visible
from gxo.compiler.trust.errors import ArtifactError


def load(
    path: Path, module_path: tuple[str, ...] = (), linked: bool = False
) -> tuple[Artifact | None, int]:
    """The artifact, with what is to be doubted of it.

    Or None and the exit code, after saying on standard error what is wrong. A playbook is compiled
    in memory; what it touches can be told without gxo's own files and third-party distributions,
    which are only looked up, and fetched, with `linked`.
    """
    if path.suffix in PLAYBOOKS:
        return _compiled(path, module_path, linked)
    try:
        artifact = read_artifact(path)
        # start-up: what is no artifact is refused at once
        from gxo.compiler.compare.doubts import doubts_of

        return replace(artifact, doubts=tuple(doubts_of(artifact))), OK
    except ArtifactError as error:
        say(f"cannot read {path}: {error.message}", error.hint)
        return None, USAGE


def say(message: str, hint: str | None) -> None:
    """Print an error that is about no line of a playbook."""
    print(f"gxo: {message}" + (f"\n  = hint: {hint}" if hint else ""), file=sys.stderr)


def is_right(artifact: Artifact) -> bool:
    """Whether nothing is wrong with it, after saying on standard error what is to be doubted."""
    for what in artifact.mismatches:
        say(f"{artifact.file}: {what}", None)
    for doubt in artifact.doubts:
        level = "" if doubt.is_wrong else "warning: "
        say(visible(f"{level}{artifact.file}: {doubt.text}"), None)
    return not artifact.mismatches and not any(one.is_wrong for one in artifact.doubts)


def _compiled(
    path: Path, module_path: tuple[str, ...], linked: bool
) -> tuple[Artifact | None, int]:
    try:
        compilation = check(path, Options(module_path=module_path, locked=True))
        show([compilation], "text")
        if compilation.diagnostics.has_errors:
            return None, INVALID
        package = compilation.package(compilation.generate(), linked)
        included = compilation.included.file if compilation.included else ""
        return from_files(str(path), collect(package, whole=linked).files, str(path), included), OK
    except FileError as error:
        say(str(error), None)
    except PackageError as error:
        say(error.message, error.hint)
    return None, USAGE
