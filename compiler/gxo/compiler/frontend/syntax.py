"""What PyYAML finds wrong with a text, in words for the author of a playbook.

libyaml and PyYAML's own scanner stop at the first error and describe it by the grammar ("did not
find expected key"), at the place where they noticed. Here each of their findings gets one message,
the place where an author looks first, and what to do. A finding that is not in the table below is
shown in the scanner's own words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from gxo.compiler.diagnostics import Diagnostics, Note, Span
from gxo.compiler.frontend.positions import Lines

_BARE_TEMPLATE = re.compile(r"(?:^|[:\-,\[]|[:\-,\[][ \t]+)(\{\{)")


@dataclass(frozen=True, slots=True)
class _Problem:
    """A finding of the scanner; places are indexes in the text, `opened` where its part began."""

    text: str
    index: int
    opened: int
    what: str
    part: str

    @property
    def character(self) -> str:
        return self.text[self.index : self.index + 1]

    @property
    def at_end(self) -> bool:
        return not self.text[self.index :].strip()

    @property
    def first_on_line(self) -> bool:
        line_start = max(self.text.rfind("\n", 0, self.index), self.text.rfind("\r", 0, self.index))
        return not self.text[line_start + 1 : self.index].strip()


@dataclass(frozen=True, slots=True)
class _Finding:
    index: int
    message: str
    hint: str | None = None
    note: str | None = None
    code: str = "GXO0106"


def report_unquoted_template(index: int, lines: Lines, file: str, diags: Diagnostics) -> None:
    """`url: {{ .base }}`: YAML takes it for a map that is the key of a map."""
    hint = 'for example: "{{ .name }}"'
    span = _span(index, lines, file, len("{{"))
    diags.error("GXO0119", span, "a template must be quoted", hint)


def report_syntax_error(
    error: yaml.MarkedYAMLError, lines: Lines, file: str, diags: Diagnostics
) -> None:
    """Add the one diagnostic for an error of PyYAML's scanner or parser."""
    problem = _problem(error, lines.text)
    template = _bare_template(problem, lines)
    if template is not None:
        report_unquoted_template(template, lines, file, diags)
        return
    finding = _explain(problem)
    notes = []
    if finding.note and finding.index != problem.opened:
        notes = [Note(_span(problem.opened, lines, file), finding.note)]
    span = _span(finding.index, lines, file)
    diags.error(finding.code, span, finding.message, finding.hint, notes)


def _problem(error: yaml.MarkedYAMLError, text: str) -> _Problem:
    index = error.problem_mark.index if error.problem_mark else 0
    opened = error.context_mark.index if error.context_mark else index
    last = len(text.rstrip())
    return _Problem(
        text, min(index, last), min(opened, last), error.problem or "", error.context or ""
    )


def _span(index: int, lines: Lines, file: str, length: int = 1) -> Span:
    line, column = lines.place(index)
    return Span(file, line, column, line, column + length)


def _bare_template(problem: _Problem, lines: Lines) -> int | None:
    """Where an unquoted template begins on the problem's line, if that is what confused YAML."""
    line, _ = lines.place(problem.index)
    start = lines.start(line)
    found = _BARE_TEMPLATE.search(problem.text[start : problem.index + 1])
    return start + found.start(1) if found else None


def _explain(problem: _Problem) -> _Finding:
    for word, explain in _EXPLANATIONS:
        if word in problem.what or word in problem.part:
            return explain(problem)
    return _Finding(problem.index, f"this is not valid YAML: {problem.what}")


def _no_token(problem: _Problem) -> _Finding:
    if problem.character == "\t":
        return _tab(problem)
    character = problem.character
    return _Finding(
        problem.index,
        f'"{character}" cannot begin an unquoted value',
        "put the value in quotes",
    )


def _tab(problem: _Problem) -> _Finding:
    message = "a tab indents this line; YAML wants spaces"
    return _Finding(problem.index, message, "indent with spaces", code="GXO0107")


def _misplaced_colon(problem: _Problem) -> _Finding:
    return _Finding(
        problem.index,
        'a key\'s ":" stands where no key can',
        "quote the value if the colon belongs to it, else check the indentation",
    )


def _missing_colon(problem: _Problem) -> _Finding:
    return _Finding(problem.opened, 'this key has no ":" after it', "write: key: value")


