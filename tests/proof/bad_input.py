"""A file of one line of 1 GB is refused in each format, and so are hostile workbooks, in little memory and time."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figure import Figure
from tests.stdlib.data.bad_input import ONE_LINE, packed, parse, workbook_parts, write_one_line

SIZE = 10**9
MOST_MIB = 512
MOST_SECONDS = 60


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        for kind in ONE_LINE:
            path = Path(folder, kind)
            write_one_line(path, kind, round(SIZE * scale))
            yield from figures(folder, kind, f"{kind}: a line of 1 GB", "longer than")
            path.unlink()
        for what, (parts, message) in hostile_workbooks(scale).items():
            Path(folder, "xlsx").write_bytes(packed(parts))
            yield from figures(folder, "xlsx", f"xlsx: {what}", message)


def hostile_workbooks(scale: float) -> dict[str, tuple[dict[str, str], str]]:
    """What unpacks to as much as may be, and what is told of each; nothing where it is read.

    The numbers in them keep it from being packed so well that it is refused for that.
    """

    def many(form: str, count: int) -> str:
        return "".join(
            form.replace("#", str(n * 7919 % 99_991)) for n in range(round(count * scale))
        )

    return {
        "60 MB of junk between rows": (workbook_parts(many('<x a="#"/>', 5 * 10**6)), ""),
        "5 million texts": (
            workbook_parts(texts=many("<si><t>#</t></si>", 5 * 10**6)),
            "more than 4,000,000 texts",
        ),
        "700,000 styles": (
            workbook_parts(
                styles="<cellXfs>" + many('<xf numFmtId="#"/>', 7 * 10**5) + "</cellXfs>"
            ),
            "more than 100,000 styles",
        ),
        "a million names": (
            workbook_parts("".join(f"<a{n}/>" for n in range(round(10**6 * scale)))),
            "more than 10,000 different names",
        ),
    }


def figures(folder: str, kind: str, what: str, message: str) -> Iterator[Figure]:
    """What a process of its own took to read the file that is named for its format."""
    command = [sys.executable, "-m", "tests.proof.bad_input", folder, kind, message]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, mebibytes = map(float, done.stdout.split())
    yield Figure(f"{what}, MiB", mebibytes, MOST_MIB)
    yield Figure(f"{what}, seconds", seconds, MOST_SECONDS)


def main(folder: str, kind: str, message: str) -> None:
    """Print the seconds and the MiB that this process took to fail so, or without a message not to."""
    started = time.monotonic()
    outcome = parse(Path(folder), kind, kind, {"headers": False} if kind == "xlsx" else None)
    if message:
        assert str(outcome.error).startswith(f"cannot parse '{kind}': "), outcome.error
        assert message in str(outcome.error), outcome.error
    else:
        assert outcome.error is None
    print(time.monotonic() - started, peak())


def peak() -> float:
    """The most MiB that this process had; unlike `getrusage`, not what its parent had."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


if __name__ == "__main__":
    main(*sys.argv[1:])
