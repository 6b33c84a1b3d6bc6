"""Names a template's syntax error: says what is wrong, where, and what to write instead.

Runs only after the parser gave up. The parser is run once more, token by token, to see what it had
read: which action and which blocks are open, and where reading stopped. What the characters there
cannot be is named by `_LEXICAL` rules; what the grammar did not expect is named by example
(`_EXAMPLES`): a broken template stands for every other one that stops the parser in the same state
before the same kind of word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from lark import Token, Tree, UnexpectedInput, UnexpectedToken
from lark.exceptions import UnexpectedCharacters

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import SourceText
from gxo.compiler.template.tables import parser

_BLOCKS = {"IF": "if", "WITH": "with", "RANGE": "range", "DEFINE": "define", "BLOCK": "block"}
_KEYWORDS = (
    *_BLOCKS.values(),
    *("else", "end", "template", "break", "continue", "true", "false", "nil"),
)


@dataclass(frozen=True, slots=True)
class Mistake:
    code: str
    start: int
    end: int
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the parser stopped: offset, automaton state, the open action, the open blocks."""

    position: int
    state: int
    action: Token | None
    blocks: tuple[tuple[str, Token], ...]


def report_mistake(source: SourceText, start: str, diags: Diagnostics) -> None:
    """Add the diagnostic for a text that the parser refuses."""
    stop = _stop(source.value, start)
    mistake = _name(source.value, start, stop)
    span = source.at(mistake.start, mistake.end)
    diags.error(mistake.code, span, mistake.message, mistake.hint)


def _name(text: str, start: str, stop: Stop) -> Mistake:
    if stop.position >= len(text) and stop.action is None and stop.blocks:
        word, opening = stop.blocks[-1]
        assert opening.end_pos is not None
        return Mistake(
            "GXO0402",
            opening.start_pos or 0,
            opening.end_pos + len(word) + 1,
            f"this `{word}` has no `end`",
            "close it with {{ end }}",
        )
    rest = text[stop.position :]
    for pattern, name in _LEXICAL:
        if (match := pattern.match(rest)) and (mistake := name(stop, match)):
            return mistake
    if stop.action is not None and _is_unclosed(text, stop):
        return _unclosed(stop.action)
    known = _examples().get((start, stop.state, _kind(text, stop.position)))
    word = _word(rest)
    end = stop.position + len(word)
    if known is not None:
        message, hint = known
        hint = hint and hint.replace("{word}", word)
        return Mistake("GXO0404", stop.position, end, message.replace("{word}", word), hint)
    what = f"unexpected `{word}`" if word else "unexpected end of the text"
    return Mistake("GXO0404", stop.position, end, what, None)


def _unclosed(action: Token) -> Mistake:
    start = action.start_pos or 0
    return Mistake("GXO0401", start, start + 2, "this {{ is never closed", "close it with }}")


def _is_unclosed(text: str, stop: Stop) -> bool:
    """Whether the action has no `}}` of its own: none at all, or only after the next `{{`."""
    closing = text.find("}}", stop.position)
    opening = text.find("{{", stop.position)
    return closing < 0 or 0 <= opening < closing


# What the characters cannot be ------------------------------------------------------------------


def _quote(stop: Stop, match: re.Match[str]) -> Mistake | None:
    start, end = stop.position, stop.position + match.end()
    if match["closed"] is None:
        return Mistake(
            "GXO0403", start, start + 1, "this text has no closing quote",
            "a text in quotes ends on the same line; use back quotes for more lines",
        )  # fmt: skip
    return Mistake(
        "GXO0404", end, end + 1, "white space is missing after this text",
        "separate arguments by white space",
    )  # fmt: skip