def _unclosed_flow(problem: _Problem) -> _Finding:
    kind, closing = ("list", "]") if "sequence" in problem.part else ("map", "}")
    next_key = kind == "list" and problem.character == ":"
    if problem.at_end or problem.first_on_line or next_key:
        opening = problem.text[problem.opened : problem.opened + 1]
        return _Finding(problem.opened, f'this "{opening}" has no "{closing}"')
    message = f'a "," or "{closing}" is missing before this'
    return _Finding(problem.index, message, note=f"the {kind} begins here")


def _missing_value(problem: _Problem) -> _Finding:
    if problem.at_end:
        return _Finding(problem.index, "the file ends within a list or map", "close its bracket")
    return _Finding(problem.index, f'a value is missing before this "{problem.character}"')


def _unclosed_quote(problem: _Problem) -> _Finding:
    quote = problem.text[problem.opened : problem.opened + 1]
    return _Finding(problem.opened, f"this text has no closing quote ({quote})")


def _escape(problem: _Problem) -> _Finding:
    index = problem.index
    backslash = problem.text.rfind("\\", problem.opened, index + 1)
    return _Finding(
        max(backslash, problem.opened),
        "this is no escape that YAML knows",
        "write \\\\ for a backslash, or put the text in single quotes",
    )


def _not_in_map(problem: _Problem) -> _Finding:
    if problem.character == ":":
        message = "a key is missing before this colon"
        return _Finding(problem.index, message, code="GXO0112")
    if problem.first_on_line:
        return _Finding(
            problem.index,
            "this line is not indented as the map that it stands in",
            "indent all keys of a map alike",
            "the map begins here",
        )
    return _Finding(
        problem.index,
        "nothing can follow on this line after a closing quote or bracket",
        "put the whole value in quotes; between single quotes, a quote is written twice",
    )


def _not_in_list(problem: _Problem) -> _Finding:
    return _Finding(
        problem.index,
        'this line is not an item of the list that it stands in: it does not begin with "-"',
        "indent all items of a list alike, and what follows the list less",
        "the list begins here",
    )


def _misplaced_item(problem: _Problem) -> _Finding:
    hint = "begin a list on a line of its own, or write it in brackets: [a, b]"
    return _Finding(problem.index, "a list cannot begin here", hint)


def _misplaced_key(problem: _Problem) -> _Finding:
    hint = "put the value in quotes if it begins with a question mark"
    return _Finding(problem.index, "a key cannot begin here", hint)


def _block_header(problem: _Problem) -> _Finding:
    hint = 'after "|" or ">" only +, -, a digit or a comment can stand; the text begins below'
    return _Finding(problem.index, "this cannot follow the sign of a block of text", hint)


def _anchor(problem: _Problem) -> _Finding:
    sign = problem.text[problem.opened : problem.opened + 1]
    word = re.match(r"\S*", problem.text[problem.opened :])
    return _Finding(
        problem.opened,
        f'after "{sign}" YAML wants the name of an anchor',
        f'put the text in quotes: "{word.group() if word else sign}"',
    )


def _second_document(problem: _Problem) -> _Finding:
    message = "a playbook is one YAML document; more text follows its end"
    return _Finding(problem.index, message, code="GXO0108")


def _directive(problem: _Problem) -> _Finding:
    hint = "remove the line, or quote the value if it is one"
    return _Finding(problem.opened, 'a line that begins with "%" is not allowed', hint)


def _tag(problem: _Problem) -> _Finding:
    hint = "remove it; quotes make any value a text"
    return _Finding(problem.opened, "YAML tags are not allowed in a playbook", hint, code="GXO0113")


_EXPLANATIONS: tuple[tuple[str, Callable[[_Problem], _Finding]], ...] = (
    # words of libyaml and of PyYAML's own scanner, in this order: the first that is found decides
    ("a tab character", _tab),
    ("cannot start any token", _no_token),
    ("mapping values are not allowed", _misplaced_colon),
    ("could not find expected ':'", _missing_colon),
    ("tag", _tag),
    ("scanning a directive", _directive),
    ("duplicate %", _directive),
    ("incompatible", _directive),
    ("an anchor", _anchor),
    ("an alias", _anchor),
    ("scanning a block scalar", _block_header),
    ("unexpected end of stream", _unclosed_quote),
    ("unexpected document", _unclosed_quote),
    ("escape", _escape),
    ("hexdecimal", _escape),
    ("parsing a flow sequence", _unclosed_flow),
    ("parsing a flow mapping", _unclosed_flow),
    ("node content", _missing_value),
    ("parsing a block mapping", _not_in_map),
    ("parsing a block collection", _not_in_list),
    ("sequence entries are not allowed", _misplaced_item),
    ("mapping keys are not allowed", _misplaced_key),
    ("document start", _second_document),
)
