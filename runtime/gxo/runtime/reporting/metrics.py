"""`--metrics`: what a run did, in Prometheus' text format.

    # HELP gxo_workload_records_out_total Records that the workload has sent.
    # TYPE gxo_workload_records_out_total counter
    gxo_workload_records_out_total{playbook="orders-etl",workload="fetch"} 500

Nothing is counted for it while the job runs: all of it is read from the workloads when it is asked
for. Every series names its playbook, so that one collector can read the files of several.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.runtime.bundle import manifest
from gxo.runtime.kernel.node import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    SKIPPED,
    Node,
)

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

STATUSES = (PENDING, RUNNING, COMPLETED, FAILED, SKIPPED, CANCELLED)
ENDINGS = (RUNNING, COMPLETED, FAILED, CANCELLED)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Series = tuple[dict[str, str], float]
"""Labels besides the playbook's, and the value."""


def metrics(run: "Run", exit_code: int | None = None) -> str:
    """All metrics of the run as it is now. exit_code: the job's, once it has ended."""
    made = [*_of_run(run, exit_code), *_of_workloads(run)]
    return "".join(line for family in made for line in family)


def _of_run(run: "Run", exit_code: int | None) -> Iterator[Iterable[str]]:
    """Yield the families about the run as a whole."""
    now = run.wall(run.clock.monotonic())
    over = exit_code is not None
    status = run.ending.status if over else RUNNING
    nodes = list(run.nodes.values())
    family = _Families(run.name)
    info = {
        "run_id": run.run_id,
        "gxo_version": manifest(run.bundle).get("gxo", ""),
        "dry_run": str(run.settings.dry_run).lower(),
    }
    yield family("gxo_run_info", "gauge", "The run; always 1.", [(info, 1)])
    yield family(
        "gxo_run_status",
        "gauge",
        "1 for the status that the run has, 0 for the others.",
        [({"status": one}, one == status) for one in ENDINGS],
    )
    yield family(
        "gxo_run_start_timestamp_seconds", "gauge", "When the run began.", [({}, run.started)]
    )
    yield family(
        "gxo_run_duration_seconds",
        "gauge",
        "How long the run has taken so far.",
        [({}, (run.ended_at if over else now) - run.started)],
    )
    if exit_code is not None:
        yield family(
            "gxo_run_end_timestamp_seconds", "gauge", "When the run ended.", [({}, run.ended_at)]
        )
        yield family("gxo_run_exit_code", "gauge", "The job's exit code.", [({}, exit_code)])
    yield family(
        "gxo_workloads",
        "gauge",
        "Workloads by status.",
        [({"status": one}, sum(node.status == one for node in nodes)) for one in STATUSES],
    )
    yield family(
        "gxo_events_dropped_total",
        "counter",
        "Events that --events has dropped.",
        [({}, 0 if run.bus is None else run.bus.events_dropped())],
    )


def _of_workloads(run: "Run") -> Iterator[Iterable[str]]:
    """Yield the families that have a series a workload."""
    now = run.clock.monotonic()
    nodes = sorted(run.nodes.values(), key=lambda node: node.index)
    family = _Families(run.name)
    yield family(
        "gxo_workload_status",
        "gauge",
        "1 for the status that the workload has; the others are not there.",
        [({"workload": node.name, "status": node.status}, 1) for node in nodes],
    )
    yield family(
        "gxo_workload_duration_seconds",
        "gauge",
        "How long the workload has taken so far, all attempts together.",
        [
            ({"workload": node.name}, (now if node.ended is None else node.ended) - node.started)
            for node in nodes
            if node.started is not None
        ],
    )
    for name, kind, text, value in _COUNTS:
        yield family(name, kind, text, [({"workload": node.name}, value(node)) for node in nodes])


def _records_in(node: Node) -> int:
    return node.port.records_in if node.port is not None else node.records_in


def _records_out(node: Node) -> int:
    return node.source.records_out if node.source is not None else node.records_out


_COUNTS: tuple[tuple[str, str, str, Callable[[Node], float]], ...] = (
    (
        "gxo_workload_attempts",
        "gauge",
        "Attempts of the workload; of a loop's, the most that an item has needed.",
        lambda node: node.attempts,
    ),
    (
        "gxo_workload_records_in_total",
        "counter",
        "Records that the workload has read.",
        _records_in,
    ),
    (
        "gxo_workload_records_out_total",
        "counter",
        "Records that the workload has sent.",
        _records_out,
    ),
    (
        "gxo_workload_record_errors_total",
        "counter",
        "Records that the workload could not process.",
        lambda node: node.record_errors,
    ),
    (
        "gxo_workload_records_dropped_total",
        "counter",
        "Records that the workload's overflowing streams have dropped.",
        lambda node: node.records_dropped,
    ),
)


class _Families:
    """Writes families of series about one playbook."""

    def __init__(self, playbook: str) -> None:
        self._playbook = playbook

    def __call__(self, name: str, kind: str, text: str, series: Iterable[Series]) -> Iterator[str]:
        """Yield the lines of one metric; nothing when it has no series."""
        head = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
        for labels, value in series:
            given = {"playbook": self._playbook, **labels}
            pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in given.items())
            yield f"{head}{name}{{{pairs}}} {float(value) if value % 1 else int(value)}\n"
            head = ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
