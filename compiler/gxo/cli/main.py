"""The `gxo` command: finds the verb, and loads only what that verb needs.

`gxo run` of an unchanged playbook must start as fast as its artifact, so nothing heavy is imported
here; each verb has a file of its own with `main(arguments) -> exit code`.
"""

import errno
import gc
import importlib
import os
import sys
from typing import Any

from gxo.cli.exits import DEFECT, USAGE
from gxo.compiler.version import VERSION

VERBS = {
    "validate": "check playbooks without running or writing anything",
    "compile": "compile a playbook to a self-contained job.pyz",
    "run": "compile a playbook, if it changed, and execute it",
    "test": "run test playbooks, and show what failed",
    "diff": "show what differs between two playbooks or artifacts",
    "eval": "print the value of a template and its type",
    "migrate": "print a playbook of the deprecated v0.1 form in the current form",
    "explain": "explain a diagnostic, with an example that fails and one that passes",
    "schema": "print the playbook language's JSON Schema",
    "inspect": "show what is in an artifact, what it was made from and what it touches",
    "caps": "list what a job touches, or fail when that is new or forbidden",
    "modules": "list the modules, or show one's documentation",
}


def entry() -> None:
    """The console script."""
    code = main(sys.argv[1:])
    gc.freeze()  # the process ends: Python need not look through all that is there once more
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Run one command line; returns the exit code (language, section 6)."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage(), end="", file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else USAGE
    verb, *rest = arguments
    if verb == "--version":
        print(f"gxo {VERSION}")
        return 0
    if verb not in VERBS:
        print(f"gxo: there is no command {verb!r}{_near(verb)}; see `gxo --help`", file=sys.stderr)
        return USAGE
    return _guarded(verb, rest)


def usage() -> str:
    lines = [f"  {verb:<10} {what}" for verb, what in VERBS.items()]
    return "\n".join(
        [
            "usage: gxo COMMAND ...",
            "",
            "A compiler for automation playbooks.",
            "",
            *lines,
            "",
            "  gxo COMMAND --help explains a command; gxo --version prints the version.",
            "",
        ]
    )


def _near(verb: str) -> str:
    from gxo.compiler.diagnostics import did_you_mean

    hint = did_you_mean(verb, VERBS)
    return f" ({hint.rstrip('?')}?)" if hint else ""


def _print_nowhere() -> None:
    """Let standard output lead nowhere, or the interpreter's own flush would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _guarded(verb: str, arguments: list[str]) -> int:
    """Run the verb; no failure of gxo or of a pipe shows a traceback."""
    if sys.stdout is None:
        sys.stderr.write("gxo: standard output is closed\n")
        return USAGE
    try:
        code: int = _loaded(verb).main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _print_nowhere()
        return 1
    except OSError as error:
        # What verbs write to files has its own errors: this is standard output on a full disk.
        if error.errno != errno.ENOSPC:
            return _crashed(error, arguments)
        _print_nowhere()
        sys.stderr.write(f"gxo: cannot write to standard output: {error.strerror}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _crashed(error, arguments)
    return code


def _loaded(verb: str) -> Any:
    """The verb's file. What imports make stays: Python need not look for what could be freed."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(f"gxo.cli.{verb}")
    finally:
        if enabled:
            gc.enable()


def _crashed(error: Exception, arguments: list[str]) -> int:
    from gxo.compiler.crash import report

    report(error, arguments)
    return DEFECT
