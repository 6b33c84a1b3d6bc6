"""A workload while the job runs: its status, its counts, and who waits for it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gxo.runtime.job import Workload

if TYPE_CHECKING:
    import asyncio

    from gxo.runtime.secrets.taint import Taint
    from gxo.runtime.streams.ports import Inputs, Records
    from gxo.runtime.streams.source import Source

PENDING = "Pending"
RUNNING = "Running"
COMPLETED = "Completed"
FAILED = "Failed"
SKIPPED = "Skipped"
CANCELLED = "Cancelled"


class Failure:
    """What `_gxo.failure` shows; all None while nothing has failed."""

    __slots__ = ("attempts", "error", "workload")

    def __init__(
        self, workload: str | None = None, error: str | None = None, attempts: int | None = None
    ) -> None:
        self.workload = workload
        self.error = error
        self.attempts = attempts


class Node:
    """One workload of a run. Templates read `status`, `error` and `summary`; the report reads all.

    started, ended: seconds of the job's monotonic clock.
    entered: its task has begun. undecided: its `when` has not let it run yet.
    ready: a background module has said that it is. held: the job ends only when this has ended.
    cause: why it was cancelled, when it was. settled: it has ended for those that wait for it.
    records_lost: those of its records that could not be processed, each counted once.
    records_dropped: those that its overflowing streams dropped.
    failures: of `test:assert`, the assertions that do not hold.
    failed_item: of a loop, the failing instance's index and name, once that failed the workload.
    patience: the moment up to which its module, once cancelled, is not abandoned.
    """

    __slots__ = (
        "attempts",
        "blocked_by",
        "cause",
        "ended",
        "entered",
        "error",
        "failed_item",
        "failure",
        "failures",
        "followers",
        "held",
        "ignored",
        "index",
        "iterations",
        "name",
        "observers",
        "over",
        "patience",
        "port",
        "ready",
        "reason",
        "record_errors",
        "records_dropped",
        "records_in",
        "records_lost",
        "records_out",
        "rejects",
        "settled",
        "source",
        "spec",
        "started",
        "status",
        "summary",
        "taint",
        "taints",
        "task",
        "timer",
        "undecided",
        "unit",
        "upstream",
    )

    def __init__(self, spec: Workload, index: int) -> None:
        self.spec = spec
        self.name = spec.name
        self.index = index
        self.status = PENDING
        self.reason: str | None = None
        self.error: str | None = None
        self.failure: BaseException | None = None
        self.failures: Sequence[Mapping[str, Any]] = ()
        self.failed_item: tuple[int, str] | None = None
        self.ignored = False
        self.attempts = 0
        self.iterations: int | None = None
        self.started: float | None = None
        self.ended: float | None = None
        self.records_in = 0
        self.records_out = 0
        self.records_dropped = 0
        self.record_errors = 0
        self.records_lost = 0
        self.summary: Any = None
        self.followers: list[Node] = []
        self.observers: list[Node] = []
        self.blocked_by: Node | None = None
        self.entered = False
        self.undecided = spec.when is not None
        self.ready = False
        self.held = True
        self.over = False
        self.patience = 0.0
        self.settled = False
        self.cause: str | None = None
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.source: Source | None = None
        self.rejects: Source | None = None
        self.port: Records | Inputs | None = None
        self.upstream: tuple[Node, ...] = ()
        self.taint: Taint | None = None
        self.taints: set[Taint] | None = None
        self.unit: Unit

    def drop_failure(self) -> None:
        """Let go of the error, now that it has been told."""
        if self.failure is not None:
            from gxo.runtime.reporting.trace import let_go  # start-up: only after a failure

            let_go(self.failure)
            self.failure = None


class Unit:
    """What starts together: one workload, or a group that streams connect.

    waiting: how many ends of other workloads it still waits for. running: members not over yet.
    finished: set when a block waits for the unit to be over. failure: for the block's templates.
    """

    __slots__ = ("failure", "finished", "in_block", "index", "members", "running", "waiting")

    def __init__(self, members: list[Node], failure: Failure, *, in_block: bool) -> None:
        self.members = members
        self.index = members[0].index
        self.failure = failure
        self.in_block = in_block
        self.waiting = 0
        self.running = 0
        self.finished: asyncio.Future[None] | None = None
        for member in members:
            member.unit = self
