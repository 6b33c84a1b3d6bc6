"""How large a value is: whether working on it could hold up the event loop."""

from collections.abc import Collection
from typing import Any

from gxo.runtime.host.eventloop import LARGE

_PART = 10


def weight(value: Any) -> int:
    """About how many bytes the value would have as text; not counted further once it is LARGE."""
    total = 0
    waiting: list[Collection[Any]] = [(value,)]
    while waiting and total <= LARGE:
        parts = waiting.pop()
        total += _PART * len(parts)
        if total > LARGE:
            break
        for part in parts:
            if isinstance(part, (str, bytes)):
                total += len(part)
            elif isinstance(part, dict):
                waiting.append(part.values())
            elif isinstance(part, (list, tuple)):
                waiting.append(part)
    return total
