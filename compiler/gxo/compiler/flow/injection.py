"""What may not arrive in a text that a shell or a database reads as code.

command: "echo {{ .kernel.stdout }}"       error: `; rm -rf ~` in it would be run
query: "... where id = '{{ .item.id }}'"   error: a quote in it would end the text
"""

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.flow.marks import Kind, Marks
from gxo.compiler.flow.shell_text import Place as ShellPlace
from gxo.compiler.flow.shell_text import unsafe_places
from gxo.compiler.flow.templates import Printed
from gxo.compiler.flow.trace import Arrival
from gxo.compiler.template import ast

IN_SHELL, UNQUOTED, IN_SQL = "GXO0801", "GXO0802", "GXO0804"
QUOTE = "write {{ shellquote (...) }}, or pass it in `args`"
QUOTE_LAST = "apply `shellquote` last, with nothing around it but words: {{ shellquote (...) }}"
UNQUOTE = "take it out of there: `shellquote` brings its own quotes"
BIND = "put a placeholder there and give the value in `query_params`"


def check(arrival: Arrival, diagnostics: Diagnostics) -> None:
    """Report values in code that could become code."""
    if arrival.use == "shell":
        template = arrival.template
        places = unsafe_places(template) if isinstance(template, ast.Template) else {}
        for printed in arrival.printed:
            _check_shell(arrival, printed, places.get(id(printed.node)), diagnostics)
    elif arrival.use == "sql":
        for printed in arrival.printed:
            _check_sql(arrival, printed, diagnostics)


def _check_shell(
    arrival: Arrival, printed: Printed, place: ShellPlace | None, diagnostics: Diagnostics
) -> None:
    marks = printed.flow.whole
    wrongly = f"stands {place}, where `shellquote` does not help"
    if Kind.OUTSIDE_BARE in marks:
        message = "a value from outside is pasted into a shell command"
        hint = QUOTE if _never_quoted(marks, Kind.OUTSIDE) else QUOTE_LAST
        notes = _way(marks, Kind.OUTSIDE_BARE)
        diagnostics.error(IN_SHELL, printed.span, message, hint, notes, place=arrival.place)
    elif Kind.OUTSIDE in marks and place:
        message, notes = f"a value from outside {wrongly}", _way(marks, Kind.OUTSIDE)
        diagnostics.error(IN_SHELL, printed.span, message, UNQUOTE, notes, place=arrival.place)
    elif Kind.SECRET in marks:
        return  # said by `exposure`; its fix takes the value out of the command
    elif Kind.GIVEN_BARE in marks:
        message = "a value is pasted into a shell command without quotes"
        hint = QUOTE if _never_quoted(marks, Kind.GIVEN) else QUOTE_LAST
        diagnostics.warning(UNQUOTED, printed.span, message, hint, place=arrival.place)
    elif Kind.GIVEN in marks and place:
        diagnostics.warning(
            UNQUOTED, printed.span, f"a value {wrongly}", UNQUOTE, place=arrival.place
        )


def _check_sql(arrival: Arrival, printed: Printed, diagnostics: Diagnostics) -> None:
    marks = printed.flow.whole
    if Kind.OUTSIDE in marks:
        message, notes = "a value from outside is pasted into SQL text", _way(marks, Kind.OUTSIDE)
        diagnostics.error(IN_SQL, printed.span, message, BIND, notes, place=arrival.place)


def _never_quoted(marks: Marks, kind: Kind) -> bool:
    """Whether nothing quoted the value; else the trails differ by what undid the quotes."""
    bare = Kind.OUTSIDE_BARE if kind is Kind.OUTSIDE else Kind.GIVEN_BARE
    return marks.get(bare) == marks.get(kind)


def _way(marks: Marks, kind: Kind) -> tuple[Note, ...]:
    """The way that the value took, unless it came straight from where it is."""
    trail = marks[kind]
    return trail if len(trail) > 1 else ()
