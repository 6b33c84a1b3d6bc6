"""A file of one line of 1 GB is refused, in each format, in bounded memory and time."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figure import Figure
from tests.stdlib.data.bad_input import ONE_LINE, parse, write_one_line

SIZE = 10**9
MOST_MIB = 512
MOST_SECONDS = 60


def prove(scale: float) -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        for kind in ONE_LINE:
            path = Path(folder, kind)
            write_one_line(path, kind, round(SIZE * scale))
            command = [sys.executable, "-m", "tests.proof.bad_input", folder, kind]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            path.unlink()
            seconds, mebibytes = map(float, done.stdout.split())
            yield Figure(f"{kind}: MiB to refuse a line of 1 GB", mebibytes, MOST_MIB)
            yield Figure(f"{kind}: seconds", seconds, MOST_SECONDS)


def main(folder: str, kind: str) -> None:
    """Print the seconds and the MiB that this process took."""
    started = time.monotonic()
    outcome = parse(Path(folder), kind, kind)
    assert str(outcome.error).startswith(f"cannot parse '{kind}': "), outcome.error
    assert "longer than" in str(outcome.error), outcome.error
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.monotonic() - started, most)


if __name__ == "__main__":
    main(*sys.argv[1:])
