"""Kills a process (SIGKILL) before and after each call of the system that replacing a file takes.

    python killed.py FOLDER       writes `state.txt` in it, of which it prints what is left each time

In between, half of what `write` was given is written. Each kill happens to a fork of its own.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.job import Job
from gxo.runtime.main import main
from gxo.runtime.workspace import jail
from gxo.stdlib.filesystem.write import write

CALLS = ("open", "write", "fchmod", "fchown", "fsync", "close", "replace")
OLD, NEW = "old\n" * 30_000, "new\n" * 40_000

job = Job("killed")


@job.workload("write")
async def killed(ctx: Context) -> Any:
    return await write(ctx, path="state.txt", content=NEW, mode="0640")


class Killer:
    """Counts moments, and kills the process at one of them."""

    def __init__(self, moment: int) -> None:
        self._left = moment

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Any) -> Any:
        def wrapped(*given: Any, **more: Any) -> Any:
            if call is os_write:
                given = (given[0], given[1][: len(given[1]) // 2 + 1])
            self.passed()
            result = call(*given, **more)
            self.passed()
            return result

        return wrapped

    def watch(self) -> None:
        """From when the module replaces the file on."""
        replace = jail.Jail.write

        def watched(*given: Any) -> int:
            for name in CALLS:
                setattr(jail.os, name, self.around(getattr(jail.os, name)))
            return replace(*given)

        jail.Jail.write = watched  # type: ignore[method-assign]


os_write = os.write


def left(folder: Path) -> str:
    """`old`, `new` or what else there is; then the names of what else is in the folder."""
    text = (folder / "state.txt").read_text()
    others = sorted(one.name for one in folder.iterdir() if one.name != "state.txt")
    kind = {OLD: "old", NEW: "new"}.get(text, "MIX")
    return " ".join([kind, *others])


def play(folder: Path) -> None:
    moment, status = 0, 1
    while status != 0:
        moment += 1
        for one in folder.iterdir():
            one.unlink()
        (folder / "state.txt").write_text(OLD)
        child = os.fork()
        if child == 0:
            Killer(moment).watch()
            os._exit(main(job, argv=["--workspace", str(folder), "--log-level", "error"]))
        status = os.waitpid(child, 0)[1]
        print(status, left(folder), flush=True)


if __name__ == "__main__":
    play(Path(sys.argv[1]))
