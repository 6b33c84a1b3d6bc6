"""`--report`: what the run did, as JSON (language, section 6)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gxo.runtime.host.clock import rfc3339
from gxo.runtime.jsontext import to_json
from gxo.runtime.kernel.node import CANCELLED, COMPLETED, FAILED, PENDING, SKIPPED, Node

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

ENDED_FIRST = "the job ended first"


def report(run: "Run") -> dict[str, Any]:
    """The execution report of a run that has ended, redacted.

    Texts too that were redacted when they were made: more secrets may be known by now.
    """
    return {**_head(run), "workload_results": dict(_results(run))}


def _head(run: "Run") -> dict[str, Any]:
    count = dict.fromkeys((COMPLETED, FAILED, SKIPPED, CANCELLED), 0)
    for node in run.nodes.values():
        count[node.status] = count.get(node.status, 0) + 1
    return {
        "playbook_name": run.name,
        "run_id": run.run_id,
        **({"dry_run": True} if run.settings.dry_run else {}),
        "overall_status": run.ending.status,
        "start_time": rfc3339(run.started),
        "end_time": rfc3339(run.ended_at),
        "duration_ms": _milliseconds(run.ended_at - run.started),
        "total_workloads": len(run.nodes),
        "completed_workloads": count[COMPLETED],
        "failed_workloads": count[FAILED],
        "skipped_workloads": count[SKIPPED],
        "cancelled_workloads": count[CANCELLED],
        "error": run.conceal(run.ending.error),
    }


def _results(run: "Run") -> Iterator[tuple[str, dict[str, Any]]]:
    for node in run.nodes.values():
        yield node.name, _result(run, node)


def _result(run: "Run", node: Node) -> dict[str, Any]:
    started, ended = node.started, node.ended
    result = {
        "status": node.status,
        "reason": run.conceal(node.reason or (ENDED_FIRST if node.status == PENDING else None)),
        "error": run.conceal(node.error),
        **({"assertions": run.conceal(list(node.failures))} if node.failures else {}),
        "ignored": node.ignored,
        "attempts": node.attempts,
        "iterations": node.iterations,
        "start_time": None if started is None else rfc3339(run.wall(started)),
        "end_time": None if ended is None else rfc3339(run.wall(ended)),
        "duration_ms": None if started is None or ended is None else _milliseconds(ended - started),
        "records_in": node.records_in,
        "records_out": node.records_out,
        "record_errors": node.record_errors,
        "records_dropped": node.records_dropped,
    }
    if node.spec.register is not None:
        known = node.summary if run.forecast is None else run.forecast.known(node.summary)
        result["summary"] = run.conceal(known)
    return result


def as_json(run: "Run") -> Iterator[str]:
    """The report as JSON with one line a field, and one a workload: easy to search, and quick to
    write, which indenting at every depth is not.
    """
    yield to_json(_head(run), indent=2).removesuffix("\n}") + ',\n  "workload_results": {'
    comma = ""
    for name, result in _results(run):
        yield f"{comma}\n    {to_json(name)}: {to_json(result)}"
        comma = ","
    yield "\n  }\n}\n"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