def _number(stop: Stop, match: re.Match[str]) -> Mistake | None:
    word = match.group()
    hint = None
    if re.fullmatch(r"[+-]?[\w.]+[+*/%-].*", word):
        hint = "an operator needs white space on both sides: `a + b`"
    elif re.fullmatch(r"\d+(\.\w+)+", word):
        hint = "a number has no fields"
    elif re.fullmatch(r"[+-]?[^\W\d].*", word):
        hint = "there is no sign before a value; write `0 - .x`"
    end = stop.position + len(word)
    return Mistake("GXO0405", stop.position, end, f"bad number {word}", hint)


def _comment(stop: Stop, match: re.Match[str]) -> Mistake | None:
    start = stop.position
    if stop.action is not None and stop.action.end_pos == start and "*/" not in match["rest"]:
        return Mistake(
            "GXO0401", start, start + 2, "this comment is never closed", "close it with */}}"
        )
    return Mistake(
        "GXO0404", start, start + 2, "a comment must be an action of its own",
        "write {{/* comment */}}, with nothing between the braces and the asterisks",
    )  # fmt: skip


def _operator(stop: Stop, match: re.Match[str]) -> Mistake | None:
    if match.start("operator") == 0 and match["after"]:
        return None  # it has white space on both sides: the grammar says what is wrong
    start = stop.position + match.start("operator")
    operator = match["operator"]
    return Mistake(
        "GXO0404", start, start + 1, f"`{operator}` is out of place",
        f"an operator stands between two values, with white space on both sides: `a {operator} b`",
    )  # fmt: skip


def _function_field(stop: Stop, match: re.Match[str]) -> Mistake | None:
    start = stop.position + match.start("dot")
    name = match["name"]
    if name in ("true", "false", "nil"):
        return Mistake("GXO0404", start, start + 1, f"`{name}` has no fields")
    if match["dot"] == "(":
        return Mistake(
            "GXO0404", start, start + 1, "arguments are not put in parentheses",
            f"write `{name} .a .b`",
        )  # fmt: skip
    return Mistake(
        "GXO0404", start, start + 1, f"`{name}` is a function and has no fields",
        f"write `({name} ...).field` for a field of its result, or `.{name}` for a name",
    )  # fmt: skip


def _secret(stop: Stop, match: re.Match[str]) -> Mistake | None:
    name = match["name"] or "NAME"
    end = stop.position + match.end()
    hint = f'write {{{{ secret "{name}" }}}}'
    return Mistake("GXO0404", stop.position, end, f"`{match.group()}` is out of place", hint)


def _character(stop: Stop, match: re.Match[str]) -> Mistake | None:
    character = match["character"]
    start = stop.position + match.start("character")
    return Mistake(
        "GXO0404", start, start + 1, f"unexpected `{character}`", _CHARACTER_HINTS.get(character)
    )


_CHARACTER_HINTS = {
    "[": "a list is written `list 1 2`, an element `index .l 0` or `.l.0`",
    "]": "an element is written `index .l 0` or `.l.0`",
    "{": "a map is written `dict \"key\" .value`",
    "?": "write `ternary .yes .no .condition`, or {{ if }}",
    ":": "a map is written `dict \"key\" .value`",
    ";": "one action holds one value",
    "&": "the logical and is `&&`",
    "$": "a key that is computed is written `index .map $key`",
    ".": "a field's name begins with a letter; another key is written `index .map \"key\"`",
}  # fmt: skip

_Rule = tuple[re.Pattern[str], Callable[[Stop, re.Match[str]], Mistake | None]]
_CHAIN = r"(?>(?:(?:\.?[^\W\d]\w*|\.|\)|\$\w*)(?>(?:\.\w+){1,1000})*)?)"
"""What may stand before the wrong character: a whole value, of which nothing is given back."""

