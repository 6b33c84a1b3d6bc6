"""Sprig's `fail`."""

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import function


@function("fail")
def fail(message: str) -> str:
    """Fail the template with the message."""
    raise ExpressionError(message)
