"""How and when a workload runs that does not simply run once (language, section 7).

    @job.workload("backup", lifecycle=Scheduled(cron="0 3 * * *", timezone="Europe/Berlin"))

Values for `gxo daemon`, which runs such workloads; a job by itself runs what runs once.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

Restart = Literal["always", "on_failure", "never"]
Overlap = Literal["skip", "queue", "parallel"]


class Backoff:
    """How long a restart waits, in seconds: `initial`, then `factor` times as long, up to `max`.

    A run that lasts `reset_after` begins with `initial` again.
    """

    __slots__ = ("factor", "initial", "max", "reset_after")

    def __init__(
        self,
        initial: float = 1.0,
        factor: float = 2.0,
        max: float = 60.0,  # noqa: A002 - the playbook's own word
        reset_after: float = 60.0,
    ) -> None:
        self.initial = initial
        self.factor = factor
        self.max = max
        self.reset_after = reset_after

    def settings(self) -> Mapping[str, Any]:
        """The playbook's keys and their values, durations in seconds."""
        return {name: getattr(self, name) for name in ("initial", "factor", "max", "reset_after")}


class Supervise:
    """Runs as a service, and again after each end that `restart` names."""

    __slots__ = ("backoff", "restart")
    policy: ClassVar = "supervise"

    def __init__(self, restart: Restart = "always", backoff: Backoff | None = None) -> None:
        self.restart = restart
        self.backoff = backoff or Backoff()

    def settings(self) -> Mapping[str, Any]:
        """The playbook's keys and their values, durations in seconds."""
        return {"restart": self.restart, "backoff": self.backoff.settings()}


class EventDriven:
    """Runs for each record of the workload `source`, for at most `concurrency` at once."""

    __slots__ = ("concurrency", "source")
    policy: ClassVar = "event_driven"

    def __init__(self, source: str, concurrency: int = 64) -> None:
        self.source = source
        self.concurrency = concurrency

    def settings(self) -> Mapping[str, Any]:
        """The playbook's keys and their values."""
        return {"source": self.source, "concurrency": self.concurrency}


class Scheduled:
    """Runs whenever the cron expression says so in the time zone.

    overlap: what a run does that is due while the one before still runs.
    """

    __slots__ = ("cron", "overlap", "timezone")
    policy: ClassVar = "scheduled"

    def __init__(self, cron: str, timezone: str = "UTC", overlap: Overlap = "skip") -> None:
        self.cron = cron
        self.timezone = timezone
        self.overlap = overlap

    def settings(self) -> Mapping[str, Any]:
        """The playbook's keys and their values."""
        return {"cron": self.cron, "timezone": self.timezone, "overlap": self.overlap}


Lifecycle = Supervise | EventDriven | Scheduled


class Signals(Protocol):
    """What a host gives a run (`Run.signals`) whose workloads wait for somebody outside."""

    async def wait(self, workload: str, token: str, context: Mapping[str, Any]) -> Any:
        """Let the workload be Paused until somebody gives the token back; returns the payload that
        comes with it.

        token: known to nobody else, and of use once. context: what whoever decides is shown.
        """
        ...
