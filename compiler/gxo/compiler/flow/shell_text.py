"""Where in a shell's text each action stands: as a word of its own, or inside quotes.

    echo {{ .a }} "{{ .b }}" # {{ .c }}
         word      quotes      comment

`shellquote` makes one word of a value: inside quotes, a comment or a here-document its own quotes
mean something else. After branches that leave the shell in different states nobody knows where an
action stands, so it is taken for unsafe. A definition is read as if it stood alone.
"""

import re
from collections.abc import Mapping
from typing import Literal

from gxo.compiler.template import ast

Place = Literal[
    "inside quotes",
    "inside a comment",
    "inside a here-document",
    "behind a backslash",
    "where quotes may be open",
]
Stack = tuple[str, ...]
"""What is open, the innermost last: `'`, `"`, `` ` ``, `(`, `{` (`"{` within quotes), `#`, `\\`,
`<<WORD`, or `?` where nothing is known. A here-document that begins on the next line is `<WORD`."""

UNKNOWN: Stack = ("?",)
_QUOTED = ('"', '"{')
_PLACES: Mapping[str, Place] = {
    "'": "inside quotes",
    '"': "inside quotes",
    '"{': "inside quotes",
    "#": "inside a comment",
    "\\": "behind a backslash",
    "?": "where quotes may be open",
}
_PLAIN = re.compile(r"""[^'"\\`$(){}#<\n]+""")
_HEREDOC = re.compile(r"""<<(?!<)(-?)[ \t]*(\\?[\w.]+|'[^'\n]*'|"[^"\n]*")""")


def unsafe_places(template: ast.Template) -> Mapping[int, Place]:
    """The actions, by their id, that stand where a quoted word is none."""
    found: dict[int, Place] = {}
    _body(template.nodes, (), found)
    for define in template.defines:
        _body(define.body, (), found)
    return found


def _body(nodes: tuple[ast.Node, ...], stack: Stack, found: dict[int, Place]) -> Stack:
    """Read on from what is open; returns what is open after the statements."""
    before = " "
    for node in nodes:
        match node:
            case ast.Text(text):
                stack = _read(text, before, stack)
                before = text[-1:] or before
                continue
            case ast.Action() | ast.Include():
                if place := _place(stack):
                    found[id(node)] = place
                stack = _after_word(stack)
            case ast.If(branches, otherwise):
                ends = [_body(branch.body, stack, found) for branch in branches]
                stack = _same([*ends, _body(otherwise, stack, found)])
            case ast.With(_, body, otherwise):
                stack = _same([_body(body, stack, found), _body(otherwise, stack, found)])
            case ast.Range(_, body, otherwise):
                end = _body(body, stack, found)
                if end != stack:  # so the next round starts in another state
                    _body(body, UNKNOWN, found)
                stack = _same([stack, end, _body(otherwise, stack, found)])
        before = "w"
    return stack


def _same(ends: list[Stack]) -> Stack:
    return ends[0] if all(end == ends[0] for end in ends) else UNKNOWN


def _place(stack: Stack) -> Place | None:
    top = next((one for one in reversed(stack) if not _is_pending(one)), "")
    return "inside a here-document" if top.startswith("<<") else _PLACES.get(top)


def _after_word(stack: Stack) -> Stack:
    return stack[:-1] if stack[-1:] == ("\\",) else stack


def _is_pending(one: str) -> bool:
    return one.startswith("<") and not one.startswith("<<")


def _read(text: str, before: str, stack: Stack) -> Stack:
    """What is open after the text; `before` is the character that precedes it."""
    index = 0
    while index < len(text) and stack != UNKNOWN:
        top = stack[-1] if stack else ""
        if top.startswith("<<"):
            stack, index = _in_document(text, index, stack, before)
        elif top == "'":
            end = text.find("'", index)
            stack, index = (stack[:-1], end + 1) if end >= 0 else (stack, len(text))
        elif top == "#":
            end = text.find("\n", index)
            stack, index = (stack[:-1], end) if end >= 0 else (stack, len(text))
        elif top == "\\":
            stack, index = stack[:-1], index + 1
        else:
            stack, index = _step(text, index, text[index - 1] if index else before, stack)
    return stack


def _in_document(text: str, index: int, stack: Stack, before: str) -> tuple[Stack, int]:
    """Go to the line that holds nothing but the here-document's word."""
    word = re.escape(stack[-1][2:])
    start = "" if index or before == "\n" else r"(?<=\n)"
    found = re.compile(rf"{start}^[\t]*{word}$", re.MULTILINE).search(text, index)
    return (stack[:-1], found.end()) if found else (stack, len(text))


def _step(text: str, index: int, before: str, stack: Stack) -> tuple[Stack, int]:
    """Read one sign outside of single quotes."""
    top = next((one for one in reversed(stack) if not _is_pending(one)), "")
    if plain := _PLAIN.match(text, index):
        return stack, plain.end()
    sign, quoted = text[index], top in _QUOTED
    if sign == "\\":
        return (*stack, "\\"), index + 1
    if sign == "}" and top in ("{", '"{'):
        return _closed(stack), index + 1
    if sign == '"' and top == '"{':
        return UNKNOWN, len(text)
    if sign in ('"', "`") or (sign == "'" and not quoted):
        return (_closed(stack) if sign == top else (*stack, sign)), index + 1
    if text.startswith("${", index):
        return (*stack, '"{' if quoted else "{"), index + 2
    if text.startswith("$(", index):
        return (*stack, "("), index + 2
    if quoted:
        return stack, index + 1
    if sign == "(" or (sign == ")" and top == "("):
        return ((*stack, "(") if sign == "(" else _closed(stack)), index + 1
    if sign == "#" and before in " \t\n;&|()" and top != "{":
        return (*stack, "#"), index + 1
    if sign == "\n":
        return _begin_documents(stack), index + 1
    arithmetic = stack[-2:] == ("(", "(")
    if not arithmetic and (document := _HEREDOC.match(text, index)):
        return (*stack, "<" + document[2].strip("\\'\"")), document.end()
    return stack, index + (3 if text.startswith("<<<", index) else 1)


def _closed(stack: Stack) -> Stack:
    """The stack without the innermost thing that is open; documents that are to come stay."""
    last = max(number for number, one in enumerate(stack) if not _is_pending(one))
    return stack[:last] + stack[last + 1 :]


def _begin_documents(stack: Stack) -> Stack:
    """At a line's end: the documents that were announced follow each other, the first on top."""
    pending = [one for one in stack if _is_pending(one)]
    others = tuple(one for one in stack if not _is_pending(one))
    return (*others, *("<" + one for one in reversed(pending)))