_LEXICAL: tuple[_Rule, ...] = (
    (re.compile(r'"(?>(?:[^"\\\n]++|\\[^\n]){1,1000})*(?P<closed>")?'), _quote),
    (re.compile(r"'(?>(?:[^'\\\n]++|\\[^\n]){1,1000})*(?P<closed>')?"), _quote),
    (re.compile(r"`[^`]*(?P<closed>`)?"), _quote),
    (re.compile(r"/\*(?P<rest>(?s:.*))"), _comment),
    (re.compile(r"[+-]?\.?\d[^\s|)}]*(?<!-)|[+-][^\W\d]\w*"), _number),
    (re.compile(rf"{_CHAIN}(?P<operator>[+*/%-])(?!\}}\}})(?P<after>\s?)"), _operator),
    (re.compile(r"(?P<name>[^\W\d]\w*)(?P<dot>[.(])"), _function_field),
    (re.compile(r"\$\{(?P<name>\w*)\}?"), _secret),
    (re.compile(rf"{_CHAIN}(?P<character>(?!\{{\{{)[^\s\w|()}}!<>=,\"'`+*/%-])"), _character),
)


# What the grammar did not expect ------------------------------------------------------------------

_EXAMPLES: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    (
        "there is no value here",
        "write what to print between {{ and }}",
        ("{{ }}", "{{ if }}", "{{ with }}", "{{ range }}", "{{ $x := }}",
         "{{ if $x := }}", "{{ range $x := }}", "{{ block `b` }}", "{{ () }}",
         "{{ if .a }}{{ else if }}"),
    ),
    ("`{word}` without an `if`, `with` or `range` before it", None, ("{{ else }}", "{{ end }}")),
    (
        "a second `else` in one block",
        "an `else` is the last part of its block",
        ("{{ if .a }}{{ else }}{{ else }}", "{{ range .a }}{{ else }}{{ else }}",
         "{{ with .a }}{{ else }}{{ else }}"),
    ),
    (
        "`{word}` is part of the language and stands at the start of an action",
        "for a field of that name write `.{word}`",
        ("{{ .x if", "{{ .x .y if", "{{ f if", "{{ (if", "{{ f | if", "{{ .x + if", "{{ if if",
         "{{ .x == if", "{{ .x && if", "{{ ! if"),
    ),
    ("`else` takes nothing, or an `if` or `with` of the block's own kind", None,
     ("{{ if .a }}{{ else with .b }}", "{{ with .a }}{{ else if .b }}",
      "{{ range .a }}{{ else if .b }}", "{{ if .a }}{{ else .b }}",
      "{{ with .a }}{{ else .b }}", "{{ range .a }}{{ else .b }}")),
    ("nothing may follow `end`", "for a field write `.end`",
     ("{{ if .a }}{{ end if }}", "{{ if .a }}{{ end .a }}", "{{ if .a }}{{ end upper }}")),
    ("nothing may follow `break` and `continue`", None,
     ("{{ range .a }}{{ break .b }}", "{{ range .a }}{{ continue .b }}",
      "{{ range .a }}{{ break 1 }}")),
    ("the name of a template is a text in quotes", 'write {{ template "name" . }}',
     ("{{ template }}", "{{ template .name }}", "{{ template name }}", "{{ template $x }}",
      "{{ define }}", "{{ define .name }}", "{{ define name }}", "{{ block .name . }}",
      "{{ block }}", "{{ block name }}")),
    ("a definition takes only a name", None, ("{{ define `a` . }}", "{{ define `a` .x }}")),
    ("the argument of `template` is one pipeline", None, ("{{ template `a` | upper }}",)),
    ("comparisons do not chain", "join them with `&&`, as in `.a < .b && .b < .c`",
     ("{{ .a == .b == .c }}",)),
    ("right of `|` stands a function", None,
     ("{{ .x | | upper }}", "{{ .x | == }}", "{{ .x | ! .y }}", "{{ .x | + }}")),
    ("`{word}` cannot stand behind a pipeline",
     "put the pipeline into parentheses: `(.x | f) == 1`",
     ("{{ .x | f == 1 }}", "{{ .x | f 1 == 1 }}", "{{ .x | f + 1 }}", "{{ .x | f 1 + 1 }}",
      "{{ .x | f && 1 }}", "{{ .x | f 1 && 1 }}", "{{ .x | f || 1 }}", "{{ .x | f 1 || 1 }}")),
    ("a value is missing before `{word}`", None,
     ("{{ | .x }}", "{{ + 1 }}", "{{ .x + + 1 }}", "{{ == 1 }}", "{{ && .x }}",
      "{{ || .x }}", "{{ (| .x) }}", "{{ .x == == }}",
      "{{ .x && && }}", "{{ .x + | }}", "{{ .x + == }}", "{{ .x && | }}", "{{ .x == | }}")),
    ("a value is missing after the operator", None,
     ("{{ .x == }}", "{{ .x + }}", "{{ .x * }}", "{{ .x && }}", "{{ .x || }}", "{{ ! }}",
      "{{ (.x == ) }}", "{{ (.x + ) }}", "{{ (.x && ) }}")),
    ("this parenthesis is not closed", None, ("{{ (.x }}", "{{ (f .x }}", "{{ (.x | f }}",
     "{{ (.x == .y }}", "{{ (.x && .y }}", "{{ (.x + .y }}")),
    ("there is no open parenthesis", None, ("{{ .x ) }}", "{{ f .x ) }}", "{{ .x | f ) }}",
     "{{ .x == .y ) }}", "{{ .x && .y ) }}")),
    ("`{word}` only sets a variable that begins the action", "to compare write `==`",
     ("{{ .x = 1 }}", "{{ .x := 1 }}", "{{ $x = = 1 }}", "{{ f = 1 }}", "{{ if .x = 1 }}",
      "{{ f $x := 1 }}", "{{ ($x := 1) }}", "{{ f .x = 1 }}", "{{ .x | f = 1 }}")),
    ("one action sets one variable", "only `range` sets two: `range $index, $element := .list`",
     ("{{ $a, $b := 1 }}", "{{ if $a, $b := 1 }}", "{{ with $a, $b := 1 }}")),
    ("`range` sets at most two variables", None, ("{{ range $a, $b, $c := .l }}",)),
    ("`!` needs parentheses here", "write `(!.x)` or `not .x`",
     ("{{ f !.x }}", "{{ .x == !.y }}", "{{ .x + !.y }}", "{{ .x !.y }}")),
)  # fmt: skip


