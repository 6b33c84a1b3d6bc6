"""A headless Chromium: what it makes of a page, and what that looks like.

Where there is none, tests are left out and say so; in CI, which installs it
(`tests/tools/chromium/install.sh`), that is a failure.
"""

import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root, and open nothing but their own pages
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
LIGHT, DARK = "preferredColorScheme=1", "preferredColorScheme=0"

Pixel = tuple[int, int, int]


def run(page: Path, *options: str, width: int = 1280, height: int = 1000) -> str:
    """Open the page; returns what Chromium prints."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium: tests/tools/chromium/install.sh installs it")
        pytest.skip("there is no Chromium: tests/tools/chromium/install.sh installs it")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    size = f"--window-size={width},{height}"
    done = subprocess.run(
        [CHROMIUM, *OPTIONS, profile, size, *options, page.as_uri()],
        env={"PATH": os.environ["PATH"], "HOME": str(page.parent)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def picture(page: Path, *, scheme: str = LIGHT, width: int = 1280, height: int = 1000) -> "Picture":
    """What the page looks like."""
    target = page.parent / "picture.png"
    target.unlink(missing_ok=True)
    options = (f"--screenshot={target}", f"--blink-settings={scheme}")
    run(page, *options, width=width, height=height)
    return Picture(target.read_bytes())


class Picture:
    """The pixels of a PNG as Chromium writes them: 8 bits a channel, not interlaced."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        self.width, self.height, depth, kind = struct.unpack(">IIBB", data[16:26])
        assert depth == 8 and kind in (2, 6)
        self._channels = 3 if kind == 2 else 4
        self._lines = self._unfiltered(zlib.decompress(b"".join(_chunks(data, b"IDAT"))))

    def pixel(self, x: int, y: int) -> Pixel:
        """Red, green and blue, 0 to 255."""
        red, green, blue = self._lines[y][x * self._channels :][:3]
        return red, green, blue

    def colours(self) -> set[Pixel]:
        """All colours there are."""
        step = self._channels
        return {
            (line[at], line[at + 1], line[at + 2])
            for line in self._lines
            for at in range(0, len(line), step)
        }

    def _unfiltered(self, data: bytes) -> list[bytearray]:
        size, step = self.width * self._channels, self._channels
        lines: list[bytearray] = []
        above = bytearray(size)
        for start in range(0, len(data), size + 1):
            kind, line = data[start], bytearray(data[start + 1 : start + 1 + size])
            for at in range(size) if kind else ():
                left = line[at - step] if at >= step else 0
                corner = above[at - step] if at >= step else 0
                line[at] = (line[at] + _predicted(kind, left, above[at], corner)) & 0xFF
            lines.append(line)
            above = line
        return lines


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    """The prediction of a PNG filter: from the left, from above, their mean, or Paeth's."""
    if kind < 4:
        return (left, above, (left + above) // 2)[kind - 1]
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def _chunks(data: bytes, wanted: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == wanted:
            found.append(data[at + 8 : at + 8 + size])
        at += size + 12
    return found
