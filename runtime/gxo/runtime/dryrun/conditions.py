"""The playbook's text of a condition, or of a loop's items, that is not known in a dry run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import Unknown
from gxo.runtime.reporting.trace import expression_around

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run


def source_of(run: "Run", unknown: Unknown, function: Callable[..., Any] | Any) -> str:
    """The text that was compiled to `function`, in which the value was met.

    Where that is not at hand, what could not be known.
    """
    code = getattr(function, "__code__", None)
    text = expression_around(run, unknown, code) if code is not None else None
    if text is None:
        return f"... (not known: {unknown.what})"
    if text[:1] == text[-1:] and text[:1] in ("'", '"'):
        text = text[1:-1]
    return text


def comes_from(unknown: Unknown, function: Callable[..., Any]) -> bool:
    """Whether the value was met while `function` was evaluated."""
    step = unknown.__traceback__
    while step is not None:
        if step.tb_frame.f_code is function.__code__:
            return True
        step = step.tb_next
    return False
