"""How a run ended, as far as the language page says: what the two sides are compared by."""

import json
from dataclasses import dataclass

from tests.reference.playbook import Playbook
from tests.reference.world import Noted, World


@dataclass(frozen=True)
class Result:
    """One workload's. error: the words that it must have in it; None without one. reason: likewise,
    where the page gives one. summary: JSON, keys sorted; None where there is none or it is nil.
    started, ended: microseconds. calls: of its module, in order.
    """

    status: str
    ignored: bool
    error: str | None
    reason: str | None
    attempts: int
    iterations: int | None
    records_in: int
    records_out: int
    record_errors: int
    records_dropped: int
    started: int | None
    ended: int | None
    summary: str | None
    calls: tuple[Noted, ...]


@dataclass(frozen=True)
class Outcome:
    """error: the workload whose failure the job's error must name. results: by workload, without
    those of blocks that never ran.
    """

    status: str
    exit_code: int
    error: str | None
    results: tuple[tuple[str, Result], ...]


def outcome(playbook: Playbook, world: World) -> Outcome:
    """What is to be seen of a world in which all is over."""
    failures = world.fatal + world.failed_cleanup
    results = []
    for spec in playbook.every():
        work = world.works[spec.name]
        if spec.block is not None and work.status == "Pending":
            continue
        is_kept = work.status == "Completed" and spec.register is not None
        results.append(
            (
                spec.name,
                Result(
                    work.status,
                    work.ignored,
                    work.error,
                    work.reason if work.status in ("Skipped", "Failed") else None,
                    work.attempts,
                    len(work.items) if work.items is not None and spec.loop is not None else None,
                    work.records_in,
                    work.records_out,
                    work.record_errors,
                    0,
                    work.started,
                    work.ended,
                    canonical(work.summary) if is_kept else None,
                    tuple(sorted(work.log, key=noted_key)),
                ),
            )
        )
    status = "Failed" if failures else "Completed"
    return Outcome(status, 1 if failures else 0, failures[0] if failures else None, tuple(results))


def canonical(text: str | None) -> str | None:
    """The same JSON with sorted keys; None for nil."""
    value = None if text is None else json.loads(text)
    return None if value is None else json.dumps(value, sort_keys=True)


def noted_key(note: Noted) -> tuple[int, int, int]:
    return (note.began, -1 if note.item is None else note.item, note.attempt)
