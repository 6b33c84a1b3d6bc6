"""`gxo test --watch`: runs again the tests that a change concerns.

    deploy.gxo.yaml changes    ->    each test that was made from it, such as one that includes it
    new.test.gxo.yaml appears  ->    that one

What a test was made from its process has told (`Compilation.inputs`): files, and folders whose
listing matters. Their status is looked at a few times a second; nothing is installed for it.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import TextIO

from gxo.compiler.package.run_store import COARSE
from gxo.testrun.finding import PathError
from gxo.testrun.results import Account
from gxo.testrun.running import Outcome

INTERVAL = 0.3
"""Seconds between two looks."""

CLEAR = "\x1b[H\x1b[2J\x1b[3J"

Find = Callable[[], tuple[list[str], list[str]]]
Run = Callable[[Sequence[str], Sequence[str], Sequence[Account]], Outcome]
"""Is given the tests to run, the other playbooks, and what the tests that do not run have told."""

_Status = tuple[int, int, int, int] | None


class Watch:
    """What the tests were made from, and how that looked when they ran."""

    def __init__(self, find: Find, run: Run, stream: TextIO) -> None:
        self._find = find
        self._run = run
        self._stream = stream
        self._accounts: dict[str, Account] = {}
        self._seen: dict[str, dict[str, _Status]] = {}

    def watch(self) -> int:
        """Run all tests, then those that changes concern, until a signal; returns its number."""
        tests, others = self._find()
        concerned = tests
        while True:
            if outcome := self._look_at(concerned, others):
                return outcome
            concerned = []
            while not concerned:
                Event().wait(INTERVAL)
                try:
                    tests, others = self._find()
                except PathError:  # it may be back in a moment: editors replace what they save
                    continue
                self._forget_all_but(tests)
                concerned = [path for path in tests if self._has_changed(path)]

    def _look_at(self, tests: Sequence[str], others: Sequence[str]) -> int:
        """Run these tests; the number of the signal that interrupted them, or 0."""
        if self._stream.isatty():
            self._stream.write(CLEAR)
        started = time.time_ns() - COARSE
        others_told = [one for path, one in self._accounts.items() if path not in tests]
        outcome = self._run(tests, others, others_told)
        told = {account.path: account for account in outcome.accounts}
        for path in tests:
            inputs = told[path].inputs if path in told else []
            self._seen[path] = _statuses({path, *inputs}, started)
        self._accounts |= told
        if not outcome.interrupted:
            count = len(self._seen)
            plural = "test" if count == 1 else "tests"
            self._stream.write(f"watching {count} {plural}; Ctrl-C ends\n")
            self._stream.flush()
        return outcome.interrupted

    def _forget_all_but(self, tests: Sequence[str]) -> None:
        for path in self._seen.keys() - set(tests):
            del self._seen[path]
            self._accounts.pop(path, None)

    def _has_changed(self, path: str) -> bool:
        seen = self._seen.get(path)
        return seen is None or any(_status(one) != status for one, status in seen.items())


def _statuses(paths: Iterable[str], started: int) -> dict[str, _Status]:
    """How each looks now; what has changed while the tests ran is as good as never seen."""
    found: dict[str, _Status] = {}
    for path in paths:
        status = _status(path)
        changed = status is not None and max(status[2:]) >= started
        found[path] = (-1, 0, 0, 0) if changed else status
    return found


def _status(path: str) -> _Status:
    """What of a file or folder differs once its content has changed; None while it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
