"""The least that a job could be: a coroutine that does nothing."""

import asyncio


async def main() -> None:
    """Do nothing."""


asyncio.run(main())
