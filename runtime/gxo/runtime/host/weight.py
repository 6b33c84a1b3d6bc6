"""How large a value is: whether working on it could hold up the event loop."""

from typing import Any

from gxo.runtime.host.eventloop import LARGE

_PART = 10


def weight(value: Any) -> int:
    """About how many bytes the value would have as text; not counted further once it is LARGE."""
    total = 0
    waiting = [value]
    while waiting and total <= LARGE:
        part = waiting.pop()
        total += _PART
        if isinstance(part, (str, bytes)):
            total += len(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, (list, tuple)):
            waiting.extend(part)
    return total
