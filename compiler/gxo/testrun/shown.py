"""Shows tests as they end: for people as `go test` does, as JSON lines, or for GitHub.

=== RUN   sync.test.gxo.yaml                      with -v, and then what the test prints
--- FAIL: sync.test (0.05s)
    sync.test.gxo.yaml:9:16: check: 1 of 2 assertions failed
        1: the name: equal to
    it printed:                                   without -v
        12:00:00 info     fetch: completed in 3 ms
FAIL
FAIL    sync.test.gxo.yaml      0.061s
ok      kv.test.gxo.yaml        0.043s
"""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from gxo.compiler.rendering import annotation, painted
from gxo.testrun.coverage import Covered, as_text, total
from gxo.testrun.coverage import as_data as coverage_data
from gxo.testrun.results import Failure, Result

COLOURS = {"ok  ": "32", "PASS": "32", "FAIL": "31", "SKIP": "33"}
WORDS = {"pass": "PASS", "fail": "FAIL", "skip": "SKIP"}


MOST_LINES = 30
"""Lines of its log that are shown of a test that fails: the last ones, where it did."""


class Console:
    """verbose: passing tests too, and all that tests print as they do."""

    def __init__(self, verbose: bool, colour: bool, stream: TextIO) -> None:
        self._verbose = verbose
        self._colour = colour
        self._stream = stream
        self._at_line_start = True

    def begins(self, path: str) -> None:
        if self._verbose:
            self._print(f"=== RUN   {path}\n")

    def prints(self, _path: str, text: str) -> None:
        if self._verbose:
            indented = "".join(f"    {line}" for line in text.splitlines(keepends=True))
            if not self._at_line_start:
                indented = indented.removeprefix("    ")
            self._print(indented)

    def ends(self, result: Result) -> None:
        if not self._at_line_start:
            self._print("\n")
        total = f"{result.total:.3f}s"
        if not result.compiled:
            self._print(f"# {result.path}\n{result.diagnostics}")
            self._print(f"{self._painted('FAIL')}\t{result.path}\t[does not compile]\n")
            return
        if result.status == "skip":
            self._print(
                f"{self._painted('SKIP')}\t{result.path}\t[not run: {result.log.strip()}]\n"
            )
            return
        word = WORDS[result.status]
        if self._verbose or result.failures:
            self._print(f"--- {self._painted(word)}: {result.name} ({result.seconds:.2f}s)\n")
            for failure in result.failures:
                self._print(_indented(_told(failure), 4))
            if not self._verbose:
                self._print(_end_of_log(result))
            self._print(f"{self._painted(word)}\n")
        first = "ok  " if result.status == "pass" else "FAIL"
        self._print(f"{self._painted(first)}\t{result.path}\t{total}\n")

    def closes(self, results: Sequence[Result], seconds: float) -> None:
        """All tests have been told of."""
        counts = counted(results)
        failed = counts["fail"]
        parts = [f"{counts['pass']} passed"] if counts["pass"] or not failed else []
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{counts['skip']} not run"] if counts["skip"] else []
        word = "FAIL" if failed else "ok  " if not counts["skip"] else "SKIP"
        plural = "test" if len(results) == 1 else "tests"
        text = f"{len(results)} {plural}: {', '.join(parts)} ({seconds:.2f}s)"
        self._print(f"{self._painted(word)}\t{text}\n")

    def covers(self, covered: Sequence[Covered]) -> None:
        """What the tests have reached, by playbook."""
        self._print(as_text(covered))

    def writes(self, text: str) -> None:
        """Print a text as it is."""
        self._print(text)

    def _painted(self, word: str) -> str:
        return painted(word, COLOURS[word], self._colour)

    def _print(self, text: str) -> None:
        if text:
            self._at_line_start = text.endswith("\n")
            self._stream.write(text)
            self._stream.flush()


def counted(results: Sequence[Result]) -> dict[str, int]:
    """How many tests passed, failed and were not run."""
    return {word: sum(one.status == word for one in results) for word in WORDS}