@cache
def _examples() -> dict[tuple[str, int, str], tuple[str, str | None]]:
    """(start, state, kind of the word) to the message, learnt by parsing each broken example."""
    known: dict[tuple[str, int, str], tuple[str, str | None]] = {}
    for message, hint, examples in _EXAMPLES:
        for text in examples:
            stop = _stop(text, "template")
            known.setdefault(("template", stop.state, _kind(text, stop.position)), (message, hint))
    for message, hint, examples in _CONDITION_EXAMPLES:
        for text in examples:
            stop = _stop(text, "condition")
            known.setdefault(("condition", stop.state, _kind(text, stop.position)), (message, hint))
    return known


_CONDITION_EXAMPLES: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("a comparison is not written `{word}`", "write `==`",
     ("{{ .a }} = 1", "{{ .a }} == 1 = 2", "'x' = 1", "1 = 1", "({{ .a }}) = 1", "({{ .a }} = 1)",
      "{{ .a }} && {{ .b }} = 1", "not {{ .a }} = 1")),
    ("`{word}` is neither a value nor an operator here",
     "put names into {{ }} and text into quotes",
     ("word", "{{ .a }} == word", "{{ .a }} && word", "not word", "(word", ".a", "$a")),
    ("an operator is missing before `{word}`",
     "compare with == != < <= > >=, join with && or ||",
     ("{{ .a }} word", "{{ .a }} 1", "{{ .a }} == 1 word", "{{ .a }} && {{ .b }} word",
      "{{ .a }} {{ .b }}", "{{ .a }} == 1 {{ .b }}", "{{ .a }} 'x'", "({{ .a }}) word",
      "{{ .a }} == 1 2", "{{ .a }} == 1 'x'")),
    ("comparisons do not chain", "join them with `&&`", ("{{ .a }} == 1 == 2",)),
    ("a value is missing after the operator", None,
     ("{{ .a }} ==", "{{ .a }} &&", "not", "{{ .a }} == 1 &&", "{{ .a }} or")),
    ("this parenthesis is not closed", None, ("({{ .a }}", "({{ .a }} == 1", "({{ .a }} && 1")),
    ("there is no open parenthesis", None, ("{{ .a }})", "{{ .a }} == 1)", "{{ .a }} && 1)")),
)  # fmt: skip


