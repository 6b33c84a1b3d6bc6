"""Lifecycles in a test: each workload runs once (language, sections 7 and 10).

supervise       runs as it is, and not again
event_driven    reads the stream of its `source`
scheduled       waits for the next time of its schedule, which by the clock of a test is soon
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gxo.runtime.cron import parse_cron
from gxo.runtime.errors import ExpressionError
from gxo.runtime.job import Workload
from gxo.runtime.lifecycles import EventDriven, Lifecycle, Scheduled

if TYPE_CHECKING:
    from gxo.runtime.host.clock import Clock


def read_sources(workloads: Iterable[Workload]) -> None:
    """Let event-driven workloads read their source, as others read their `stream_inputs`."""
    for workload in workloads:
        if isinstance(workload.lifecycle, EventDriven):
            workload.records = (workload.lifecycle.source,)


async def due(lifecycle: Lifecycle, clock: "Clock") -> None:
    """Wait until a workload with the lifecycle is to run. ExpressionError for an unknown zone."""
    if not isinstance(lifecycle, Scheduled):
        return
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(lifecycle.timezone)
    except ZoneInfoNotFoundError:
        raise ExpressionError(f"this host has no time zone {lifecycle.timezone}") from None
    now = clock.now().astimezone(zone)
    fires = parse_cron(lifecycle.cron).next_after(now)
    await clock.sleep(fires.timestamp() - now.timestamp())
