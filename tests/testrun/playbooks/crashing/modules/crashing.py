"""Modules that end the whole process."""

import os
import signal
from typing import TypedDict

from gxo.runtime import Context
from gxo.runtime.spec import module


class Nothing(TypedDict):
    """No field."""


@module("crashing:leave", idempotent=True)
async def leave(ctx: Context) -> Nothing:
    """End the process without a word."""
    os._exit(3)


@module("crashing:fault", idempotent=True)
async def fault(ctx: Context) -> Nothing:
    """Have the process killed by a segmentation fault."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}
