"""Calls of the modules on a service, one after the other, as a job would make them."""

import contextlib
import gc
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services.moto import Moto
from tests.stdlib.harness import Bench, Outcome, bench, module_spec
from tests.stdlib.object_storage.proxy import Proxy, proxy

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Calls:
    """shared: parameters that all calls have: where the service is, and who asks."""

    bench: Bench
    shared: Mapping[str, Any]

    async def __call__(self, verb: str, *, consumed: bool = True, **params: Any) -> Outcome:
        """What became of `object_storage:<verb>`."""
        spec = module_spec(f"object_storage:{verb}")
        outcome = await self.bench.call(spec, {**self.shared, **params}, consumed=consumed)
        if outcome.error is not None:
            # Its traceback keeps httpx's generators alive, whose end would be a task of its own.
            outcome.error = outcome.error.with_traceback(None)
            outcome.error.__cause__ = outcome.error.__context__ = None
            gc.collect(1)  # they are young
        return outcome

    async def done(self, verb: str, **params: Any) -> Any:
        """The summary; the call has to succeed."""
        outcome = await self(verb, **params)
        assert outcome.error is None, outcome.error
        return outcome.summary

    async def refused(self, verb: str, **params: Any) -> str:
        """The error's message and hint; the call has to fail."""
        outcome = await self(verb, **params)
        assert outcome.error is not None, outcome.summary
        return f"{outcome.error} ({getattr(outcome.error, 'hint', None)})"


@contextlib.asynccontextmanager
async def calls(folder: Path, **shared: Any) -> AsyncIterator[Calls]:
    """Calls from a workspace; afterwards nothing may be left open."""
    async with bench(folder) as workbench:
        try:
            yield Calls(workbench, shared)
        finally:
            await workbench.run.shared.close()


@contextlib.asynccontextmanager
async def through(moto: Moto, folder: Path) -> AsyncIterator[tuple[Calls, Proxy]]:
    """Calls whose connections go through a proxy, with a bucket of their own."""
    bucket = moto.make_bucket(f"drops-{next(_numbers)}")
    shared = {"bucket": bucket, "credentials": moto.keys["admin"]}
    async with calls(folder, **shared) as call:
        with contextlib.ExitStack() as stack:
            way = stack.enter_context(proxy(moto.port))
            try:
                yield Calls(call.bench, {**shared, "endpoint": way.endpoint}), way
            finally:
                await call.bench.run.shared.close()
                # In a thread: the proxy waits for its connections, which the loop has yet to close.
                await call.bench.context.thread(stack.close)
    assert not moto.uploads(bucket), "parts of an upload are left"
