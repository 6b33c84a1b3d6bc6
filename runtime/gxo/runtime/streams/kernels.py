"""What a module gives a fused loop to call, where it is not code of the loop itself.

    head       makes the batches: an async generator that is closed when it is not read to its end
    limiter    lets the first records of its stream pass
    splitter   makes other batches of each
    tail       gathers all batches, and makes the summary of them

A batch may be a `Table`, which gives its records as a list does. A module's own coroutine uses the
same, so that what it does is written once.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import Any

from gxo.runtime.streams.tables import Batch

Head = AsyncGenerator[Batch, None]


class Limiter(ABC):
    """Lets the first records of a stream pass."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """Whether no more records pass."""

    @abstractmethod
    def take(self, batch: Batch) -> Batch:
        """Those records of the batch that pass."""


class Splitter(ABC):
    """Makes other records of each, which can be very many."""

    @abstractmethod
    def split(self, batch: Batch) -> AsyncGenerator[Batch, None]:
        """The records that become of those of a batch, in batches."""


class Tail(ABC):
    """Gathers a stream's records."""

    @abstractmethod
    async def add(self, batch: Batch) -> None:
        """Take a batch, which is not empty."""

    @abstractmethod
    async def finish(self) -> Any:
        """All records have come: complete the work, and return the summary."""

    def unknown(self) -> None:
        """In a dry run: say what `finish` would do with records that are not known."""
        return

    def close(self) -> None:
        """Give back what it holds. Nothing may be left of what was not finished."""
        return


Kernel = Head | Limiter | Splitter | Tail
