"""Diagnostics for people and for programs.

    site.gxo.yaml:12:7: error[GXO0201]: unknown key "lifecyle" in a workload
       12 |       lifecyle: {policy: run_once}
          |       ^^^^^^^^
       = hint: did you mean "lifecycle"?

`render_text` is for terminals, `render_json` gives the same as data, `render_github` annotates a
pull request. All keep the order they are given. `render_explanations` is the text of those.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gxo.compiler.diagnostics import Diagnostic, Explanation, Span

MAX_SHOWN = 110
"""Characters of a source line that are shown; of a longer one, the part around the caret."""
_BEFORE_CARET = 40
_TAB = "    "

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BOLD, _BLUE = "1", "1;34"
_LEVEL_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36"}


def render_text(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], colour: bool = False
) -> str:
    """The diagnostics with source lines, carets, hints and notes; each line ends with a line feed.

    `sources` has the text of each file that spans name; of a file that is not in it no line is
    shown. `colour` puts in ANSI colours.
    """
    renderer = _Renderer(sources, colour)
    lines = [line for diagnostic in diagnostics for line in renderer.lines(diagnostic)]
    return "".join(f"{line}\n" for line in lines)


def render_json(diagnostics: Iterable[Diagnostic], explanations: Iterable[Explanation] = ()) -> str:
    """A JSON array: an object for each diagnostic, then one for each explanation.

    Lines and columns count from 1.
    """
    told = [*map(_data, diagnostics), *map(_explanation_data, explanations)]
    return json.dumps(told, indent=2)


def render_explanations(
    title: str, explanations: Iterable[Explanation], otherwise: str, colour: bool = False
) -> str:
    """A pass's explanations below its title, or what is said `otherwise` when it has none."""
    lines = [painted(title, _BOLD, colour)]
    lines += [f"  {_place(one.span)}: {_visible(one.text)}" for one in explanations]
    if len(lines) == 1:
        lines.append(f"  {otherwise}")
    return "".join(f"{line}\n" for line in lines)


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """A workflow command a line, which GitHub shows beside the code."""
    return "".join(f"{_annotation(diagnostic)}\n" for diagnostic in diagnostics)


class _Renderer:
    def __init__(self, sources: Mapping[str, str], colour: bool) -> None:
        self.sources = sources
        self.colour = colour
        self.split: dict[str, list[str | None]] = {}

    def lines(self, diagnostic: Diagnostic) -> Iterator[str]:
        level = self._paint(
            f"{diagnostic.level}[{diagnostic.code}]", _LEVEL_COLOURS[diagnostic.level]
        )
        yield f"{self._shown_place(diagnostic.span)}: {level}: {_visible(diagnostic.message)}"
        yield from self._extract(diagnostic.span, _LEVEL_COLOURS[diagnostic.level])
        if diagnostic.hint:
            yield f"   {self._paint('= hint:', _BLUE)} {_visible(diagnostic.hint)}"
        for note in diagnostic.notes:
            word = self._paint("note", _LEVEL_COLOURS["note"])
            yield f"{self._shown_place(note.span)}: {word}: {_visible(note.message)}"
            yield from self._extract(note.span, _LEVEL_COLOURS["note"])

    def _shown_place(self, span: Span) -> str:
        return self._paint(_place(span), _BOLD)

    def _extract(self, span: Span, colour: str) -> Iterator[str]:
        """The span's first line with carets below; nothing when it is binary or not there."""
        line = self._line(span)
        if line is None:
            return
        start = min(span.column - 1, len(line))
        stop = span.end_column - 1 if span.end_line == span.line else len(line)
        first = 0
        if len(line) > MAX_SHOWN:
            first = max(0, min(start - _BEFORE_CARET, len(line) - MAX_SHOWN))
        last = min(first + MAX_SHOWN, len(line))
        head, tail = "..." if first else "", "..." if last < len(line) else ""
        shown = [_cell(character) for character in line[first:last]]
        before = len(head) + _width(shown[: start - first])
        carets = max(_width(shown[start - first : max(stop, start) - first]), 1)
        number = self._paint(f"{span.line:>5} |", _BLUE)
        empty = self._paint(" " * len(f"{span.line:>5}") + " |", _BLUE)
        yield f"{number} {head}{''.join(shown)}{tail}".rstrip()
        yield f"{empty} {' ' * before}{self._paint('^' * carets, colour)}"

    def _line(self, span: Span) -> str | None:
        if span.file not in self.split:
            text = self.sources.get(span.file)
            # Spans do not count a byte order mark; binary lines are not shown.
            lines = _LINE_BREAK.split(text.removeprefix("\ufeff")) if text else []
            self.split[span.file] = [None if "\0" in line else line for line in lines]
        shown = self.split[span.file]
        return shown[span.line - 1] if span.line <= len(shown) else None

    def _paint(self, text: str, colour: str) -> str:
        return painted(text, colour, self.colour)


def _place(span: Span) -> str:
    return f"{_visible(span.file)}:{span.line}:{span.column}"


def painted(text: str, colour: str, on: bool) -> str:
    """The text in a colour of the terminal, if they are `on`."""
    return f"\x1b[{colour}m{text}\x1b[0m" if on else text


def _visible(text: str) -> str:
    """A text that cannot move a terminal's cursor, change its colours or reverse its direction."""
    return "".join(character if character == "\n" else _cell(character) for character in text)


def _cell(character: str) -> str:
    """How a character is shown: tabs as spaces, what would not be seen as a replacement sign."""
    if character == "\t":
        return _TAB
    if " " <= character <= "~":
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return "\N{REPLACEMENT CHARACTER}" if hidden else character


def _width(cells: Iterable[str]) -> int:
    """Columns that cells take on a terminal: wide characters take two, combining ones none."""
    return sum(_columns(cell) for cell in cells)


def _columns(cell: str) -> int:
    if cell == _TAB:
        return len(_TAB)
    if unicodedata.category(cell) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in ("W", "F") else 1


def _data(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "level": diagnostic.level,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        **_place_data(diagnostic.span),
        "notes": [{"message": note.message, **_place_data(note.span)} for note in diagnostic.notes],
    }


def _explanation_data(explanation: Explanation) -> dict[str, Any]:
    return {
        "pass": explanation.pass_name,
        "level": "explanation",
        "message": explanation.text,
        **_place_data(explanation.span),
    }


def _place_data(span: Span) -> dict[str, str | int]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _annotation(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    properties: dict[str, str | int] = {"file": span.file, "line": span.line}
    properties["endLine"] = span.end_line
    if span.line == span.end_line:
        properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = diagnostic.code
    hint = f"\nhint: {diagnostic.hint}" if diagnostic.hint else ""
    return annotation(diagnostic.level, properties, diagnostic.message + hint)


def annotation(level: str, properties: Mapping[str, str | int], message: str) -> str:
    """A workflow command of GitHub, which it shows beside the code."""
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {listed}::{_command_text(message)}"


def _command_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _command_text(text).replace(":", "%3A").replace(",", "%2C")
