"""What is shown of a failed test without -v."""

from io import StringIO

from gxo.testrun.results import Failure, Result
from gxo.testrun.shown import MOST_LINES, Console


def shown(log: str, message: str = "it is wrong", verbose: bool = False) -> list[str]:
    stream = StringIO()
    failure = Failure(message, "a.test.gxo.yaml")
    Console(verbose, False, stream).ends(
        Result("a.test.gxo.yaml", "a", "fail", failures=(failure,), log=log)
    )
    return stream.getvalue().splitlines()[2:-2]


def test_the_end_of_a_long_log_is_shown() -> None:
    lines = [f"line {number}" for number in range(MOST_LINES + 2)]
    assert shown("\n".join(lines) + "\n") == [
        "    it printed:",
        "        ... 2 lines before these: see them with -v",
        *(f"        {line}" for line in lines[2:]),
    ]


def test_nothing_is_shown_twice() -> None:
    assert shown("") == []
    assert shown("cannot begin\n", message="cannot begin") == []
    assert shown("12:00:00 failed\n", verbose=True) == []  # it has been shown as it came
