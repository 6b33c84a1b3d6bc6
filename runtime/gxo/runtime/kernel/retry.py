"""When a failed attempt is followed by another (language, section 6)."""

import os

from gxo.runtime.job import Retry


def delay_after(retry: Retry, attempt: int, chance: float) -> float:
    """Seconds to wait after the failed attempt number `attempt` (from 1).

    `min(max_delay, delay * backoff^(attempt-1))`, times a factor in `1 +/- jitter` that `chance`
    (0 to 1) picks.
    """
    try:
        delay = retry.delay * retry.backoff ** (attempt - 1)
    except OverflowError:
        delay = float("inf")
    if retry.max_delay is not None:
        delay = min(retry.max_delay, delay)
    return delay * (1.0 + retry.jitter * (2.0 * chance - 1.0))


def chance() -> float:
    """A random number from 0 to 1. Not from `random`, whose import costs a start too much."""
    return int.from_bytes(os.urandom(4)) / 0xFFFFFFFF


def shown(delay: float) -> str:
    """The seconds of a delay for people: `0.0462`, `1.5`, `3600`."""
    return f"{delay:.3g}" if delay < 100 else f"{delay:.0f}"
