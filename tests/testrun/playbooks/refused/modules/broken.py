"""A module whose file cannot be loaded."""

from typing import TypedDict

from gxo.runtime import Context
from gxo.runtime.spec import module


class Nothing(TypedDict):
    """No field."""


@module("broken:work", idempotent=True)
async def work(ctx: Context) -> Nothing:
    """Do nothing."""
    return {}


raise ValueError("not today")
