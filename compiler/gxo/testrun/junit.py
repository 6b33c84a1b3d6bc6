"""The results as JUnit's XML, as Jenkins and GitLab read it: a test suite a file, one case in it.

    <testsuites name="gxo test" tests="2" failures="1" errors="0" time="0.104">
      <testsuite name="sync.test.gxo.yaml" file="sync.test.gxo.yaml" tests="1" failures="1" ...>
        <testcase classname="sync.test.gxo.yaml" name="sync.test" time="0.052">
          <failure type="Failed" message="...">sync.test.gxo.yaml:9: ...</failure>

What does not compile is an `error`, what was not run is `skipped`.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from gxo.testrun.results import Result
from gxo.testrun.shown import counted, place

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result], seconds: float, started: float) -> str:
    """The document. started: seconds since 1970."""
    moment = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    errors = sum(not one.compiled for one in results)
    counts = counted(results)
    totals = _attributes(
        name="gxo test",
        tests=len(results),
        failures=counts["fail"] - errors,
        errors=errors,
        time=f"{seconds:.3f}",
    )
    suites = "".join(_suite(one, moment) for one in results)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{totals}>\n{suites}</testsuites>\n'


def _suite(result: Result, moment: str) -> str:
    failed = result.status == "fail"
    suite = _attributes(
        name=result.path,
        file=result.path,
        tests=1,
        failures=int(failed and result.compiled),
        errors=int(not result.compiled),
        skipped=int(result.status == "skip"),
        time=f"{result.total:.3f}",
        timestamp=moment,
    )
    case = _attributes(classname=result.path, name=result.name, time=f"{result.seconds:.3f}")
    return (
        f"  <testsuite{suite}>\n    <testcase{case}>\n{''.join(_parts(result))}"
        "    </testcase>\n  </testsuite>\n"
    )


def _parts(result: Result) -> list[str]:
    """What is inside of a case."""
    if result.status == "skip":
        return [f"      <skipped{_attributes(message=result.log.strip())}/>\n"]
    parts = []
    if result.failures:
        tag, kind = ("failure", "Failed") if result.compiled else ("error", "DoesNotCompile")
        text = result.diagnostics or "\n".join(
            f"{place(one)}: {one.message}" for one in result.failures
        )
        head = _attributes(type=kind, message=result.failures[0].message.partition("\n")[0])
        parts.append(f"      <{tag}{head}>{_text(text)}</{tag}>\n")
    if result.log:
        parts.append(f"      <system-out>{_text(result.log)}</system-out>\n")
    return parts


def _attributes(**given: object) -> str:
    return "".join(f" {name}={quoteattr(_clean(str(value)))}" for name, value in given.items())


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Without the characters that XML has no way to write."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