def place(failure: Failure) -> str:
    """`file:line:column`, as far as it is known."""
    numbers = [number for number in (failure.line, failure.column) if number]
    return ":".join([failure.file, *map(str, numbers)])


def _told(failure: Failure) -> str:
    about = f"{failure.workload}: " if failure.workload else ""
    return f"{place(failure)}: {about}{failure.message}"


def _indented(text: str, width: int) -> str:
    """The text's lines, those after the first one four columns further in."""
    first, *rest = text.splitlines()
    lines = [" " * width + first, *(" " * (width + 4) + line for line in rest)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _end_of_log(result: Result) -> str:
    """The last of what a failed test has printed, unless its failure tells all of that."""
    log = result.log.strip("\n")
    if not log or any(log.strip() in failure.message for failure in result.failures):
        return ""
    lines = log.split("\n")
    hidden = len(lines) - MOST_LINES
    before = [f"... {hidden} lines before these: see them with -v"] if hidden > 0 else []
    shown = "".join(f"        {line}".rstrip() + "\n" for line in before + lines[-MOST_LINES:])
    return f"    it printed:\n{shown}"


class JsonLines:
    """An object a line, after `go test -json`: `docs/tests.schema.json` says what is in each."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rest = ""

    def begins(self, path: str) -> None:
        self._write("run", path=path)

    def prints(self, path: str, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write("output", path=path, output=f"{line}\n")

    def ends(self, result: Result) -> None:
        if self._rest:
            self._write("output", path=result.path, output=self._rest)
            self._rest = ""
        given: dict[str, Any] = {"path": result.path, "test": result.name}
        if result.status == "skip":
            self._write("skip", **given, reason=result.log.strip())
            return
        given |= {"elapsed": round(result.seconds, 6), "total": round(result.total, 6)}
        if result.failures:
            given["failures"] = [as_data(failure) for failure in result.failures]
        self._write(result.status, **given)

    def closes(self, results: Sequence[Result], seconds: float) -> None:
        counts = counted(results)
        passed, failed, skipped = counts["pass"], counts["fail"], counts["skip"]
        self._write(
            "summary", passed=passed, failed=failed, not_run=skipped, elapsed=round(seconds, 6)
        )

    def covers(self, covered: Sequence[Covered]) -> None:
        self._write("coverage", total=total(covered), files=coverage_data(covered))

    def _write(self, action: str, **given: Any) -> None:
        moment = datetime.fromtimestamp(time.time(), UTC).isoformat().replace("+00:00", "Z")
        line = {"time": moment, "action": action, **given}
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()


def as_data(failure: Failure) -> dict[str, Any]:
    """A failure as JSON lines have it; what is not known is left out."""
    known = {"message": failure.message, "file": failure.file}
    optional = {
        "line": failure.line,
        "column": failure.column,
        "workload": failure.workload,
        "code": failure.code,
        "assertions": list(failure.details),
    }
    return {**known, **{name: value for name, value in optional.items() if value}}


class GitHub:
    """An annotation of GitHub for each failure; the rest is as for people, in the job's log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.begins, self.prints = console.begins, console.prints
        self.covers, self.closes = console.covers, console.closes

    def ends(self, result: Result) -> None:
        self._console.ends(result)
        for failure in result.failures:
            title = failure.code or result.name
            about = f"{failure.workload}: " if failure.workload else ""
            properties: dict[str, str | int] = {"file": failure.file}
            properties |= {"line": failure.line} if failure.line else {}
            properties |= {"col": failure.column} if failure.column else {}
            text = annotation("error", {**properties, "title": title}, about + failure.message)
            self._console.writes(f"{text}\n")


class Silent:
    """For what nobody looks at."""

    def begins(self, path: str) -> None:
        pass

    def prints(self, path: str, text: str) -> None:
        pass

    def ends(self, result: Result) -> None:
        pass
