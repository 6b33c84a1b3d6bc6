"""JUnit's XML: what those who read it allow, and what stands in it."""

from xml.etree import ElementTree

from gxo.testrun.junit import junit
from gxo.testrun.results import Failure, Result

# What the schema of Jenkins' xUnit plugin (junit-10) lets each element have; the first are required.
ALLOWED = {
    "testsuites": ([], ["name", "tests", "failures", "errors", "time"], ["testsuite"]),
    "testsuite": (
        ["name", "tests", "failures", "errors"],
        ["skipped", "time", "timestamp", "file"],
        ["testcase"],
    ),
    "testcase": (["name"], ["classname", "time"], ["skipped", "error", "failure", "system-out"]),
    "failure": ([], ["type", "message"], []),
    "error": ([], ["type", "message"], []),
    "skipped": ([], ["type", "message"], []),
    "system-out": ([], [], []),
}
RESULTS = [
    Result("a.test.gxo.yaml", "a", "pass", 0.05, 0.06, log="12:00:00 info  done\n"),
    Result(
        "b.test.gxo.yaml",
        "b <&>",
        "fail",
        0.1,
        0.2,
        (Failure('1 of 2 failed\n  "x" < \x1b[31m', "b.test.gxo.yaml", 3, 7, "check"),),
    ),
    Result(
        "c.test.gxo.yaml",
        "c",
        "fail",
        total=0.01,
        failures=(Failure("`x` is not defined", "c.test.gxo.yaml", 4, 2, code="GXO0301"),),
        compiled=False,
        diagnostics="c.test.gxo.yaml:4:2: error[GXO0301]: `x` is not defined\n",
    ),
    Result("d.test.gxo.yaml", "d", "skip", log="another test failed\n"),
]


def read() -> ElementTree.Element:
    return ElementTree.fromstring(junit(RESULTS, 1.5, 1_800_000_000.0))


def test_it_has_what_the_schema_allows() -> None:
    for element in read().iter():
        required, optional, children = ALLOWED[element.tag]
        assert set(required) <= set(element.keys()) <= {*required, *optional}, element.tag
        assert {child.tag for child in element} <= {*children}, element.tag
        assert not element.get("time") or float(element.attrib["time"]) >= 0


def test_counts() -> None:
    root = read()
    assert root.attrib == {
        "name": "gxo test", "tests": "4", "failures": "1", "errors": "1", "time": "1.500",
    }  # fmt: skip
    assert [(one.get("failures"), one.get("errors"), one.get("skipped")) for one in root] == [
        ("0", "0", "0"),
        ("1", "0", "0"),
        ("0", "1", "0"),
        ("0", "0", "1"),
    ]


def test_what_is_told_of_each() -> None:
    passed, failed, broken, skipped = (suite[0] for suite in read())
    assert passed.findtext("system-out") == "12:00:00 info  done\n"
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("message") == "1 of 2 failed"
    # An escape character cannot be written in XML at all.
    assert (
        failure.text == 'b.test.gxo.yaml:3:7: 1 of 2 failed\n  "x" < \N{REPLACEMENT CHARACTER}[31m'
    )
    assert broken.findtext("error") == RESULTS[2].diagnostics
    reason = skipped.find("skipped")
    assert reason is not None and reason.get("message") == "another test failed"
