"""What the page shows of a run: one `Row` a workload, and the edges between them.

job, run, its report and the attempts  ->  [Row("fetch", ...), Row("save", after=["fetch"], ...)]
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gxo.runtime.host.clock import rfc3339
from gxo.runtime.kernel.graph import producer, stream_groups
from gxo.runtime.kernel.node import PENDING
from gxo.runtime.reporting.html.attempts import Span

if TYPE_CHECKING:
    from gxo.runtime.job import Workload
    from gxo.runtime.kernel.run import Run

Kind = Literal["state", "stream", "failure", "order"]
"""Why an edge is there: a wait, a stream of records, a failure that starts a block, its order."""

IGNORED = "Ignored"
"""What the page shows as the status of a failure that `ignore_errors` covers."""

NOT_STARTED = {
    "status": PENDING,
    "reason": "its block was not started",
    "ignored": False,
    "attempts": 0,
    "records_in": 0,
    "records_out": 0,
}
"""What the page needs of the result of a workload whose block has no results."""


class Edge(NamedTuple):
    """An arrow of the graph. source and target are the workloads' names."""

    source: str
    target: str
    kind: Kind


class Row:
    """One workload.

    owner: the workload whose `on_failure` it belongs to. result: its entry in the report.
    place: `file:line`, where known. begin, end: fractions of the run, from 0 to 1; None when it
    did not start. spans: its attempts, as far as they were remembered.
    """

    __slots__ = (
        "after",
        "begin",
        "end",
        "in_finally",
        "module",
        "name",
        "number",
        "owner",
        "place",
        "reads",
        "result",
        "spans",
        "status",
    )

    def __init__(self, spec: "Workload", number: int, result: dict[str, Any]) -> None:
        self.name = spec.name
        self.number = number
        self.result = result
        self.after = list(dict.fromkeys((*spec.after, *spec.observes)))
        self.reads = list(spec.stream_inputs)
        self.status: str = IGNORED if result["ignored"] else result["status"]
        self.module = ""
        self.place = ""
        self.owner: str | None = None
        self.in_finally = False
        self.begin: float | None = None
        self.end: float | None = None
        self.spans: list[Span] = []


class Page:
    """All that the page shows. rows: in playbook order. seconds: how long the run took."""

    def __init__(self, run: "Run", report: dict[str, Any], spans: dict[str, list[Span]]) -> None:
        self.report = report
        self.seconds = max(run.ended_at - run.started, 1e-3)
        self.rows: list[Row] = []
        self.edges: list[Edge] = []
        self.version = _version(run)
        self._run = run
        self._spans = spans
        self._file, self._lines = _places(run)
        for spec in run.job.workloads.values():
            self._add(spec)
            self.edges += _edges(spec)
            for child in spec.on_failure:
                self._add(child).owner = spec.name
            self.edges += _block_edges(spec.on_failure, spec.name)
        for spec in run.job.cleanups:
            self._add(spec).in_finally = True
        self.edges += _block_edges(run.job.cleanups, None)

    def _add(self, spec: "Workload") -> Row:
        results = self.report["workload_results"]
        row = Row(spec, len(self.rows), results.get(spec.name, NOT_STARTED))
        row.module = self._run.module_of(spec.name)
        if spec.name in self._lines:
            row.place = f"{self._file}:{self._lines[spec.name]}"
        node = self._run.nodes.get(spec.name)
        if node is not None and node.started is not None and node.ended is not None:
            self._add_times(row, node.started, node.ended)
        self.rows.append(row)
        return row

    def _add_times(self, row: Row, started: float, ended: float) -> None:
        """When it ran; nothing for what an earlier run of the job has done."""
        if self._run.wall(ended) < self._run.started:
            return
        row.begin, row.end = self.fraction(started), self.fraction(ended)
        row.spans = self._spans.get(row.name, [])
        for span in row.spans:
            span.end = ended if span.end is None else span.end

    def fraction(self, moment: float) -> float:
        """How much of the run has passed, from 0 to 1, at a moment of the monotonic clock."""
        return min(1.0, max(0.0, (self._run.wall(moment) - self._run.started) / self.seconds))

    def clock_time(self, fraction: float) -> str:
        """The time of day in UTC after that much of the run."""
        return rfc3339(self._run.started + fraction * self.seconds)[11:-1]


def _edges(spec: "Workload") -> Iterator[Edge]:
    """Yield the edges into a workload; where records flow, the wait is no edge of its own."""
    producers = dict.fromkeys(producer(name) for name in spec.stream_inputs)
    for name in dict.fromkeys((*spec.after, *spec.observes)):
        if name not in producers:
            yield Edge(name, spec.name, "state")
    for name in producers:
        yield Edge(name, spec.name, "stream")


def _block_edges(specs: Collection["Workload"], owner: str | None) -> Iterator[Edge]:
    """Yield the edges of a block: its streams, and from one to the next in its order."""
    for spec in specs:
        for name in dict.fromkeys(map(producer, spec.stream_inputs)):
            yield Edge(name, spec.name, "stream")
    previous = owner
    kind: Kind = "failure"
    for group in stream_groups(specs):
        if previous is not None:
            yield Edge(previous, group[0], kind)
        previous, kind = group[-1], "order"


def _places(run: "Run") -> tuple[str, dict[str, int]]:
    """The playbook's file, and the line of each workload in it."""
    from gxo.runtime.reporting.trace import source_map

    found = source_map(run)
    return found.get("file", ""), found.get("workloads", {})


def _version(run: "Run") -> str:
    from gxo.runtime.bundle import manifest

    version: str = manifest(run.bundle).get("gxo", "")
    return version
