"""100 times `/bin/true`, one after the other, its output read: what a person would write by hand."""

import asyncio


async def main() -> None:
    for _ in range(100):
        process = await asyncio.create_subprocess_exec(
            "/bin/true",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await process.communicate()
        assert process.returncode == 0


asyncio.run(main())
