"""Random templates over random data, for the comparison with Go.

    {{ with (splitList "," .s) }}{{ . | join "-" | printf "%-9q" }}{{ end }}

Most arguments are of the kind that a function wants, some are not. What gxo does differently on
purpose is either not generated (missing keys, single quotes, infix operators) or told by Go's message
(`ON_PURPOSE`).
"""

import json
import re
from pathlib import Path

from hypothesis import strategies as st

ON_PURPOSE = re.compile(
    r"expected (u?int|float)(64)?; got (u?int|float)(64)?"  # one integer type
    r"|expected map\[string\]interface \{\}; got map\[string\]string"  # one map type
    r"|incompatible types for comparison|non-comparable type|error calling \w+: (first arg|cannot)"
    r"|invalid type for comparison|nil pointer evaluating interface"  # a field of nil is asked for
)
"""Go's messages for what the conformance README lists as different."""
STRICTER = re.compile(
    r" wants .*, not |has no (field|element)|cannot be (used|compared|ordered)|`(range` goes|nil` alone)"
    r"|%p prints an address"
)
"""gxo's messages where it refuses what Go may let pass: a wrong type in code that data keeps Go from
reaching, a text for a time (Go takes the clock's time)."""

_LETTERS = st.text("abAB 19-_./<é\n", max_size=8) | st.text(
    st.characters(exclude_categories=["Cs", "Cn"]), max_size=4
)
_SAMPLES = """
a b _ -3 0 7 +5 0x1f 017 1_000 1.0 2.5 1e3 true TRUE on HTTPServer20xOK fooBar foo_bar foo-bar Straße
ǆabc ﬁn ΑΣ İi 日本語 a,b,,c key=value 12:30 x.tar.gz /usr/../lib/ .hidden ~ ... A+B é e\u0301 % %d
"""
_WORDS = st.sampled_from(_SAMPLES.split())
_COUNT = st.integers(-3, 9)
_FLOAT = st.floats(-1e9, 1e9, allow_nan=False) | st.sampled_from(
    [0.0, -0.0, 0.1, 0.5, 1.5, 2.5, -2.5, 1e6, 999999.5, 1e20, 1e21, 1e-4, 1e-5, 1e-7, 123456.789]
)
_TEXT = _LETTERS | _WORDS
_ANY = st.none() | st.booleans() | _COUNT | _FLOAT | _TEXT

DATA = st.fixed_dictionaries(
    {
        "s": _TEXT,
        "t": _TEXT,
        "n": _COUNT,
        "big": st.integers(-(2**62), 2**62),
        "b": st.booleans(),
        "f": _FLOAT,
        "z": st.none(),
        "xs": st.lists(_TEXT, max_size=4),
        "ns": st.lists(_COUNT, min_size=1, max_size=4),
        "mix": st.lists(_ANY, max_size=4),
        "m": st.dictionaries(st.sampled_from("abc"), _TEXT),
        "deep": st.dictionaries(
            st.sampled_from("abc"), _ANY | st.dictionaries(st.sampled_from("abc"), _ANY)
        ),
        "rows": st.lists(
            st.fixed_dictionaries({"id": _COUNT, "name": _TEXT, "tags": st.lists(_TEXT)}),
            max_size=3,
        ),
    }
)

_NAMES = {
    "text": [".s", ".t", "$.s"],
    "count": [".n", "$.n"],
    "int": [".n", ".big"],
    "bool": [".b"],
    "float": [".f"],
    "texts": [".xs", "$.xs"],
    "ints": [".ns"],
    "map": [".m", "$.m"],
    "deep": [".deep"],
    "list": [".xs", ".ns", ".mix", ".rows"],
    "any": [".z", ".s", ".n", ".b", ".f", ".xs", ".m", ".deep", ".mix"],
    "raw": [".z", ".s", ".n", ".b", ".f", ".xs", ".m", ".deep", ".mix", ".big"],
}
KINDS = tuple(_NAMES)


