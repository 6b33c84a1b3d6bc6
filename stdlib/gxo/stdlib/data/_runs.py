"""Sorting more records than fit into memory: sorted runs, in memory and in files, are merged.

    records        6 2 9 | 4 1 8 | 7 3 5      sorted a chunk at a time, each of which is a run
    runs           2 6 9   1 4 8   3 5 7      in memory as long as there is room, then in files
    merged         1 2 3 4 5 6 7 8 9

A chunk is small because sorting one holds Python's lock, which the event loop needs too. When the
runs in memory are too large, they are merged into a file. `WAYS` files are merged into a longer
one, as many of those into one that is longer still: so few are open, and each record is written as
often as there are lengths. All methods block.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from math import inf
from operator import itemgetter
from sys import getsizeof
from typing import Any

from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.runtime.streams.spill import BatchFile
from gxo.stdlib.data._batches import BATCH

CHUNK = 20_000
"""Records that are sorted at a time."""

WAYS = 16
"""Runs in files that are merged into one."""

Keys = Callable[[list[Record]], list[Any]]


class _InMemory:
    """A run in memory; `size` are its bytes, as far as that can be told."""

    def __init__(self, records: list[Record], size: int) -> None:
        self.records = records
        self.size = size

    def batches(self) -> Iterator[list[Record]]:
        for start in range(0, len(self.records), BATCH):
            yield self.records[start : start + BATCH]


class _InFile:
    """A run in a file, which is read once; `level` says how often its records were merged."""

    def __init__(self, file: BatchFile, level: int) -> None:
        self.file = file
        self.level = level

    def batches(self) -> Iterator[list[Record]]:
        while self.file.size:
            yield self.file.take()
        self.file.close()


class Runs:
    """Records in the order of their keys; equal ones in the order in which they came.

    keys: the sort keys of records. reverse: the largest comes first. most: records that are wanted.
    max_memory, max_spill: bytes of records in memory, and of files that are there at a time.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        reverse: bool,
        most: int | None,
        max_memory: int,
        max_spill: int,
        folder: Callable[[], str | None],
    ) -> None:
        self._keys = keys
        self._reverse = reverse
        self._most = most
        self._max_memory = max_memory
        self._max_spill = max_spill
        self._folder = folder
        self._memory: list[_InMemory] = []
        self._files: list[_InFile] = []  # levels fall: older records have been merged more often

    def add(self, records: list[Record], size: int) -> None:
        """Take a chunk of records, which is `size` bytes large."""
        keys = self._keys(records)
        places = sorted(range(len(records)), key=keys.__getitem__, reverse=self._reverse)
        self._keep([records[place] for place in places[: self._most]], size / len(records))
        if (
            self._most is not None
            and sum(len(run.records) for run in self._memory) > 2 * self._most
        ):
            self._join_memory()
        if sum(run.size for run in self._memory) > self._max_memory:
            self._spill()

    def sorted(self) -> Iterator[list[Record]]:
        """All records, once, in batches."""
        runs: list[_InMemory | _InFile] = [*self._files, *self._memory]
        if len(runs) == 1 and self._memory:
            return self._memory[0].batches()
        return self._merged(runs, BATCH)

    def close(self) -> None:
        """Give back files and memory; harmless when repeated."""
        for run in self._files:
            run.file.close()
        self._files.clear()
        self._memory.clear()

    def _keep(self, records: list[Record], record_size: float) -> None:
        self._memory.append(_InMemory(records, int(record_size * len(records))))

    def _join_memory(self) -> None:
        """Keep of the runs in memory what is wanted."""
        count = sum(len(run.records) for run in self._memory)
        size = sum(run.size for run in self._memory) / count
        records = [record for batch in self._merged(self._memory, BATCH) for record in batch]
        self._memory.clear()
        self._keep(records, size)

    def _spill(self) -> None:
        """Move the runs in memory to a file; merge files once there are many of one level."""
        count = sum(len(run.records) for run in self._memory)
        size = sum(run.size for run in self._memory) // count
        # When files are merged, a batch of each is in memory.
        batch = max(1, min(BATCH, self._max_memory // (4 * WAYS * max(size, 1))))
        self._write(self._memory, batch, 0)
        self._memory.clear()
        while len(self._files) >= WAYS and self._files[-WAYS].level == self._files[-1].level:
            last = self._files[-WAYS:]
            self._write(last, batch, last[0].level + 1)
            for run in last:
                run.file.close()
                self._files.remove(run)

    def _write(self, runs: "list[_InMemory] | list[_InFile]", batch: int, level: int) -> None:
        """Merge runs into a file, which comes after all others."""
        file = BatchFile(self._folder)
        self._files.append(_InFile(file, level))
        others = self._files[:-1]
        try:
            for records in self._merged(runs, batch):
                file.add(records)
                if file.size + sum(run.file.size for run in others) > self._max_spill:
                    raise ModuleError(
                        f"more than {self._max_spill} bytes of records wait in files until all are "
                        "sorted (limits.max_spill)",
                        hint="raise the limit, or max_memory; or say how many are wanted (limit)",
                    )
        except OSError as error:
            raise ModuleError(f"cannot write what is sorted to a file: {error.strerror}") from None

    def _merged(self, runs: "Iterable[_InMemory | _InFile]", batch: int) -> Iterator[list[Record]]:
        keyed = [self._keyed(run) for run in runs]
        pairs = merge(*keyed, key=itemgetter(0), reverse=self._reverse)
        records = map(itemgetter(1), islice(pairs, self._most))
        while part := list(islice(records, batch)):
            yield part

    def _keyed(self, run: _InMemory | _InFile) -> Iterator[tuple[Any, Record]]:
        for batch in run.batches():
            yield from zip(self._keys(batch), batch, strict=True)


def memory_of(records: list[Record], most: float = inf) -> int:
    """The bytes that records take in memory, about: what two of them share counts twice.

    They are not counted further once there are more than `most`.
    """
    size = 0
    pending: list[Any] = list(records)
    while pending:
        holder = pending.pop()
        size += getsizeof(holder)
        if size > most:
            break
        for value in holder if isinstance(holder, list) else holder.values():
            if value.__class__ is dict or value.__class__ is list:
                pending.append(value)
            else:
                size += getsizeof(value)
    return size
