"""The state of a run at one moment, as the reference interpreter sees it.

Everything in it is a plain value, so that a world can be copied before a step is taken, and two
worlds that are equal need to be followed only once.
"""

from typing import Any, NamedTuple

Record = tuple[str, int]
"""Path and number of a probe's record."""


class Call(NamedTuple):
    """One instance of a workload, in one attempt. item: the loop item's number, from 0.

    stage: `begins`, `works`, `handles` a record of its hand, `parked` behind a full stream,
    `pauses` after a record, `reads` the next batch, `rests` before the next attempt.
    until: when the stage is over, for those that take time. number: records handled so far.
    moved: this attempt has sent or read records.
    """

    item: int
    attempt: int
    stage: str = "begins"
    until: int = 0
    params: str = "{}"
    began: int | None = None
    hand: tuple[Record, ...] = ()
    number: int = 0
    moved: bool = False
    seen: tuple[Record, ...] = ()


class Noted(NamedTuple):
    """One call of a module, over: when it began and ended, and whether it `returns`, `fails` or `is
    cancelled`.
    """

    item: int | None
    attempt: int
    began: int
    ended: int
    how: str


class Copyable:
    """Its attributes are values, never changed in place."""

    def copy(self) -> Any:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def key(self) -> tuple[Any, ...]:
        return tuple(self.__dict__.values())


class Work(Copyable):
    """One workload. stage: `waits`, `begins`, `awaits` a first record, `calls` its module, `drains`
    its streams, `over`. Values (items, summaries) are JSON texts. failing: the error of the
    instance that failed first, until the workload has. cause: the workload whose
    failure was the first, when the failure came down a stream.
    """

    def __init__(self) -> None:
        self.status = "Pending"
        self.stage = "waits"
        self.deadline: int | None = None
        self.items: tuple[str, ...] | None = None
        self.next_item = 0
        self.calls: tuple[Call, ...] = ()
        self.summaries: tuple[tuple[int, str], ...] = ()
        self.attempts = 0
        self.started: int | None = None
        self.ended: int | None = None
        self.records_in = 0
        self.records_out = 0
        self.record_errors = 0
        self.error: str | None = None
        self.failing: str | None = None
        self.cause: str | None = None
        self.ignored = False
        self.reason: str | None = None
        self.summary: str | None = None
        self.log: tuple[Noted, ...] = ()

    @property
    def is_running(self) -> bool:
        return self.stage not in ("waits", "over")


class Pipe(Copyable):
    """One stream to one consumer. state: `open`, `ended` (read to its end), `closed`, `discarding`
    (its consumer was skipped). handed: how many of those that wait its consumer has been given, though
    it has not read them yet. finished: no more records come. broken: the workload by whose failure
    or cancellation it finished.
    """

    def __init__(self) -> None:
        self.waiting: tuple[Record, ...] = ()
        self.handed = 0
        self.state = "open"
        self.finished = False
        self.broken: str | None = None


class World:
    """phase: `workloads`, `on_failure`, `finally`, `done`. fatal: the workloads whose failure is
    fatal, in order. swept: what does not drain has been cancelled. blocks: those that run, each
    with its owner and the names that it still has to run.
    """

    def __init__(self, names: list[str]) -> None:
        self.time = 0
        self.phase = "workloads"
        self.works = {name: Work() for name in names}
        self.pipes: dict[tuple[str, str], Pipe] = {}
        self.fatal: tuple[str, ...] = ()
        self.failed_cleanup: tuple[str, ...] = ()
        self.swept = False
        self.limit: int | None = None
        self.blocks: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def copy(self) -> "World":
        new = object.__new__(World)
        new.__dict__.update(self.__dict__)
        new.works = {name: work.copy() for name, work in self.works.items()}
        new.pipes = {ends: pipe.copy() for ends, pipe in self.pipes.items()}
        return new

    def key(self) -> tuple[Any, ...]:
        works = tuple([work.key() for work in self.works.values()])
        pipes = tuple([(ends, *pipe.key()) for ends, pipe in sorted(self.pipes.items())])
        rest = (self.time, self.phase, self.fatal, self.failed_cleanup, self.swept, self.limit)
        return (works, pipes, rest, self.blocks)

    def streams_of(self, name: str) -> list[Pipe]:
        """The pipes to the consumers of a workload's records (or of a stream `x.errors`)."""
        return [pipe for ends, pipe in self.pipes.items() if ends[0] == name]

    def inputs_of(self, name: str) -> list[Pipe]:
        return [pipe for ends, pipe in self.pipes.items() if ends[1] == name]
