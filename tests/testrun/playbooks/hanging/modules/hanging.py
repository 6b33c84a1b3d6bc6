"""Modules that never end."""

import asyncio
import threading
from typing import TypedDict

from gxo.runtime import Context
from gxo.runtime.spec import module


class Nothing(TypedDict):
    """No field."""


@module("hanging:wait", idempotent=True)
async def wait(ctx: Context) -> Nothing:
    """Wait for ever, in a way that other workloads go on meanwhile."""
    await asyncio.Event().wait()
    return {}


@module("hanging:block", idempotent=True)
async def block(ctx: Context) -> Nothing:
    """Wait for ever, and let nobody else go on."""
    threading.Event().wait()
    return {}
