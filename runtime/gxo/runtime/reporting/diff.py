"""`--diff`: how a file of the workspace changes, or would change.

    save: changes out/users.csv
        --- out/users.csv
        +++ out/users.csv
        @@ -1,2 +1,2 @@
         id,name
        -1,ann
        +1,bob

Redacted before it is compared, so a changed secret is no difference that anybody could read. Not
imported without the option.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gxo.runtime.errors import Unknown, WorkloadError

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.reporting.logs import Log

MOST_BYTES = 256 * 1024
"""Of a larger file only the sizes are shown."""
MOST_COMPARED = 5000
"""Lines of a file, which are compared in quadratic time when it comes to the worst."""
MOST_SHOWN = 500
LONGEST_LINE = 500

COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
PLAIN = "\x1b[0m"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


async def show(context: "Context", log: "Log", path: str, content: Callable[[], bytes]) -> None:
    """Log how the file at `path` changes to `content`; nothing when it does not."""
    told = await context.thread(_difference, context, path, content)
    if not told:
        return
    title, *lines = told
    if log.has_colours:
        lines = [_coloured(line) for line in lines]
    log.write_clean("info", "\n".join([title, *lines]), context.workload)


def _difference(context: "Context", path: str, content: Callable[[], bytes]) -> list[str]:
    """A title, and the lines of the difference; nothing when there is none."""
    try:
        before, after = _current(context, path), content()
    except (WorkloadError, Unknown):
        return [f"changes {context.redact(path)}: what is there now cannot be compared"]
    if before == after and before is not None:
        return []
    name = context.redact(path)
    title = f"{'creates' if before is None else 'changes'} {name}"
    old, new = _text(before or b""), _text(after)
    if old is None or new is None:
        sizes = [f"{_size(data)}{_kind(data)}" for data in (before, after) if data is not None]
        return [f"{title}: {', then '.join(sizes)}"]
    old, new = context.redact(old), context.redact(new)
    lines = list(_lines(name, old.splitlines(), new.splitlines(), created=before is None))
    if not lines:
        why = ", empty" if before is None else ": only in what is redacted, or in its line ends"
        return [title + why]
    if (more := len(lines) - MOST_SHOWN) > 0:
        lines[MOST_SHOWN:] = [f"... {more} more lines"]
    return [title, *lines]


def _current(context: "Context", path: str) -> bytes | None:
    """What the file holds; as much as decides that it is too large to show."""
    files = context.workspace
    try:
        if not files.exists(path):
            return None
    except Unknown:  # it is not there now
        return None
    if files.stat(path).st_size > MOST_BYTES:
        with open(files.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(MOST_BYTES + 1)
    return files.read(path, MOST_BYTES)


def _text(data: bytes) -> str | None:
    """Text that can be compared; None for one that is too large, or is none."""
    if len(data) > MOST_BYTES or b"\0" in data or data.count(b"\n") > MOST_COMPARED:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _size(data: bytes) -> str:
    return f"{len(data)} bytes" if len(data) <= MOST_BYTES else f"over {MOST_BYTES // 1024} KiB"


def _kind(data: bytes) -> str:
    return " of binary data" if b"\0" in data[:MOST_BYTES] else ""


def _lines(path: str, old: list[str], new: list[str], *, created: bool) -> Iterator[str]:
    source = "/dev/null" if created else path
    for line in difflib.unified_diff(old, new, source, path, lineterm=""):
        shown = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."
        yield _CONTROL.sub(lambda found: ascii(found.group())[1:-1], shown)


def _coloured(line: str) -> str:
    colour = COLOURS.get(line[:1], "")
    return f"{colour}{line}{PLAIN}" if colour else line
