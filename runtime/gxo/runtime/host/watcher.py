"""A job's commands die with it, even when it is killed: a tiny process watches over them.

    job      8123 0        a command is about to start, with the pipe 8123 as its standard output
             8123 4711     it has started, and leads the process group 4711
             8123 -1       it has ended and will now be reaped: its number may become another's
    watcher  waits for the end of what the job writes, and kills the groups that are still listed

The system closes the job's end of the pipe however the job ends, and not before a command that it
was just starting runs by itself. A job that is killed before it could tell the number of such a
command has told its pipe: the watcher then finds it by that. So there is no moment at which a
command can be left behind. What leaves its process group is not found.

Not imported by a job that runs no command.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

# Only built-in modules: `os` and `signal` would cost as much again as Python's own start.
PROGRAM = """\
import _signal, posix

for number in (1, 2, 15):  # HUP, INT, TERM: who ends the job in order may well send them to all
    _signal.signal(number, _signal.SIG_IGN)

groups = {}
rest = b""
while piece := posix.read(0, 65536):
    *lines, rest = (rest + piece).split(b"\\n")
    for line in lines:
        pipe, group = map(int, line.split())
        groups[pipe] = group
        if group < 0:
            del groups[pipe]

def kill(find_group):
    try:
        posix.killpg(find_group(), 9)
    except (OSError, ValueError):
        pass  # it has ended meanwhile

for group in groups.values():
    if group > 0:
        kill(lambda: group)
starting = {f"pipe:[{pipe}]" for pipe, group in groups.items() if group == 0}
for name in posix.listdir("/proc") if starting else ():
    try:
        if posix.readlink(f"/proc/{name}/fd/1") in starting:
            kill(lambda: posix.getpgid(int(name)))
    except OSError:
        pass  # no process, or another user's
"""

STARTING, ENDED = 0, -1


class CommandWatcher:
    """The commands of one job, and the process that kills them when the job has been killed.

    It is started with the first command. Without it the job goes on, and `complain` is told once.
    """

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._pipes: dict[int, int] = {}  # of each group, by which the watcher knows it
        self._process: subprocess.Popen[bytes] | None = None
        self._writing = -1
        self._given_up = False

    def begin(self) -> None:
        """Start the watching process now, rather than with the first command."""
        if self._process is None and not self._given_up:
            self._begin()

    def start(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, its output a pipe, as `subprocess.Popen` does.

        Call `forget` before it is reaped.
        """
        reading, writing = os.pipe()
        pipe = os.fstat(writing).st_ino
        try:
            self._tell(pipe, STARTING)
            popen = subprocess.Popen(argv, stdout=writing, start_new_session=True, **options)
        except BaseException:
            os.close(reading)
            self._tell(pipe, ENDED)
            raise
        finally:
            os.close(writing)
        self._pipes[popen.pid] = pipe
        self._tell(pipe, popen.pid)
        popen.stdout = open(reading, "rb", buffering=0)  # noqa: SIM115 - the command's owner closes it
        return popen

    @property
    def has_commands(self) -> bool:
        """Whether one runs."""
        return bool(self._pipes)

    def forget(self, group: int) -> None:
        """The command that leads the group has ended. Harmless when repeated."""
        pipe = self._pipes.pop(group, None)
        if pipe is not None:
            self._tell(pipe, ENDED)

    def kill(self) -> None:
        """Kill every command that runs, with its group."""
        for group in list(self._pipes):
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:  # another user's by now
                continue

    def close(self) -> None:
        """Kill what still runs, and end the watching process."""
        self.kill()
        self._pipes.clear()
        self._end()

    def _tell(self, pipe: int, group: int) -> None:
        self.begin()
        if self._process is None:
            return
        try:
            os.write(self._writing, b"%d %d\n" % (pipe, group))
        except OSError as error:  # killed; or stopped, and the pipe is full
            self._give_up(error)

    def _begin(self) -> None:
        reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        library_path = os.environ.get("LD_LIBRARY_PATH")  # some Pythons do not start without
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", PROGRAM],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={} if library_path is None else {"LD_LIBRARY_PATH": library_path},
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._writing)
            self._give_up(error)
        finally:
            os.close(reading)

    def _give_up(self, error: OSError) -> None:
        self._given_up = True
        self._end()
        self._complain(
            "nobody watches over the job's commands, and some may go on if it is killed: "
            f"{error.strerror}"
        )

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()  # first: at the pipe's end it would kill what is listed
        self._process.wait()
        self._process = None
        os.close(self._writing)
