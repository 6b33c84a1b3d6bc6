"""Starts a test's commands without a network, and without the host's other programs.

    before   curl -s example.com
    after    unshare --map-current-user --net -- curl -s example.com

A command, and all that it starts, then has a network of its own, in which there is nothing. It is
`unshare` of util-linux itself that becomes the command, so process id, group, signals and pipes are
as ever. A network of one's own takes a privilege, or a user namespace, which some hosts and most
containers refuse: that is told. What may be executed is for the kernel as well (landlock.py).
"""

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from gxo.runtime.testing.landlock import Landlock
from gxo.runtime.testing.programs import interpreter, interpreters, of_host

T = TypeVar("T")

WAYS = (("--net",), ("--map-current-user", "--net"), ("--map-root-user", "--net"))
"""As one that has the privilege; in a user namespace; and so with the `unshare` of busybox, which
lets the command believe that it is run by root."""


class Confinement:
    """How the commands of one test are started. Blocks for some milliseconds when it is made.

    words: what stands before a command. notice: what this host does not permit; empty otherwise.
    """

    def __init__(self, path: str, folders: Sequence[str], programs: Iterable[str]) -> None:
        """path: the host's PATH. folders: of the test's own, what is in them may be executed.
        programs: those of the host that may be.
        """
        self._path = path
        self._own = folders
        self._programs = tuple(programs)
        self._scripts: frozenset[str] | None = None
        self._landlock: Landlock | None = None
        self.words, reason = _without_network()
        self.notice = ""
        if not self.words:
            self.notice = (
                "the commands of this test can reach the network, as this host lets nobody take it"
                f" from them: {reason}"
            )

    def start(self, function: Callable[[], T]) -> T:
        """Call what starts a command."""
        landlock = self._held_to()
        return function() if landlock is None else landlock.start(function)

    def close(self) -> None:
        if self._landlock is not None:
            self._landlock.close()
            self._landlock = None

    def _held_to(self) -> Landlock | None:
        """What may be executed now: scripts of the workspace may be new, or other ones."""
        scripts = frozenset(one for folder in self._own for one in interpreters(folder))
        if scripts != self._scripts:
            self.close()
            self._scripts = scripts
            try:
                self._landlock = Landlock(
                    filter(None, self._path.split(os.pathsep)), self._files(scripts)
                )
            except OSError:  # no Linux, or one before 5.13
                self._landlock = None
        return self._landlock

    def _files(self, scripts: frozenset[str]) -> Iterator[str]:
        """The host's programs that a command may execute, or that those are run by."""
        yield from ("/bin/sh", *self.words[:1], *scripts, *self._own, *self._programs)
        yield of_host("cat")  # of the mocks
        for program in self._programs:
            if (script_of := interpreter(program)) is not None:
                yield script_of


def _without_network() -> tuple[list[str], str]:
    """The words before a command that take the network from it; or none, and why."""
    program = of_host("unshare")
    reason = "it has no `unshare`, of util-linux"
    for way in WAYS if os.path.exists(program) else ():
        words = [program, *way, "--"]
        tried = subprocess.run([*words, "/bin/sh", "-c", ":"], capture_output=True, check=False)
        if tried.returncode == 0:
            return words, ""
        reason = tried.stderr.decode(errors="replace").strip().partition("\n")[0]
    return [], reason
