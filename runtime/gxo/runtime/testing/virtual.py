"""The time of a test: real, until only a timer can bring the job on. Then the clock jumps to it.

    a command or a thread runs                       real
    a socket waits for somebody who is no mock       real
    everything waits for 02:30, or for 30 s to pass  at once

A job that waits for nothing at all is told so, as any is; that nobody asks a mock is no exception.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from selectors import SelectorKey

from gxo.runtime.host.clock import Clock
from gxo.runtime.host.eventloop import JobLoop, StallSelector
from gxo.runtime.testing.servers import CAN_TELL, Servers, Way, in_flight

Ready = list[tuple[SelectorKey, int]]

PAUSES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.03, 0.1)
"""Real seconds that are waited in turn for what is on its way between two ends of a connection. On
loopback that is no time; a busy machine may take some. What then has not arrived does not want to.
"""

BLIND_PAUSE = 0.005
"""The same, on a system that does not tell whether anything is on its way."""


class VirtualClock(Clock):
    """The system's clocks, and the seconds that they have jumped (`ahead`)."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def seconds(self) -> float:
        return time.time() + self.ahead

    def outside(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)


class VirtualSelector(StallSelector):
    """Instead of waiting for a timer it moves the clock, when nothing else can come.

    own: the files that the loop has for itself.
    """

    own: frozenset[int]
    is_still: Callable[[], bool]

    def __init__(self, clock: VirtualClock, servers: Servers) -> None:
        super().__init__()
        self._clock = clock
        self._servers = servers

    def select(self, timeout: float | None = None) -> Ready:
        # First, who could wake the loop: a thread may do so just before it ends.
        if timeout == 0 or not self.is_still() or (among := self._connections()) is None:
            return super().select(timeout)
        if ready := self._arrived(among):
            return ready
        if self.met_stall(timeout):
            return []
        if timeout is None:
            return super().select()
        self._clock.ahead += timeout
        return []

    def _connections(self) -> Mapping[Way, SelectorKey] | None:
        """Those to mocks, when nothing else is waited for."""
        if self._servers.busy:
            return None
        files = self.get_map()
        return self._servers.connections(key for key in files.values() if key.fd not in self.own)

    def _arrived(self, among: Mapping[Way, SelectorKey]) -> Ready:
        """What has come, or comes within no time."""
        if not CAN_TELL:
            return super().select(BLIND_PAUSE if among else 0)
        for pause in PAUSES:
            if (ready := super().select(pause)) or not in_flight(among):
                return ready
        return []


class VirtualLoop(JobLoop):
    """The loop of a test, whose clock jumps."""

    def __init__(self, grace: float, clock: VirtualClock, servers: Servers) -> None:
        """grace: as of any job. servers: the mocks."""
        self._clock = clock
        selector = VirtualSelector(clock, servers)
        selector.is_still = lambda: not (self._has_live_threads() or self.has_commands)
        super().__init__(grace, selector)
        selector.own = frozenset(key.fd for key in selector.get_map().values())

    def time(self) -> float:
        return super().time() + self._clock.ahead
