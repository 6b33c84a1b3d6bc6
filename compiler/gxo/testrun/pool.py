"""Runs tests, so many at once, each in a process of its own; tells of them in their order.

    a ████████ b ███ d ██████       two at once
    c ██████████████ e ███          a told, b told, c told as it runs, ...

What the test whose turn it is prints is passed on as it comes; what later ones print waits.
"""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Protocol

from gxo.testrun.child import Child
from gxo.testrun.finding import name_of
from gxo.testrun.results import Account, Result, ended

GRACE = 5.0
"""Seconds that a job has to end in order, once it is told to."""

INTERRUPTED, OTHER_FAILED = "interrupted", "another test failed"


class Listener(Protocol):
    """Is told of tests, one after the other in their order."""

    def begins(self, path: str) -> None:
        """What follows is about this test, which may run already."""

    def prints(self, path: str, text: str) -> None:
        """The test has printed this."""

    def ends(self, result: Result) -> None:
        """The test is over, or is not to run."""


@dataclass(slots=True)
class Limits:
    """at_once: processes. seconds: of each test; shown: the same as it was given."""

    at_once: int
    seconds: float
    shown: str
    failfast: bool = False


@dataclass(slots=True)
class _Running:
    number: int
    child: Child
    account: Account
    deadline: float
    log: list[str] = field(default_factory=list)
    shown: int = 0
    timed_out: bool = False
    ending: str | None = None
    result: Result | None = None


class Pool:
    """accounts: what each test that has run has told. interrupted: by the signal of that number."""

    def __init__(
        self,
        tests: Sequence[str],
        run: Callable[[str, int, int], int],
        limits: Limits,
        listener: Listener,
    ) -> None:
        """run: is called in each process, with path, number, and descriptor (`inside.run_test`)."""
        self._tests = tests
        self._run = run
        self._limits = limits
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._running: list[_Running] = []
        self._by_number: dict[int, _Running] = {}
        self._next = 0
        self._turn = 0
        self._has_begun = False
        self._stopped = False
        self._is_urgent = False
        self.interrupted = 0
        self.results: list[Result] = []
        self.accounts: list[Account] = []

    def run(self) -> list[Result]:
        """Run all; returns the results in the order of the tests."""
        with self._signals():
            try:
                while self._turn < len(self._tests):
                    if not self.interrupted:
                        self._start()
                    self._tell()
                    if self._running:
                        self._wait()
                        self._look_after()
            finally:
                self._kill_all()
                self._selector.close()
        return self.results

    def _start(self) -> None:
        while (
            not self._stopped
            and self._next < len(self._tests)
            and len(self._running) < self._limits.at_once
        ):
            number, self._next = self._next, self._next + 1
            path = self._tests[number]
            child = Child(partial(self._run, path, number))
            one = _Running(number, child, Account(path), child.started + self._limits.seconds)
            self._running.append(one)
            self._by_number[number] = one
            for pipe in (child.log_pipe, child.told_pipe):
                self._selector.register(pipe, selectors.EVENT_READ, one)

    def _wait(self) -> None:
        """Wait until a process tells or ends, or its time is over."""
        now = time.monotonic()
        left = min(one.deadline for one in self._running) - now
        for key, _ in self._selector.select(max(0.0, left)):
            if key.data is None:
                os.read(key.fd, 4096)
                continue
            self._listen(key.data)
            if key.fd in key.data.child.closed:
                self._selector.unregister(key.fd)

    def _listen(self, one: _Running) -> None:
        if text := one.child.read_log():
            one.log.append(text)
        told = one.child.read_told()  # always, or it would wait for somebody to read
        if not one.timed_out:  # what it tells as it is ended is no more than that
            for line in told:
                one.account.take(line)

    def _look_after(self) -> None:
        if self.interrupted and not self._stopped:
            self._stop(INTERRUPTED)
        if self._is_urgent:
            for one in self._running:
                one.child.kill()
        now = time.monotonic()
        for one in list(self._running):
            if one.child.reap():
                self._end(one)
            elif now >= one.deadline:
                self._hurry(one, now)

    def _hurry(self, one: _Running, now: float) -> None:
        """Its time is over: that of the test, or that to end in order."""
        if one.timed_out or one.ending is not None:
            one.child.kill()
        else:
            one.timed_out = True
            one.child.interrupt()
        one.deadline = now + GRACE

    def _end(self, one: _Running) -> None:
        child = one.child
        self._listen(one)
        for pipe in {child.log_pipe, child.told_pipe} & self._selector.get_map().keys():
            self._selector.unregister(pipe)
        child.close()
        self._running.remove(one)
        one.log.append(child.left_out())
        assert child.status is not None
        seconds = time.monotonic() - child.started
        timed_out = self._limits.shown if one.timed_out else None
        result = ended(one.account, child.status, seconds, "".join(one.log), timed_out)
        if one.ending is not None:
            result = not_run(result.path, one.ending)
        else:
            self.accounts.append(one.account)
        one.result = result
        if result.status == "fail" and self._limits.failfast:
            self._stop(OTHER_FAILED)

    def _stop(self, why: str) -> None:
        """Start no more, and have those that run end in order."""
        self._stopped = True
        for one in self._running:
            if one.ending is None:
                one.ending = why
                one.child.interrupt()
                one.deadline = time.monotonic() + GRACE

    def _tell(self) -> None:
        """Pass on what there is of the test whose turn it is, and of those after it."""
        while self._turn < len(self._tests):
            one = self._by_number.get(self._turn)
            if one is None:
                if not self._stopped and not self.interrupted:
                    return
                why = INTERRUPTED if self.interrupted else OTHER_FAILED
                self._tell_result(not_run(self._tests[self._turn], why))
                continue
            if not self._has_begun and (one.result is None or one.result.status != "skip"):
                self._has_begun = True
                self._listener.begins(self._tests[self._turn])
            if self._has_begun and (text := "".join(one.log[one.shown :])):
                one.shown = len(one.log)
                self._listener.prints(self._tests[self._turn], text)
            if one.result is None:
                return
            self._tell_result(one.result)

    def _tell_result(self, result: Result) -> None:
        self._listener.ends(result)
        self.results.append(result)
        self._by_number.pop(self._turn, None)
        self._turn += 1
        self._has_begun = False

    def _kill_all(self) -> None:
        """End whatever is left, when this was left by an exception."""
        for one in self._running:
            one.child.kill()
            os.waitpid(one.child.pid, 0)
            one.child.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The end of a child wakes the selector; INT, TERM and HUP end all in order, a second one
        at once.
        """
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._selector.register(reading, selectors.EVENT_READ, None)
        woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

        def on_signal(number: int, _frame: FrameType | None) -> None:
            self._is_urgent = bool(self.interrupted)
            self.interrupted = number

        before = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None)}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(woken)
            os.close(reading)
            os.close(writing)


def not_run(path: str, why: str) -> Result:
    """The result of a test that was not run to its end, because of something else."""
    return Result(path, name_of(path), "skip", log=f"{why}\n")
