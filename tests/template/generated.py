"""Random templates that should work, with data for them, for the comparison with Go.

What gxo does differently on purpose is not generated: ints are not compared with floats, lists and
maps not with anything; no key is missing; there are no single quotes and no infix operators; the int64
that `add` gives is not used as a count, which Go refuses.
"""

import json
from typing import Any

from hypothesis import strategies as st

_LETTERS = st.text("abAB 19-_./<é\n", max_size=8)
_COUNT = st.integers(-3, 9)
_FLOAT = st.floats(-1e9, 1e9, allow_nan=False)

DATA = st.fixed_dictionaries(
    {
        "s": _LETTERS,
        "t": _LETTERS,
        "n": _COUNT,
        "big": st.integers(-(2**62), 2**62),
        "b": st.booleans(),
        "f": _FLOAT,
        "xs": st.lists(_LETTERS, max_size=4),
        "ns": st.lists(_COUNT, min_size=1, max_size=4),
        "m": st.dictionaries(st.sampled_from("abc"), _LETTERS),
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
}
_FUNCTIONS = """
text: upper text; lower text; trim text; trimSuffix text text; trimPrefix text text; trimAll text text
text: replace text text text; trunc count text; repeat size text; quote text; squote text; nospace text
text: print text int; printf "%s-%d" text int; printf "%q" text; printf "%5s|%-5s" text text
text: printf "%05d %x %+d" int int int; printf "%v %t" bool bool; printf "%.2f %g %e" float float float
text: println text bool; toString int; join text texts; join text ints; default text text
text: ternary text text bool; first texts; last texts; index texts size; toJson map; toJson texts
text: toJson float; b64enc text; b32enc text; sha256sum text; adler32sum text; indent size text
text: nindent size text; initials text; swapcase text; substr size size text; cat text int
text: base text; dir text; ext text; clean text; urlquery text; html text; js text; toPrettyJson map
text: plural text text count; wrap size text; abbrev size text; kindOf map; typeOf text; get map text
text: coalesce text text; regexReplaceAll "[a-b]+" text text; regexFind "[aé].?" text; camelcase text
text: snakecase text; kebabcase text; slice text size size; title text; untitle text
count: len text; len texts; len map; len ints; atoi text
int: add int int; sub int int; mul int int; add1 int; max int int; min int int; div int int; mod int int
int: int float; int64 text; biggest int int; first ints; last ints
float: addf float float; subf float float; mulf float float; floor float; ceil float; round float size
float: float64 int; maxf float float; minf float float
bool: eq text text; ne text text; lt text text; le text text; gt int int; ge int int; eq int int
bool: not bool; and bool bool; or bool bool; contains text text; hasPrefix text text; empty text
bool: hasSuffix text text; has text texts; hasKey map text; eq text text text; regexMatch "^[a-z]" text
bool: empty map; kindIs "string" text; lt float float; any text bool; all bool int; semverCompare ">1" "1.2"
texts: list text text; splitList text text; sortAlpha texts; uniq texts; compact texts; rest texts
texts: initial texts; reverse texts; append texts text; prepend texts text; concat texts texts
texts: without texts text; keys map | sortAlpha; regexSplit "[ab]" text count; slice texts size; chunk one texts
ints: list int int; until size; untilStep size size one; reverse ints; append ints int
map: dict "a" text "b" text; pick map "a"; omit map "a"; merge map map; set map "z" text; deepCopy map
"""


def _table() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for line in _FUNCTIONS.strip().splitlines():
        kind, _, calls = line.partition(": ")
        found.setdefault(kind, []).extend(_words(call) for call in calls.split("; "))
    return found


def _words(call: str) -> list[str]:
    """A call's words; a quoted text is one."""
    parts = call.split('"')
    words: list[str] = []
    for index, part in enumerate(parts):
        words.extend([f'"{part}"'] if index % 2 else part.split())
    return words


_TABLE = _table()
_LITERALS: dict[str, st.SearchStrategy[Any]] = {
    "text": _LETTERS,
    "count": _COUNT,
    "size": st.integers(0, 4),
    "one": st.integers(1, 3),
    "int": st.integers(-(2**40), 2**40),
    "bool": st.booleans(),
    "float": _FLOAT,
}
KINDS = tuple(_NAMES)


@st.composite
def _expression(draw: st.DrawFn, kind: str, depth: int) -> str:
    """An expression of the kind, in parentheses where it needs them as an argument."""
    how = draw(st.integers(0, 3)) if depth else 0
    if how and kind in _TABLE:
        return f"({draw(_call(kind, depth - 1))})"
    if kind == "int" and how:
        kind = "count"
    if kind in _LITERALS and (kind not in _NAMES or draw(st.booleans())):
        value = draw(_LITERALS[kind])
        return json.dumps(value, ensure_ascii=False) if kind != "float" else f"{value:.3f}"
    return draw(st.sampled_from(_NAMES[kind]))


@st.composite
def _call(draw: st.DrawFn, kind: str, depth: int) -> str:
    """A call, at times with its last argument piped into it."""
    function, *wanted = draw(st.sampled_from(_TABLE[kind]))
    arguments = [
        draw(_expression(word, depth)) if word in _LITERALS or word in _NAMES else word
        for word in wanted
    ]
    if arguments and "|" not in wanted and draw(st.booleans()):
        *arguments, piped = arguments
        return " ".join([piped, "|", function, *arguments])
    return " ".join([function, *arguments])


def _shown(depth: int) -> st.SearchStrategy[str]:
    return st.sampled_from(KINDS).flatmap(lambda kind: _expression(kind, depth))


@st.composite
def _statement(draw: st.DrawFn, depth: int) -> str:
    if not depth or draw(st.booleans()):
        return draw(_shown(3).map(lambda code: f"{{{{ {code} }}}}"))
    value = draw(_shown(2))
    body, other = draw(_body(depth - 1)), draw(_body(depth - 1))
    items = draw(_expression(draw(st.sampled_from(["texts", "ints", "map"])), 2))
    forms = (
        f"{{{{ if {value} }}}}{body}{{{{ else }}}}{other}{{{{ end }}}}",
        f"{{{{- range $i, $x := {items} }}}}{{{{ $i }}}}={{{{ $x }}}}{{{{ else }}}}{other}{{{{ end -}}}}",
        f"{{{{ range {items} }}}}<{{{{ . }}}}>{{{{ if $.b }}}}{{{{ break }}}}{{{{ end }}}}{{{{ end }}}}",
        f"{{{{ with {value} }}}}{{{{ . }}}}{{{{ else }}}}{other}{{{{ end }}}}",
        f"{{{{ $v := {value} }}}}{body}{{{{ $v }}}}",
    )
    return draw(st.sampled_from(forms))


@st.composite
def _body(draw: st.DrawFn, depth: int) -> str:
    pieces = st.one_of(st.sampled_from(["", " ", "a\n", "\n b "]), _statement(depth))
    return "".join(draw(st.lists(pieces, min_size=1, max_size=3)))


TEMPLATES = _body(2)
