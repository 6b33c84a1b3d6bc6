"""What happens to a record that could not be processed (language, section 5)."""

from typing import TYPE_CHECKING

from gxo.runtime.errors import RecordError, SecretError, SecurityError, WorkloadError
from gxo.runtime.host.weight import weight
from gxo.runtime.jsontext import plain
from gxo.runtime.spec import Record

if TYPE_CHECKING:
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

EXTRACT = 200
"""Characters of the record that an error shows."""


async def record_failed(
    run: "Run",
    node: "Node",
    record: Record,
    error: Exception,
    number: int | None,
    *,
    step: str | None = None,
    lost: bool = True,
) -> None:
    """Count it, log it, and do as the playbook chose. RecordError when the workload is to fail.

    step: the pipeline's step that could not. lost: whether this is one of the workload's own
    records, and not one that has failed before.

    A missing secret or a path that leaves the workspace is no fault of the record: those are raised
    again, so that no `skip` hides them. Nor does it hide an assertion of a test that does not hold.
    """
    if isinstance(error, (SecretError, SecurityError)):
        raise error
    node.record_errors += 1
    node.records_lost += lost
    number = number or node.record_errors
    message = run.explain(error) if step is None else f"step '{step}': {run.explain(error)}"
    extract = await run.loop.offload(weight(record), _extract, run, record)
    failures = error.failures if isinstance(error, WorkloadError) else ()
    skipped = (node.spec.on_record_error == "skip" or node.rejects is not None) and not failures
    text = f"record {number} failed: {message}; the record: {extract}"
    if run.bus is not None:
        run.bus.record_failed(node, number, message)
    if not skipped:
        hint = None if failures else "`on_record_error: skip` leaves such records out"
        fatal = RecordError(text, hint=hint)
        fatal.failures = failures
        raise fatal from error
    run.log.write_clean("warning", text, node.name)
    if node.rejects is not None:
        # Its readers are not the producer's consumers: they may close early without ending it.
        await node.rejects.port().send(
            [{"record": record, "error": message, "workload": node.name, "number": number}]
        )


def _extract(run: "Run", record: Record) -> str:
    """The beginning of the record, without secrets."""
    shown = run.redact(record)
    try:
        extract = repr(shown)
    except RecursionError:
        extract = repr(plain(shown))
    return extract if len(extract) <= EXTRACT else extract[:EXTRACT] + "..."
