"""Inputs of one consumer on which workloads could wait in a circle: what is read later spills.

            ┌─ left ──┐
    source ─┤         ├─ join, which reads `left` to its end before it begins with `right`
            └─ right ─┘

While the join waits for `left`, the pipe of `right` fills up; so `source` waits, so nothing comes
through `left` any more. Two joins that read the same two streams in opposite order are another
such circle. The compiler marks the inputs (`Workload.spills`). A consumer that waits for one of
them moves what waits in the others, once they are full, to a nameless file, and gets it from there
when it comes to them. The work is done by the task that would only wait otherwise.
"""

import asyncio
import pickle
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING

from gxo.runtime.errors import StreamError
from gxo.runtime.host.threads import Threads
from gxo.runtime.kernel.state import deep_copy
from gxo.runtime.spec import Record
from gxo.runtime.streams.pipes import Pipe
from gxo.runtime.streams.ports import Inputs, Records, WouldBlock, wait_any

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

MOST = 2**30
"""Bytes of one input that may wait in a file, if the consumer does not say."""


class SpillingRecords(Records):
    """An input port whose records go to a file while the consumer waits for one of its `others`.

    others: the ports that could wait for this one in a circle. limit: bytes that the file may have.
    """

    __slots__ = ("_away", "_error", "_file", "_lock", "_threads", "limit", "others")

    def __init__(self, pipe: Pipe, threads: Threads, folder: Callable[[], str | None]) -> None:
        self.limit = MOST
        self.others: list[SpillingRecords] = []
        self._away = 0  # records that are in the file, or on the way there
        self._error: Exception | None = None
        self._file = BatchFile(folder)
        self._lock = asyncio.Lock()
        self._threads = threads
        super().__init__([pipe])

    async def __anext__(self) -> list[Record]:
        while not self.ready():
            await self.changed()
        if not self._away:
            return await super().__anext__()
        async with self._lock:
            batch = await self._threads.call(self._file.take)
        return self._returned(batch)

    def receive_nowait(self) -> list[Record]:
        if not self.ready() or self._lock.locked():
            raise WouldBlock
        return self._returned(self._file.take()) if self._away else super().receive_nowait()

    def ready(self) -> bool:
        if self._error is not None:
            raise self._error
        return self._away > 0 or super().ready()

    def has_records(self) -> bool:
        return self._away > 0 or super().has_records()

    async def changed(self) -> None:
        """Wait for this port; make room in the others if they are full meanwhile."""
        if any(other.pipes[0].is_full() for other in self.others):
            await asyncio.sleep(0)  # another task may be about to read them
            for other in self.others:
                await other._move_away()
        else:
            await wait_any([self])

    def wake(self) -> None:
        super().wake()
        if self.pipes[0].is_full():
            for other in self.others:
                Records.wake(other)

    def close(self) -> None:
        super().close()
        self._file.close()

    def discard(self) -> None:
        super().discard()
        self._file.close()

    async def _move_away(self) -> None:
        """Make room in the pipe, if it is full. A record that gets lost fails every later read."""
        async with self._lock:
            if not self.pipes[0].is_full():
                return
            if self._file.size >= self.limit:
                pipe = self.pipes[0]
                raise StreamError(
                    f"more than {self.limit} bytes of '{pipe.producer}' wait in a file until "
                    f"'{pipe.consumer}' reads them (limits.max_spill)",
                    hint="raise the limit, or make the larger stream the one that is read first",
                )
            batch = self._pull()
            self._away += len(batch)
            try:
                await self._threads.call(self._file.add, batch)
            except Exception as error:
                self._error = error
                raise
        self.wake()

    def _returned(self, batch: list[Record]) -> list[Record]:
        self._away -= len(batch)
        self.records_in += len(batch)
        return [deep_copy(record) for record in batch] if self.copied else batch


def spilling_ports(run: "Run", pipes: Mapping[str, Pipe]) -> dict[str, SpillingRecords]:
    """A consumer's ports for the pipes that the compiler has marked."""

    def folder() -> str | None:
        # A dry run must not touch the workspace, not even for a moment.
        return None if run.settings.dry_run else run.workspace.path

    ports = {name: SpillingRecords(pipe, run.loop.threads, folder) for name, pipe in pipes.items()}
    for port in ports.values():
        port.others = [other for other in ports.values() if other is not port]
    return ports


def limit_spill(inputs: Inputs, size: int) -> None:
    """Let no more bytes of any of the inputs wait in a file. StreamError when there are more."""
    for port in inputs.values():
        if isinstance(port, SpillingRecords):
            port.limit = size


class BatchFile:
    """Batches, first in, first out, in a file without a name. size: its bytes. Methods block.

    folder: where the file is made, once there is something to put into it.
    """

    def __init__(self, folder: Callable[[], str | None]) -> None:
        self.size = 0
        self._read = 0
        self._folder = folder
        self._file: IO[bytes] | None = None

    def add(self, batch: list[Record]) -> None:
        if self._file is None:
            import tempfile  # start-up: most streams never need it

            self._file = tempfile.TemporaryFile(dir=self._folder())  # noqa: SIM115 - see close
        self._file.seek(self.size)
        try:
            pickle.dump(batch, self._file, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
            raise StreamError(f"a record cannot wait in a file: {error}") from error
        self.size = self._file.tell()

    def take(self) -> list[Record]:
        assert self._file is not None
        self._file.seek(self._read)
        batch: list[Record] = pickle.load(self._file)  # noqa: S301 - nobody else can reach the file
        self._read = self._file.tell()
        if self._read == self.size:
            self._read = self.size = 0
            self._file.truncate(0)
        return batch

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