def _table() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for line in Path(__file__).with_name("generated.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, calls = line.partition(": ")
            found.setdefault(kind, []).extend(_words(call) for call in calls.split("; "))
    return found


def _words(call: str) -> list[str]:
    """A call's words; a text in back quotes is one."""
    parts = call.split("`")
    words: list[str] = []
    for index, part in enumerate(parts):
        words.extend([f"`{part}`"] if index % 2 else part.split())
    return words


_TABLE = _table()


def _quoted(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts).map(lambda text: json.dumps(text, ensure_ascii=False))


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


def _among(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split(" "))


_DIRECTIVE = _joined(
    st.just("%"),
    st.text("+-# 0", max_size=2),
    _among(" 1 3 8 12 * [1] [2] [9]".replace(" ", "  ")),
    _among("  .0 .1 .3 . .*"),
    st.sampled_from("vvsdqxXtbocUeEfFgGT%pz!"),
)
_NUMBERS = _among(
    "0 7 -3 +4 0x1F 0b101 0o17 017 1_000 1e3 1.5 .5 2. 0x1p-2 1e-7 -0.0 9223372036854775807 'a'"
    " 1E+2 0X_F 100000000 1e21"
).filter(lambda one: "'" not in one)
_LITERALS: dict[str, st.SearchStrategy[str]] = {
    "text": _TEXT.map(lambda text: json.dumps(text, ensure_ascii=False)),
    "count": _COUNT.map(str),
    "size": st.integers(0, 4).map(str),
    "one": st.integers(1, 3).map(str),
    "int": st.integers(-(2**40), 2**40).map(str) | _NUMBERS,
    "bool": st.sampled_from(["true", "false"]),
    "float": _FLOAT.map(lambda value: f"{value:.3f}") | _NUMBERS,
    "format": st.lists(st.sampled_from(["", "a", " ", "é"]) | _DIRECTIVE, max_size=4).map(
        lambda parts: json.dumps("".join(parts), ensure_ascii=False)
    ),
    "pattern": _quoted(
        "a",
        "[a-b]+",
        "^a",
        "b$",
        "(a)(b)?",
        "é.",
        "(?i)A|B",
        "[^a]",
        "a*",
        "",
        "\\d+",
        "(?P<x>a)",
        "x*?",
        "\\bA",
        "[[:alpha:]]+",
        "\\s",
        "(",
        "a{2}",
        "(?m)^.",
        "\\pL+",
        "(a|ab)(c|bcd)?",
    ),
    "replacement": _quoted("", "x", "$1", "${1}y", "$1y", "$0", "$$", "<$x>", "é"),
    "layout": _quoted(
        "2006-01-02",
        "15:04:05",
        "Mon Jan _2 2006",
        "02/01/06 03:04PM",
        "2006-01-02T15:04:05Z07:00",
        "Monday January 2",
        "06-1-2",
        "3:4:5.000",
        "MST -0700",
        "002 2006",
        ".999",
        "",
        "x2006x",
        "Jan-Z07",
    ),
    "stamp": _among("0 1 -1 1136239445 1700000000 951782400 4102444800 68169600"),
    "zone": _quoted(
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "", "Nowhere/X", "Local"
    ),
    "moment": _quoted("2024-02-29", "2023-12-31", "1999-01-01", "x", "2024-13-01", "2024-2-9"),
    "duration": _quoted("1h", "-90m", "36h", "1s", "250ms", "x", "", "1h30m5s"),
    "seconds": _quoted("0", "95", "3600", "90061", "x", "-5", "31536000"),
    "version": _quoted(
        "1.2.3",
        "v1.2",
        "1",
        "1.2.3-beta.1+b5",
        "2.0.0-rc.1",
        "0.0.1",
        "1.x",
        "",
        "01.2.3",
        "1.2.3.4",
        "10.4.0",
    ),
    "constraint": _quoted(
        ">1",
        "^1.2.3",
        "~1.2",
        "1.2.x",
        ">=1.2 <2",
        "1.2 - 1.4",
        "!=1.2.3",
        "=1.2.3",
        "*",
        "x",
        "",
        "^0.0.1",
        "~0",
        ">1.2.3-alpha",
        "1 || 2",
        "<=1.2.3, >0",
        "~>1.2",
        "^0.2",
    ),
    "url": _quoted(
        "http://u:p@h.example:80/a%20b?x=1&y=2#f",
        "https://h",
        "//h/p",
        "/p?q",
        "mailto:a@b",
        "x:y",
        "",
        "http://[::1]:5/",
        "h:80",
        "http://a b",
        "%zz",
        "ftp://h/%2F?#",
        "http://é/ü?é#é",
        "a/b:c",
        "?q",
        "#f",
        "http://h:x/",
    ),
    "path": _quoted(
        "/a/b.c", "a//b/../c", "", ".", "..", "/", "a/", "x.tar.gz", ".x", "/..//a/./b"
    ),
    "json": _quoted(
        '{"a":1,"b":[true,null,"x"]}',
        "[1.5,2e3]",
        '"x"',
        "1",
        "null",
        "{",
        "",
        '{"a":{"b":"é"}}',
        '"\\ud800"',
        '{"a":1,"a":2}',
        " [ ] ",
        "1e999",
        "01",
        '"\n"',
        "tru",
    ),
    "base64": _quoted(
        "YWJj", "w6k=", "YQ", "!!", "", "/w==", "YWJj\n", "MFRGG===", "ME======", "====", "AAA="
    ),
    "go_type": _quoted(
        "string", "int", "float64", "bool", "map[string]interface {}", "[]interface {}", "int64"
    ),
    "go_kind": _quoted("string", "int", "float64", "bool", "map", "slice", "invalid", "int64"),
    "element": _quoted("a", "b", "c", "d", ""),
}


@st.composite
def _expression(draw: st.DrawFn, kind: str, depth: int) -> str:
    """An expression of the kind, in parentheses where it needs them as an argument."""
    if draw(st.integers(0, 24)) == 7:
        kind = draw(st.sampled_from(KINDS))  # what the function does not expect
    how = draw(st.integers(0, 3)) if depth else 0
    if kind in _TABLE and (how or not _NAMES.get(kind, [""])):
        return f"({draw(_call(kind, depth - 1))})"
    if kind == "int" and how:
        kind = "count"
    if kind in _LITERALS and (kind not in _NAMES or draw(st.booleans())):
        return draw(_LITERALS[kind])
    return draw(st.sampled_from(_NAMES[kind]))


@st.composite
def _call(draw: st.DrawFn, kind: str, depth: int) -> str:
    """A call, at times with its last argument piped into it, at times with one too many or few."""
    function, *wanted = draw(st.sampled_from(_TABLE[kind]))
    if draw(st.integers(0, 60)) == 9:
        wanted = draw(st.sampled_from([[*wanted, "any"], wanted[:-1]]))
    arguments = [
        draw(_expression(word, max(depth, 0))) if word in _LITERALS or word in _NAMES else word
        for word in wanted
    ]
    if arguments and "|" not in wanted and draw(st.booleans()):
        *arguments, piped = arguments
        return " ".join([piped, "|", function, *arguments])
    return " ".join([function, *arguments])


def _shown(depth: int) -> st.SearchStrategy[str]:
    return st.sampled_from(KINDS).flatmap(lambda kind: _expression(kind, depth))


_COMMENT = st.sampled_from(["", "", "{{/* a }} comment */}}", "{{- /* trimmed */ -}}"])
_OPEN, _CLOSE = _among("{{ {{ {{ {{-"), _among("}} }} }} -}}")


@st.composite
def _action(draw: st.DrawFn, code: str) -> str:
    """An action, at times with trim markers."""
    return f"{draw(_OPEN)} {code} {draw(_CLOSE)}"


@st.composite
def _statement(draw: st.DrawFn, depth: int) -> str:
    if not depth or draw(st.booleans()):
        return draw(_action(draw(_shown(3))))
    value, other_value = draw(_shown(2)), draw(_shown(2))
    body, other = draw(_body(depth - 1)), draw(_body(depth - 1))
    items = draw(
        _expression(draw(st.sampled_from(["texts", "ints", "map", "list", "deep", "any"])), 2)
    )
    jump = draw(st.sampled_from(["break", "continue"]))
    end, otherwise = draw(_action("end")), draw(_action("else"))
    forms = (
        f"{draw(_action(f'if {value}'))}{body}{otherwise}{other}{end}",
        f"{{{{ if {value} }}}}{body}{{{{ else if {other_value} }}}}{other}{otherwise}!{end}",
        f"{draw(_action(f'range $i, $x := {items}'))}{{{{ $i }}}}={{{{ $x }}}}{otherwise}{other}{end}",
        f"{{{{ range $x := {items} }}}}{{{{ with $x }}}}{{{{ . }}}}{{{{ end }}}}{body.replace('{{ .', '{{ $.')}{end}",
        f"{{{{ range {items} }}}}<{{{{ . }}}}>{{{{ if $.b }}}}{{{{ {jump} }}}}{{{{ end }}}}~{end}",
        f"{{{{ range .rows }}}}{{{{ .id }}}}:{{{{ .name | quote }}}}{{{{ range .tags }}}}-{{{{ . }}}}{{{{ end }}}}{end}",
        f"{{{{ with {value} }}}}{{{{ . }}}}{otherwise}{other}{end}",
        f"{{{{ with $w := {value} }}}}{{{{ $w }}}}{{{{ . | printf \"%v\" }}}}{end}",
        f"{{{{ $v := {value} }}}}{body}{{{{ $v }}}}",
        f"{{{{ $v := {value} }}}}{{{{ if .b }}}}{{{{ $v = {other_value} }}}}{{{{ $v := 1 }}}}{{{{ $v }}}}{end}{{{{ $v }}}}",
        f"{{{{ $n := 0 }}}}{{{{ range {items} }}}}{{{{ $n = add1 $n }}}}{{{{ end }}}}{{{{ $n }}}}",
        f"{{{{ define \"T{depth}\" }}}}[{{{{ . }}}}]{{{{ end }}}}{{{{ template \"T{depth}\" {value} }}}}{body}",
        f"{{{{ block \"B{depth}\" {value} }}}}({{{{ . | toString }}}}){{{{ end }}}}{{{{ template \"B{depth}\" 1 }}}}",
        f"{{{{ if and {value} {other_value} }}}}{body}{{{{ end }}}}{{{{ or {value} {other_value} }}}}",
    )  # fmt: skip
    return draw(st.sampled_from(forms))


@st.composite
def _body(draw: st.DrawFn, depth: int) -> str:
    pieces = st.one_of(st.sampled_from(["", " ", "a\n", "\n b ", "é"]), _COMMENT, _statement(depth))
    return "".join(draw(st.lists(pieces, min_size=1, max_size=3)))


TEMPLATES = _body(2)
