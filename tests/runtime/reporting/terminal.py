"""A terminal: a pty whose far end is read, and a screen that obeys what gxo writes to it."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
import threading
import tty
from collections.abc import Iterator
from typing import TextIO

from gxo.runtime.reporting.text import columns

_PIECES = re.compile(r"\x1b\[(K|[0-9]*m)|\r|\n|[^\x1b\r\n]+")


class Terminal:
    """stream: what a program writes to. A thread reads it, so that writing never waits."""

    def __init__(self, width: int) -> None:
        self._far, near = pty.openpty()
        tty.setraw(near)
        self.resize(width)
        self.stream: TextIO = os.fdopen(near, "w", encoding="utf-8")
        self._received = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def resize(self, width: int) -> None:
        fcntl.ioctl(self._far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def close(self) -> str:
        """Everything that was written."""
        if not self.stream.closed:
            self.stream.close()
            self._reader.join()
            os.close(self._far)
        return self._received.decode()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # what reading says when the near end is closed
            while piece := os.read(self._far, 1 << 16):
                self._received += piece


@contextlib.contextmanager
def terminal(width: int = 80) -> Iterator[Terminal]:
    made = Terminal(width)
    try:
        yield made
    finally:
        made.close()


def screen(written: str) -> list[str]:
    """The lines that are left on the screen. AssertionError for what it does not understand."""
    lines = [""]
    is_over = False  # the cursor is at the start of a line that has text
    for match in _PIECES.finditer(written):
        piece = match[0]
        if piece == "\n":
            lines.append("")
            is_over = False
        elif piece == "\r":
            is_over = True
        elif piece == "\x1b[K":
            if is_over:
                lines[-1] = ""
                is_over = False
        elif not piece.startswith("\x1b"):
            assert not is_over, f"{piece!r} is written over {lines[-1]!r}"
            lines[-1] += piece
    assert "".join(match[0] for match in _PIECES.finditer(written)) == written
    return lines


def paints(written: str) -> list[str]:
    """The texts of the progress line, one a paint, without colours."""
    painted = re.findall(r"\r\x1b\[K((?:\x1b\[2m)?\d+:\d\d(?::\d\d)?  [^\r\n]*)", written)
    return [re.sub(r"\x1b\[\d*m", "", text) for text in painted]


def widest(written: str) -> int:
    return max((columns(text) for text in paints(written)), default=0)
