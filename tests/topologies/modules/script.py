"""Modules that do the steps of a case of the kernel (`tests/runtime/kernel/cases`).

process: {module: script:do, params: {steps: [sleep 2, "return {n: 1}"], item: "{{ .item }}"}}
"""

from collections.abc import Sequence
from typing import Any, cast

from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Inputs, Out, Records
from tests.runtime.kernel.harness import FakeClock, Stage, parsed, perform


class StageClock(FakeClock):
    """Knows where the steps leave their trace."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.loop)
        self.stage = stage


@module("script:do")
async def do(
    ctx: Context,
    records: Records | None = None,
    out: Out | None = None,
    *,
    steps: Sequence[str] = (),
    item: Any = None,
    label: str = "",
) -> dict[str, Any]:
    """Do the steps.

    Args:
        steps: what to do, one after the other
        item: the loop's
        label: a text that the trace shows
    """
    return await _done(ctx, steps, label, records=records, out=out, item=item)


@module("script:read")
async def read(ctx: Context, inputs: Inputs, *, steps: Sequence[str] = ()) -> dict[str, Any]:
    """Do the steps, with one port a producer.

    Args:
        steps: what to do, one after the other
    """
    return await _done(ctx, steps, "", inputs=inputs)


async def _done(ctx: Context, steps: Sequence[str], label: str, **ports: Any) -> dict[str, Any]:
    stage = cast(StageClock, ctx.clock).stage
    if label:
        stage.note(f"{ctx.workload}[{ctx.iteration}]", f"is called {label}")
    made: dict[str, Any] = await perform(stage, [parsed(one) for one in steps], ctx, **ports)
    return made
