"""What a test and the playbook that it includes share while they run: one `Session` a test."""

from typing import TYPE_CHECKING

from gxo.runtime.testing.servers import Servers
from gxo.runtime.testing.virtual import VirtualClock, VirtualLoop

if TYPE_CHECKING:
    from gxo.runtime.job import Job
    from gxo.runtime.lifecycles import Lifecycle
    from gxo.runtime.testing import Test


class Session:
    """The mocks of one run of a test, and what it may touch besides them.

    test: what the playbook says. clock: the test's time. servers: the mocks that listen.
    """

    __slots__ = ("clock", "servers", "test")

    def __init__(self, test: "Test") -> None:
        self.test = test
        self.clock = VirtualClock()
        self.servers = Servers()

    def adopt(self, job: "Job") -> None:
        """Let a job run that is the test or the playbook that it includes: each workload once."""
        from gxo.runtime.testing.lifecycles import read_sources

        read_sources(job.workloads.values())

    async def due(self, lifecycle: "Lifecycle") -> None:
        """Wait until a workload with the lifecycle is to run."""
        from gxo.runtime.testing.lifecycles import due

        await due(lifecycle, self.clock)

    def make_loop(self, grace: float) -> VirtualLoop:
        """A loop whose time is the test's. grace: as of any job's loop."""
        return VirtualLoop(grace, self.clock, self.servers)
