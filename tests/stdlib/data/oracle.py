"""Runs a data module in memory and gives what it sent."""

import tempfile
from pathlib import Path
from typing import Any

from tests.stdlib.harness import Outcome, bench, module_spec, run

SPECS: dict[str, Any] = {}


def play(
    module: str,
    params: dict[str, Any],
    streams: dict[str, list[Any]] | None = None,
    buffer_size: int = 100,
) -> Outcome:
    """Call the module once, in a workspace of its own; its own errors are raised."""
    if module not in SPECS:
        SPECS[module] = module_spec(module)

    async def call(folder: str) -> Outcome:
        async with bench(Path(folder)) as workbench:
            return await workbench.call(SPECS[module], params, streams, buffer_size=buffer_size)

    with tempfile.TemporaryDirectory() as folder:
        outcome = run(call(folder))
    if outcome.error is not None:
        raise outcome.error
    return outcome


def cut(rows: list[dict[str, Any]], sizes: list[int]) -> list[list[dict[str, Any]]]:
    """The rows in batches of these sizes, and what is left in one more."""
    batches = []
    for size in [*sizes, len(rows)]:
        batches += [rows[:size]] if rows else []
        rows = rows[size:]
    return batches
