"""The three forms of diagnostics, for lines that are long, wide, tabbed or hostile."""

import json

from gxo.compiler.diagnostics import Diagnostic, Note, Span
from gxo.compiler.rendering import render_github, render_json, render_text

FILE = "dir/a.gxo.yaml"


def found(line: int, column: int, end: int, message: str = "wrong", **more: object) -> Diagnostic:
    span = Span(FILE, line, column, line, end)
    return Diagnostic("GXO0201", "error", span, message, **more)  # type: ignore[arg-type]


def shown(text: str, diagnostic: Diagnostic) -> list[str]:
    return render_text([diagnostic], {FILE: text}).splitlines()


def test_everything_in_order() -> None:
    note = Note(Span(FILE, 1, 1, 1, 4), "the first one")
    diagnostic = found(2, 3, 5, hint="do this", notes=(note,))
    assert shown("one\n  two\n", diagnostic) == [
        "dir/a.gxo.yaml:2:3: error[GXO0201]: wrong",
        "    2 |   two",
        "      |   ^^",
        "   = hint: do this",
        "dir/a.gxo.yaml:1:1: note: the first one",
        "    1 | one",
        "      | ^^^",
    ]


def test_a_file_without_text_or_line() -> None:
    assert render_text([found(1, 1, 2)], {}) == "dir/a.gxo.yaml:1:1: error[GXO0201]: wrong\n"
    assert len(shown("x\n", found(9, 1, 2))) == 1


def test_a_span_over_several_lines_marks_the_first() -> None:
    span = Span(FILE, 1, 3, 4, 2)
    lines = shown("abcdef\nx\n", Diagnostic("GXO0201", "warning", span, "wrong"))
    assert lines[0] == "dir/a.gxo.yaml:1:3: warning[GXO0201]: wrong"
    assert lines[2] == "      |   ^^^^"


def test_an_empty_span_has_one_caret() -> None:
    assert shown("ab\n", found(1, 3, 3))[2] == "      |   ^"


def test_a_place_past_the_end_of_the_line() -> None:
    assert shown("ab\n", found(1, 50, 60))[2] == "      |   ^"


def test_tabs_take_four_columns() -> None:
    assert shown("\ta: b\n", found(1, 5, 6))[1:] == ["    1 |     a: b", "      |        ^"]


def test_wide_and_combining_characters() -> None:
    assert shown("日本e\u0301: x\n", found(1, 3, 5))[1:] == [
        "    1 | 日本e\u0301: x",
        "      |     ^",
    ]
    assert shown("日本: x\n", found(1, 1, 3))[2] == "      | ^^^^"


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = render_text(
        [found(1, 1, 2, message="bad \x1b[31m \u202e name")], {FILE: "\x1b[2J\u202e\x07\x9b\n"}
    )
    assert not any(mark in text for mark in "\x1b\u202e\x07\x9b")


def test_half_characters_can_be_written() -> None:
    text = render_text([found(1, 1, 2, message="\ud800")], {FILE: "\udfff"})
    assert text.encode()


def test_a_long_line_is_cut_around_the_caret() -> None:
    text = "x" * 5000 + "HERE" + "y" * 5000
    line, carets = shown(text, found(1, 5001, 5005))[1:]
    assert len(line) < 130
    start = carets.index("^")
    assert line[start : start + carets.count("^")] == "HERE"
    assert "..." in line[:12] and line.endswith("...")


def test_a_long_span_on_a_long_line_stays_short() -> None:
    assert all(len(line) < 130 for line in shown("x" * 5000, found(1, 10, 5000)))


def test_line_ends_and_the_byte_order_mark() -> None:
    text = "\ufeffone\rtwo\r\nthree\n"
    assert shown(text, found(1, 1, 2))[1] == "    1 | one"
    assert shown(text, found(2, 1, 2))[1] == "    2 | two"
    assert shown(text, found(3, 1, 2))[1] == "    3 | three"


def test_colours_only_when_asked() -> None:
    diagnostic = found(1, 1, 2, hint="do")
    assert "\x1b" not in render_text([diagnostic], {FILE: "x"})
    coloured = render_text([diagnostic], {FILE: "x"}, colour=True)
    assert "\x1b[1;31merror[GXO0201]\x1b[0m" in coloured


def test_json() -> None:
    note = Note(Span(FILE, 1, 1, 1, 4), "first")
    assert json.loads(render_json([found(2, 3, 5, hint="do", notes=(note,))])) == [
        {
            "code": "GXO0201",
            "level": "error",
            "message": "wrong",
            "hint": "do",
            "file": FILE,
            "line": 2,
            "column": 3,
            "end_line": 2,
            "end_column": 5,
            "notes": [
                {
                    "message": "first",
                    "file": FILE,
                    "line": 1,
                    "column": 1,
                    "end_line": 1,
                    "end_column": 4,
                }
            ],
        }
    ]
    assert json.loads(render_json([])) == []


def test_github() -> None:
    span = Span("a,b:c.yaml", 2, 3, 2, 5)
    diagnostic = Diagnostic("GXO0118", "warning", span, "100% wrong\nreally", "write: x")
    assert render_github([diagnostic]) == (
        "::warning file=a%2Cb%3Ac.yaml,line=2,endLine=2,col=3,endColumn=5,title=GXO0118::"
        "100%25 wrong%0Areally%0Ahint: write: x\n"
    )
    several = Diagnostic("GXO0118", "error", Span("f", 1, 1, 3, 2), "m")
    assert render_github([several]) == "::error file=f,line=1,endLine=3,title=GXO0118::m\n"
