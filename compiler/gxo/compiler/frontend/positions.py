"""Where each character of a YAML scalar stands in the file.

A scalar's value is not a slice of the file: escapes, doubled quotes, folded lines, indentation and
chomping stand between the two. This file walks the source of one scalar by the rules of its style
and notes, for each character of the value, where its source form begins:

    key: "a\\tb        value  a TAB b c      offsets 0 1 2 3 4
      c"              source  "a\\tb⏎  c"              ↑a ↑\\ ↑b ↑⏎ ↑c

The walk is made on the first question about a scalar, so most scalars never pay for it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

Step = tuple[int, str]
"""The index in the file where the source form of a character begins, and the character."""

LINE_BREAK = re.compile(r"\r\n|\r|\n")
_SPACES = re.compile(r" *")
_FLOW_BREAKS = re.compile(r"[ \t]*(\r\n|\r|\n)([ \t]*(\r\n|\r|\n))*[ \t]*")
_BLOCK_HEADER = re.compile(r"([|>])([-+0-9]*)[^\r\n]*(?:\r\n|\r|\n)?")
_PROPERTIES = re.compile(r"([&!][^\s,\[\]{}]*|#[^\r\n]*|\s+)*")
_ESCAPES = {
    "0": "\0", "a": "\x07", "b": "\x08", "t": "\x09", "\t": "\x09", "n": "\x0a", "v": "\x0b",
    "f": "\x0c", "r": "\x0d", "e": "\x1b", " ": " ", '"': '"', "\\": "\\", "/": "/",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


class Lines:
    """The lines of a text: from an index in it to a line and column, both from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]

    def place(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        """The index where a line (from 1) begins."""
        return self._starts[min(line, len(self._starts)) - 1]


def after_properties(text: str, start: int) -> int:
    """Skip an anchor or tag, and what may stand between it and the scalar itself."""
    match = _PROPERTIES.match(text, start)
    return match.end() if match else start


class Locator:
    """`SourceText.locate` of one scalar: `value` was read from `lines.text[start:end]`.

    `style` is the character that opens the scalar: `"`, `'`, `|`, `>`, or empty without quotes.
    """

    __slots__ = ("_end", "_lines", "_origin", "_places", "_start", "_style", "_value")

    def __init__(self, lines: Lines, start: int, end: int, style: str, value: str) -> None:
        self._lines = lines
        self._start = start
        self._end = end
        self._style = style
        self._value = value
        self._places: Sequence[int] | None = None
        self._origin: tuple[int, int] | None = None

    def __call__(self, start: int, end: int) -> tuple[int, int, int, int]:
        if self._places is None:
            self._places = self._walk()
            if isinstance(self._places, range):
                self._origin = self._lines.place(self._places[0])
        length = len(self._value)
        start = max(0, min(start, length))
        last = max(start, min(end - 1, length))
        if self._origin:  # as it stands in the file, on one line
            line, column = self._origin
            return line, column + start, line, column + last + 1
        last_line, last_column = self._lines.place(self._places[last])
        return *self._lines.place(self._places[start]), last_line, last_column + 1

    def _walk(self) -> Sequence[int]:
        text, value = self._lines.text, self._value
        if self._style in ("|", ">"):
            return _block_places(text, self._start, self._end, value)
        quote = len(self._style)
        start, end = self._start + quote, self._end - quote
        if text.startswith(value, start) and end - start == len(value) and "\n" not in value:
            return range(start, end + 1)
        return [*_places(_flow(text, start, end, self._style)), end]


def _places(steps: Iterable[Step]) -> list[int]:
    return [index for index, _ in steps]


def _flow(text: str, start: int, end: int, style: str) -> Iterator[Step]:
    """The characters of an unquoted or quoted scalar."""
    index = start
    while index < end:
        steps, index = _flow_step(text, index, end, style)
        yield from steps


def _flow_step(text: str, index: int, end: int, style: str) -> tuple[list[Step], int]:
    if text[index] in " \t\r\n" and (match := _FLOW_BREAKS.match(text, index, end)):
        return _folded(text, index, match.end()), match.end()
    if style == '"' and text[index] == "\\":
        return _escaped(text, index, end)
    length = 2 if style == "'" and text[index] == "'" else 1
    return [(index, text[index])], index + length


def _folded(text: str, start: int, end: int) -> list[Step]:
    """Line breaks within a flow scalar: one becomes a space, n of them n - 1 line feeds."""
    breaks = [found.start() for found in LINE_BREAK.finditer(text, start, end)]
    return [(place, "\n") for place in breaks[1:]] or [(breaks[0], " ")]


def _escaped(text: str, index: int, end: int) -> tuple[list[Step], int]:
    """An escape in double quotes: `\\n`, `\\u00e9`, or a backslash that joins two lines."""
    letter = text[index + 1]
    if letter in "\r\n":
        match = _FLOW_BREAKS.match(text, index + 1, end)
        after = match.end() if match else index + 2
        breaks = [found.start() for found in LINE_BREAK.finditer(text, index + 1, after)]
        return [(place, "\n") for place in breaks[1:]], after
    if digits := _HEX_DIGITS.get(letter):
        after = index + 2 + digits
        return [(index, chr(int(text[index + 2 : after], 16)))], after
    return [(index, _ESCAPES[letter])], index + 2


def _block_places(text: str, start: int, end: int, value: str) -> list[int]:
    header = _BLOCK_HEADER.match(text, start)
    assert header is not None, "a block scalar begins with | or >"
    style, indicators = header.groups()
    chomp = next((mark for mark in "+-" if mark in indicators), "")
    indent = _block_indent(text, header.end(), end, value)
    steps = _block(text, header.end(), end, indent, style == ">", chomp)
    places = _places(steps)
    after = places[-1] + (not value.endswith("\n")) if places else end
    return [*places, after]


def _block_indent(text: str, index: int, end: int, value: str) -> int:
    """The content's indentation: what the first line that is not blank has more in the file.

    (An explicit indicator counts from the parent's indentation, which a scalar does not know.)
    """
    blank = len(value) - len(value.lstrip("\n"))
    if blank == len(value):
        return end - index
    for _ in range(blank):
        line_break = LINE_BREAK.search(text, index, end)
        assert line_break is not None, "each blank line has its line break in the file"
        index = line_break.end()
    content = value[blank:]
    in_file = len(_SPACES.match(text, index, end).group())  # type: ignore[union-attr]
    return in_file - (len(content) - len(content.lstrip(" ")))


def _block(
    text: str, index: int, end: int, indent: int, folded: bool, chomp: str
) -> Iterator[Step]:
    """The characters of a literal or folded block scalar whose content is indented by `indent`."""
    blank, index = _blank_lines(text, index, end, indent)
    line_break: list[Step] = []
    while index < end and text[index - indent : index].strip(" ") == "":
        yield from blank
        found = LINE_BREAK.search(text, index, end)
        stop = found.start() if found else end
        yield from ((place, text[place]) for place in range(index, stop))
        more_indented = text[index] in " \t"
        line_break = [(stop, "\n")] if found else []
        blank, index = _blank_lines(text, found.end() if found else end, end, indent)
        if index >= end:
            break
        if not folded or more_indented or text[index] in " \t":
            yield from line_break
        elif not blank:
            yield stop, " "
    if chomp != "-":
        yield from line_break
    if chomp == "+":
        yield from blank


def _blank_lines(text: str, index: int, end: int, indent: int) -> tuple[list[Step], int]:
    """The line feeds of blank lines, and the index of the next line's content."""
    blank: list[Step] = []
    while True:
        content = index
        while content < min(index + indent, end) and text[content] == " ":
            content += 1
        line_break = LINE_BREAK.match(text, content, end)
        if line_break is None:
            return blank, content
        blank.append((content, "\n"))
        index = line_break.end()
