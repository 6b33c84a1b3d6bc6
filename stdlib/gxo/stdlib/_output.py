"""What a command has said and how it ended, for its summary and for people."""

import signal

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError

_EXCERPT = 500
_KILLED = 128 + signal.SIGKILL  # a shell's exit code when the last command was killed


def within(ctx: Context, data: bytes, cut: bool, limit: int) -> tuple[bytes, bool]:
    """What of an output is kept, and whether there was more.

    data: the output, up to the limit and `ctx.secret_reach` more. cut: whether that was not all.
    """
    return (ctx.cut(data, limit), True) if len(data) > limit else (data, cut)


def output_text(data: bytes, cut: bool) -> str:
    """What a command wrote; bytes that are no UTF-8 become U+FFFD. cut: whether there was more."""
    text = data.decode(errors="replace")
    # A cut can fall inside a character: what is left of it is no broken byte of the command's.
    return text.rstrip("\ufffd") if cut else text


def exit_code(status: int) -> int:
    """As a shell gives it: 128 and the signal's number for a negative status."""
    return status if status >= 0 else 128 - status


def failure(what: str, status: int, stderr: str, *, hint: str) -> ModuleError:
    """The error for a command that failed. status: negative for a signal. stderr: redacted."""
    if status < 0:
        how = f"was ended by {_signal_name(-status)}"
    else:
        how = f"ended with exit code {status}"
    said = stderr.strip()[-_EXCERPT:].strip()
    if status in (-signal.SIGKILL, _KILLED):
        hint = (
            "the system kills so what needs more memory than there is: see its log (`dmesg`), "
            "and the limits of the container"
        )
    return ModuleError(f"{what} {how}{f': {said}' if said else ''}", hint=hint)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
