"""What a user sees when gxo itself fails: where it was, and what to send."""

import os
import sys
import traceback

from gxo.compiler.version import VERSION


def report(error: Exception, arguments: list[str]) -> None:
    """Say on standard error that gxo has a defect, which input it met, and where in gxo."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{os.path.basename(last.filename)}:{last.lineno} in {last.name}" if last else "?"
    span = getattr(error, "working_on", None)
    working_on = f"{span.file}:{span.line}" if span else " ".join(arguments)
    sys.stderr.write(
        f"gxo: internal error: {type(error).__name__}: {error}\n"
        f"  while working on: {working_on}\n"
        f"  in gxo {VERSION}, {where}\n"
        "  This is a defect of gxo, not of your playbook. Please report it with these lines.\n"
    )
