"""The event loop of a job: asyncio's, which also notices when nothing can ever happen again."""

import asyncio
import selectors
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from gxo.runtime.host.threads import Threads
    from gxo.runtime.host.watcher import CommandWatcher
    from gxo.runtime.testing.session import Session

T = TypeVar("T")

LARGE = 100_000
"""Bytes: to go through more of them can take milliseconds, and a thread takes less."""


class StallSelector(selectors.DefaultSelector):
    """Asked to wait for nothing but the loop's own wake-up pipe, and timers that only look on, it
    has met a job that can make no progress. It then asks `on_stall`, which may give the loop
    something to do.

    limit: called before each wait with how long it may be, returns how long it is to be at most.
    """

    on_stall: Callable[[], bool] | None = None
    only_onlookers: Callable[[], bool]
    limit: Callable[[float | None], float | None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout != 0 and self.is_alone and self.met_stall(timeout):
            return []
        if self.limit is not None:
            timeout = self.limit(timeout)
        return super().select(timeout)

    @property
    def is_alone(self) -> bool:
        """Whether it is asked to wait for no file but the loop's own pipe."""
        return len(self.get_map()) == 1

    def met_stall(self, timeout: float | None) -> bool:
        """Whether no timer can bring the job on either, and `on_stall` has dealt with that."""
        if self.on_stall is None:
            return False
        return (timeout is None or self.only_onlookers()) and self.on_stall()


class JobLoop(asyncio.SelectorEventLoop):
    """Blocking calls of asyncio itself (`to_thread`, name look-ups) go to the job's own threads.

    testing: of a test, what it is held to until the loop ends; None for any other job.
    """

    def __init__(self, grace: float, selector: StallSelector | None = None) -> None:
        """grace: seconds that `end` waits for what does not end by itself."""
        self._grace = grace
        self._job_selector = selector or StallSelector()
        self._job_selector.only_onlookers = self._only_onlookers
        self._onlookers: set[asyncio.TimerHandle] = set()
        super().__init__(self._job_selector)
        self._threads: Threads | None = None
        self._watcher: CommandWatcher | None = None
        self.testing: Session | None = None
        self._others = set(threading.enumerate())

    @property
    def threads(self) -> "Threads":
        """The job's threads, started when they are needed."""
        if self._threads is None:
            from gxo.runtime.host.threads import Threads  # start-up: few small jobs need one

            self._threads = Threads(self)
        return self._threads

    @property
    def watcher(self) -> "CommandWatcher":
        """Starts the job's commands and sees to it that they die with the job."""
        if self._watcher is None:
            from gxo.runtime.host.watcher import CommandWatcher  # start-up: only with commands

            self._watcher = CommandWatcher(
                lambda text: self.call_exception_handler({"message": text})
            )
        return self._watcher

    @property
    def has_commands(self) -> bool:
        """Whether one of the job's commands runs."""
        return self._watcher is not None and self._watcher.has_commands

    def kill_commands(self) -> None:
        """Kill all commands that run, with their groups."""
        if self._watcher is not None:
            self._watcher.kill()

    async def offload(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """Call what computes: in a thread if `size` (bytes) is LARGE, else here and now."""
        if size <= LARGE:
            return function(*args)
        return await self.threads.call(function, *args)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        return self.threads.submit(lambda: func(*args))

    def look_on(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """`call_later` for what brings no workload on, such as a limit for the whole job: a job
        that waits for nothing else can make no progress.
        """
        timer = self.call_later(delay, callback)
        self._onlookers.add(timer)
        return timer

    def _only_onlookers(self) -> bool:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return all(timer.cancelled() or timer in self._onlookers for timer in timers)

    def watch_for_stalls(self, stalled: Callable[[], None]) -> None:
        """Call `stalled` once when no file, timer, thread or child can wake the loop any more."""

        def on_stall() -> bool:
            if self._has_live_threads():
                return False
            self._job_selector.on_stall = None
            stalled()
            return True

        self._job_selector.on_stall = on_stall

    def limit_waits(self, limit: Callable[[float | None], float | None]) -> None:
        """Ask `limit` before each wait how long it may be at most; it gets what was intended.

        Waits that are cut short so do not keep a stall from being noticed.
        """
        self._job_selector.limit = limit

    def end(self, abandoned: Iterable["asyncio.Task[Any]"]) -> None:
        """Cancel what modules have left running, end threads and commands, and close the loop.

        abandoned: tasks that are not waited for.
        """
        left = asyncio.all_tasks(self).difference(abandoned)
        for task in left:
            task.cancel()
        self.run_until_complete(self._end(left))
        if self._watcher is not None:
            self._watcher.close()
        if self.testing is not None:
            self.testing.end()
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it has been reported
        self.close()

    async def _end(self, left: "set[asyncio.Task[Any]]") -> None:
        if left:
            await asyncio.wait(left, timeout=self._grace)
        await self.shutdown_asyncgens()
        if self._threads is not None:
            await self._threads.close(self._grace)

    def _has_live_threads(self) -> bool:
        ours = self._threads
        if ours is not None and ours.busy:
            return True
        known = self._others | (ours.all if ours is not None else set())
        return any(thread not in known for thread in threading.enumerate())
