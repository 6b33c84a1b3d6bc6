"""An object as a whole: sent in parts that fail or succeed together, read on after a drop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.host.tasks import run_all
from gxo.stdlib.object_storage._checks import place
from gxo.stdlib.object_storage._store import (
    Body,
    Conflict,
    Denied,
    Dropped,
    Found,
    Reading,
    Store,
    Upload,
    Writing,
    Written,
)

DROPS = 5
"""How often a connection may be lost in an object before so much more of it has come: PROGRESS."""

PROGRESS = 1024 * 1024

GRACE = 15.0
"""Seconds that an upload which was cancelled has to make the provider forget its parts."""


async def send_parts(
    ctx: Context, store: Store, key: str, parts: Sequence[Body], writing: Writing
) -> Written:
    """Send an object in parts. When that fails or is cancelled, the provider keeps none of them.

    A condition is looked at before as well: to be refused is cheaper then, and there are servers
    that know conditions, but not for what comes in parts (Swift).
    """
    await _check_condition(store, key, writing)
    upload = await _begun(ctx, store, key, writing)
    waiting = iter(enumerate(parts, 1))

    async def send_on() -> None:
        for number, part in waiting:
            await upload.part(number, part)

    try:
        await run_all(*(send_on() for _ in range(min(store.in_flight, len(parts)))))
        return await upload.complete()
    except BaseException:
        await _abort(ctx, upload, key)
        raise


async def _check_condition(store: Store, key: str, writing: Writing) -> None:
    if not writing.create_only and not writing.if_match:
        return
    with suppress(Denied):
        there = await store.head(key)
        etag = "" if there is None else there.etag
        if etag != writing.if_match or (there is not None and writing.create_only):
            raise Conflict(f"{place(store.bucket, key)} is not what the condition says")


async def _begun(ctx: Context, store: Store, key: str, writing: Writing) -> Upload:
    """A new upload. One that begins while the workload is cancelled is not forgotten."""
    beginning = asyncio.ensure_future(store.begin(key, writing))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        ctx.end_within(GRACE)
        await asyncio.wait([beginning], timeout=GRACE / 2)
        if not beginning.done():
            beginning.cancel()
            await asyncio.wait([beginning])
        elif not beginning.cancelled() and beginning.exception() is None:
            await _abort(ctx, beginning.result(), key)
        raise


async def _abort(ctx: Context, upload: Upload, key: str) -> None:
    ctx.end_within(GRACE)
    try:
        async with asyncio.timeout(GRACE / 2):
            await upload.abort()
    except (ModuleError, TimeoutError) as error:
        why = error.message if isinstance(error, ModuleError) else "no answer in time"
        ctx.log("warning", f"the parts of {key!r} that were sent may still be kept: {why}")


@asynccontextmanager
async def reading(
    ctx: Context, store: Store, key: str, version: str
) -> AsyncIterator[tuple[Found, AsyncIterator[bytes]]]:
    """An object and its bytes, all of them: after a drop it is read on from there.

    ModuleError when nothing more comes, or the object was replaced meanwhile.
    """
    async with (
        store.read(key, version=version) as first,
        aclosing(_pieces(ctx, store, key, version, first)) as pieces,
    ):
        yield first.found, pieces


async def _pieces(
    ctx: Context, store: Store, key: str, version: str, first: Reading
) -> AsyncGenerator[bytes, None]:
    found, pieces = first.found, first.pieces
    at = drops = good = 0
    async with AsyncExitStack() as stack:
        while True:
            try:
                async for piece in pieces:
                    at += len(piece)
                    yield piece
                return
            except Dropped as error:
                good, drops = (at, 1) if at >= good + PROGRESS else (good, drops + 1)
                if drops > DROPS or not found.etag:
                    raise ModuleError(
                        f"cannot read {place(store.bucket, key)}: {error.message} at byte {at:,} "
                        f"of {found.size:,}"
                    ) from error
                ctx.log("info", f"{error.message}; it is read on from byte {at}")
            await stack.aclose()
            await ctx.clock.sleep(0.1 * 2**drops)
            pieces = await stack.enter_async_context(_going_on(store, key, version, at, found))


@asynccontextmanager
async def _going_on(
    store: Store, key: str, version: str, at: int, found: Found
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The rest of an object from a byte on. ModuleError when it is not the one that began."""
    try:
        async with store.read(key, version=version, start=at, if_match=found.etag) as more:
            if (more.found.etag, more.found.size) != (found.etag, found.size):
                raise Conflict("it is another one")
            yield more.pieces
    except Conflict:
        message = f"{place(store.bucket, key)} was replaced while it was read"
        raise ModuleError(message, hint="read it again") from None
