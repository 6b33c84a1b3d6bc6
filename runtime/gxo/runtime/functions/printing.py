"""Printing and escaping: `print`, `printf`, `html`, `js`, `urlquery`, `shellquote`."""

from typing import Any

from gxo.runtime.functions import function
from gxo.runtime.golang.printing import sprint, sprintf, sprintln

_HTML = str.maketrans(
    {
        "'": "&#39;",
        '"': "&#34;",
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "\0": "\ufffd",
    }
)
_JAVASCRIPT = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


@function("print")
def print_(*values: Any) -> str:
    """Return the values as text, with a space between two that are no texts."""
    return sprint(values)


@function("println")
def println(*values: Any) -> str:
    """Return the values as text, with spaces between them and a line's end."""
    return sprintln(values)


@function("printf")
def printf(form: str, *values: Any) -> str:
    """Return the values in a format of Go's `fmt`: `printf "%s:%05d" "a" 7` is `a:00007`."""
    return sprintf(form, values)


@function("html")
def html(*values: Any) -> str:
    """Return the values as text, safe inside HTML."""
    return _joined(values).translate(_HTML)


@function("js")
def js(*values: Any) -> str:
    """Return the values as text, safe inside a JavaScript string."""
    return "".join(map(_javascript, _joined(values)))


@function("urlquery")
def urlquery(*values: Any) -> str:
    """Return the values as text, safe as one value of a URL's query."""
    from urllib.parse import quote_plus  # only where a URL is built

    return quote_plus(_joined(values), errors="surrogateescape")


@function("shellquote")
def shellquote(text: str) -> str:
    """Return a text as one word of a POSIX shell's command line."""
    if text and text.isascii() and all(char.isalnum() or char in "@%+=:,./-_" for char in text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _joined(values: tuple[Any, ...]) -> str:
    """Return what Go's escapers work on: nil is `<no value>` for them."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return sprint(["<no value>" if value is None else value for value in values])


def _javascript(char: str) -> str:
    if char in _JAVASCRIPT:
        return _JAVASCRIPT[char]
    if char < " ":
        return f"\\u00{ord(char):02X}"
    if char.isprintable() or char.isascii() or "\udc80" <= char <= "\udcff":
        return char
    return f"\\u{ord(char):04X}"
