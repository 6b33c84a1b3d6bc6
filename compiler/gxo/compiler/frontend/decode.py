"""A file's bytes to the text that all positions count in.

One text, one way to count lines: a byte order mark is dropped, and characters that YAML forbids or
that YAML 1.1 and 1.2 read differently (some end a line in one and not in the other) are refused
before any parser sees them.
"""

import re

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.positions import Lines

MAX_BYTES = 10 * 1024 * 1024

_UNREADABLE = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids, and U+0085, U+2028, U+2029 and U+FEFF, which its versions read differently."""


def decode(data: bytes, file: str, diags: Diagnostics) -> str | None:
    """The text of a file; None, and an error, when it is not a text that YAML allows."""
    start = Span(file, 1, 1, 1, 1)
    if len(data) > MAX_BYTES:
        diags.error("GXO0104", start, f"the file is too large: more than {MAX_BYTES:,} bytes")
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        diags.error("GXO0102", start, "the file is UTF-16, not UTF-8", "save it as UTF-8")
        return None
    if b"\0" in data:
        diags.error("GXO0103", start, "the file is binary, not a YAML text")
        return None
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        _report_encoding(data, error, file, diags)
        return None
    return text if _readable(text, file, diags) else None


def _report_encoding(data: bytes, error: UnicodeDecodeError, file: str, diags: Diagnostics) -> None:
    before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
    line, column = Lines(before).place(len(before))
    diags.error(
        "GXO0102",
        Span(file, line, column, line, column + 1),
        f"the file is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}",
        "save it as UTF-8",
    )


def _readable(text: str, file: str, diags: Diagnostics) -> bool:
    found = _UNREADABLE.search(text)
    if found is None:
        return True
    line, column = Lines(text).place(found.start())
    code = f"{ord(found.group()):04x}"
    diags.error(
        "GXO0105",
        Span(file, line, column, line, column + 1),
        f"the character U+{code.upper()} is not allowed in a playbook",
        f'in double quotes it can be written "\\u{code}"',
    )
    return False