# Running the parser again --------------------------------------------------------------------


def _stop(text: str, start: str) -> Stop:
    """Parse as far as it goes."""
    interactive = parser().parse_interactive(text, start=start)
    position = len(text)
    try:
        for _ in interactive.iter_parse():
            pass
        interactive.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
    except UnexpectedInput:
        pass
    state = interactive.parser_state
    action, blocks = _open(state.value_stack)
    return Stop(position, state.state_stack[-1], action, blocks)


def _open(values: list[Token | Tree[Token]]) -> tuple[Token | None, tuple[tuple[str, Token], ...]]:
    """The action being read, and the blocks that wait for their `end`, from the value stack."""
    action: Token | None = None
    blocks: list[tuple[str, Token]] = []
    before: str | None = None
    for value in values:
        if isinstance(value, Tree):
            head = _head(value)
            if head is not None:
                blocks.append(head)
        elif value.type == "OPEN":
            action = value
        elif value.type == "CLOSE":
            action = None
        elif value.type in _BLOCKS and before == "OPEN" and action is not None:
            # Closed by the text's last `}}`, this is not a tree yet; inside an action nobody asks.
            blocks.append((_BLOCKS[value.type], action))
        before = value.type if isinstance(value, Token) else None
    return action, tuple(blocks)


def _head(value: Tree[Token]) -> tuple[str, Token] | None:
    """The block that a value on the stack opens: a head, or the unfinished body that it begins."""
    first: Tree[Token] | Token | None = value
    if value.data.startswith("_") and value.children:
        first = value.children[0]
    if not isinstance(first, Tree) or not str(first.data).endswith("_head"):
        return None
    return str(first.data).removesuffix("_head"), first.children[0]  # type: ignore[return-value]


_WORD = re.compile(
    r"""\s*(\{\{-?|-?\}\}|:=|==|!=|<=|>=|&&|\|\||[^\W\d]\w*|\$[\w.]*|\.[\w.]*|[+-]?\d[\w.]*|"[^"\n]*"?|'[^'\n]*'?|`[^`]*`?|\S)"""
)


def _word(rest: str) -> str:
    match = _WORD.match(rest)
    return match[1] if match else ""


def _kind(text: str, position: int) -> str:
    """The class of the word at a place: examples stand for all words of the class."""
    word = _word(text[position:])
    if not word:
        return "end of text"
    if word in _KEYWORDS:
        return {"else": "else", "end": "end"}.get(word, "keyword")
    if word[0].isalpha() or word[0] == "_":
        return "name"
    if word[0] in ".$" and len(word) > 1:
        return "reference"
    if word[0].isdigit() or (word[:1] in "+-" and word[1:2].isdigit()):
        return "number"
    if word[0] in "\"'`":
        return "text"
    for kind, words in _KINDS.items():
        if word in words:
            return kind
    return word


_KINDS = {
    "set": ("=", ":="),
    "compare": ("==", "!=", "<", "<=", ">", ">="),
    "arithmetic": ("+", "-", "*", "/", "%"),
    "{{": ("{{", "{{-"),
    "}}": ("}}", "-}}"),
}
