"""How a test has ended, as its process has told, and as its process has ended.

{"test": "sync.test", "workloads": {"fetch": 9}}
{"began": "fetch"}                            Result("sync.test.gxo.yaml", "fail", 0.05, (
{"ended": "fetch", "status": "Failed", ...}       Failure("503 ...", "sync.test.gxo.yaml", 9),))
{"failed": "workload 'fetch' failed: ..."}
"""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gxo.runtime.testing.session import UNMET
from gxo.testrun.finding import name_of

Status = Literal["pass", "fail", "skip"]

INCLUDED = "included"
"""How lines say that they are about the playbook which the test includes."""

KILLED_FOR_MEMORY = "; the system does so when there is no memory left"


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong, and where in a playbook; line 0 when that is not known.

    details: of the assertions that do not hold, as `test:assert` tells them. code: of what the
    compiler found.
    """

    message: str
    file: str
    line: int = 0
    column: int = 0
    workload: str | None = None
    details: Sequence[Mapping[str, Any]] = ()
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """path: as it was found. name: the playbook's. seconds: real ones, without compiling; total:
    with all. failures: none if it passed. log: what the job has printed. compiled: False when the
    compiler has refused it; then `diagnostics` shows why. `skip` is a test that was not run.
    """

    path: str
    name: str
    status: Status
    seconds: float = 0.0
    total: float = 0.0
    failures: tuple[Failure, ...] = ()
    log: str = ""
    compiled: bool = True
    diagnostics: str = ""


@dataclass(slots=True)
class Program:
    """What is known of a playbook that runs: its path, the line of each workload, and the line and
    column of a test's `expect`.
    """

    path: str
    lines: Mapping[str, int]
    expect: tuple[int, int] = (0, 0)

    def line(self, workload: str) -> int:
        """That of the workload; 0 when it is not known."""
        return self.lines.get(workload, 0)


@dataclass(slots=True)
class Account:
    """What the process of a test has told so far; `take` each line.

    running: workloads, each with the playbook that it is of ("" for the test itself). reached: by
    that playbook, workloads and steps that ran, with `:true` and `:false` what `when` said.
    """

    path: str
    name: str = ""
    compiled: bool = True
    diagnostics: str = ""
    found: list[Failure] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    points: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    running: dict[tuple[str, str], None] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)
    seconds: float | None = None
    code: int | None = None
    _errors: list[tuple[str, str]] = field(default_factory=list)
    _failed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def take(self, line: Mapping[str, Any]) -> None:
        """Take one line that the process has told."""
        of = line.get("of", "")
        match line:
            case {"test": name, "compiled": compiled}:
                self.name, self.compiled = name, compiled
                self.diagnostics = line["diagnostics"]
                self.found = [Failure(**one) for one in line["found"]]
                self.inputs = line["inputs"]
            case {"program": path, "lines": lines}:
                self.programs[of] = Program(path, lines, (line["expect"][0], line["expect"][1]))
                self.points[path] = line["points"]
            case {"began": workload}:
                self.running[of, workload] = None
                self._reach(of, workload, line.get("when"), ran=True)
            case {"ended": workload}:
                self.running.pop((of, workload), None)
                self._reach(of, workload, line.get("when"), ran=False)
                if line["status"] == "Failed":  # an ignored one too: an assertion is heeded
                    self._failed[of, workload] = dict(line)
            case {"step": step, "wanted": wanted}:
                self._reach(of, step, wanted, ran=wanted)
            case {"failed": error}:
                self._errors.append((of, error))
            case {"code": code, "seconds": seconds}:
                self.code, self.seconds = code, seconds

    def _reach(self, of: str, name: str, when: bool | None, *, ran: bool) -> None:
        reached = self.reached.setdefault(of, set())
        if ran:
            reached.add(name)
        if when is not None:
            reached.add(f"{name}:{str(when).lower()}")

    def failures(self) -> tuple[Failure, ...]:
        """What the test has failed of; then, as it may be why, what the included playbook has."""
        own = [self._failure(of, error) for of, error in self._errors if not of]
        others = [self._failure(of, error) for of, error in self._errors if of]
        return (*own, *others) if own else ()

    def _failure(self, of: str, error: str) -> Failure:
        program = self.program(of)
        about = f"{of}/" if of else ""
        for (where, workload), line in self._failed.items():
            if where == of and error.endswith(f"workload '{workload}' failed: {line['error']}"):
                break
        else:
            number, column = program.expect if error == UNMET else (0, 0)
            return Failure(f"{about}{error}", program.path, number, column)
        file, number, column = program.path, program.line(workload), 0
        if "place" in line:
            name, number, column = line["place"]
            file = beside(program.path, name)
        place = f" ({os.path.basename(file)}:{number}:{column})"
        message = line["error"].removesuffix(place)
        details = line.get("assertions", ())
        if details and "line" in details[0]:  # the first that does not hold says best where
            number, column = details[0]["line"], details[0]["column"]
        return Failure(message, file, number, column, f"{about}{workload}", details)

    def program(self, of: str) -> Program:
        """The playbook; as long as nothing is told of it, that of the test, without lines."""
        return self.programs.get(of) or Program(self.path, {})

    def still_running(self) -> str:
        """Each with its place: `'fetch' (sync.test.gxo.yaml:9), 'notify' (sync.gxo.yaml:20)`."""
        shown = []
        for of, workload in self.running:
            program = self.program(of)
            shown.append(f"'{workload}' ({program.path}:{program.line(workload)})")
        return ", ".join(shown)


def beside(path: str, name: str) -> str:
    """The path of a file that lies where `path` does."""
    return os.path.join(os.path.dirname(path), name)


def ended(account: Account, status: int, seconds: float, log: str, timed_out: str | None) -> Result:
    """The result of a test whose process has ended with this status of `os.waitpid`.

    timed_out: the time that it had, when it took longer.
    """
    failures: tuple[Failure, ...] = ()
    if timed_out is not None:
        failures = (_unplaced(account, f"it took longer than {timed_out}"),)
    elif not account.compiled:
        failures = tuple(account.found)
    elif account.code is None:
        failures = (_unplaced(account, _how(status)),)
    elif account.code:
        # What ended it before it could begin is only in what it has printed.
        why = log.strip() or f"the job ended with exit code {account.code}"
        failures = account.failures() or (Failure(why, account.path),)
    return Result(
        account.path,
        account.name or name_of(account.path),
        "fail" if failures else "pass",
        seconds if account.seconds is None else account.seconds,
        seconds,
        failures,
        log,
        account.compiled,
        account.diagnostics,
    )


def _unplaced(account: Account, what: str) -> Failure:
    """A failure of the whole process, with the place of the first workload that ran."""
    if not account.running:
        return Failure(f"{what}, and no workload ran", account.path)
    of, workload = next(iter(account.running))
    program = account.program(of)
    if len(account.running) > 1:
        what = f"{what}; these ran: {account.still_running()}"
    return Failure(what, program.path, program.line(workload), workload=workload)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name
        more = KILLED_FOR_MEMORY if number == signal.SIGKILL else ""
        return f"the test's process was killed by {name}{more}"
    return f"the test's process ended with exit code {os.WEXITSTATUS(status)} before the test had"
