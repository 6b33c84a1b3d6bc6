"""The formats of `data:parse`: bytes in pieces to records in slices, one function a format.

A reader is a plain generator that takes as many pieces as a slice needs. It does not know whether
they come from a text in memory or from a file, which is read in a thread.
"""

from collections.abc import Callable, Iterator
from typing import TypedDict

from gxo.runtime.errors import ExpressionError, ParameterError
from gxo.runtime.spec import ColumnName, Record
from gxo.stdlib.data._formats.slices import by_line, sliced
from gxo.stdlib.data._json import Document
from gxo.stdlib.data._lines import JsonLines, LineSlices, TableLines, TextLines
from gxo.stdlib.data._text import Slice, decoded


class ParseOptions(TypedDict, total=False):
    """Each option belongs to some formats only; another one is refused there.

    json_path: (json) names and list positions joined by dots, `data.items`.
    delimiter: (csv) one character, by default a comma.
    headers: (csv, tsv, xlsx) true when the first row names the columns (the default), false for
    `column_1`, `column_2`..., or the names themselves.
    pattern: (regex, grok) a regular expression whose named groups, and names such as
    `%{IP:client}` or `%{NUMBER:ms:float}` (grok), become the fields.
    record_tag: (xml) the elements that become records; without it those in the outermost one.
    sheet: (xlsx) the name of the sheet, by default the first one.
    """

    json_path: str
    delimiter: str
    headers: bool | list[ColumnName]
    pattern: str
    record_tag: str
    sheet: str


Reader = Callable[[Iterator[bytes], ParseOptions], Iterator[Slice]]


def read_json(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """One JSON document: a list's elements, or the one value, at the path or at the top."""
    path = _json_path(options.get("json_path", ""))
    return sliced(Document(decoded(pieces)).records(path), "element")


def _json_path(text: str) -> list[str]:
    if set(text) & set("[]*?@ ") or ".." in text:
        raise ParameterError(
            f"format_options.json_path: '{text}' is not a path that gxo understands",
            hint="join names and list positions by dots, such as data.items or pages.0.rows",
        )
    path = text.removeprefix("$").strip(".")
    return path.split(".") if path else []


def read_json_lines(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """A JSON value a line; blank lines are passed over."""
    return LineSlices(pieces, JsonLines())


def read_text_lines(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """A record `{line, number}` a line."""
    return LineSlices(pieces, TextLines())


def read_regex(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """The named groups of the first match in each line; other lines may only be blank."""
    if "pattern" not in options:
        raise ParameterError("format 'regex' needs format_options.pattern")
    search, groups = _compile(options["pattern"])

    def read(line: str) -> Record | None:
        spans = search(line)
        if spans is None:
            return None
        return {
            name: line[spans[at] : spans[at + 1]] if spans[at] >= 0 else None for name, at in groups
        }

    return by_line(pieces, read)


def _compile(source: str) -> tuple[Callable[[str], tuple[int, ...] | None], list[tuple[str, int]]]:
    """The pattern's search, and for each named group where its span begins in what that returns."""
    from gxo.runtime.regex import compile_pattern  # start-up: only this format needs it

    try:
        pattern = compile_pattern(source)
    except ExpressionError as error:
        raise ParameterError(f"format_options.pattern: {error}", hint=error.hint) from None
    if not pattern.names:
        raise ParameterError(
            "format_options.pattern has no named group, so it would make records without fields",
            hint="name what a record shall have: (?P<user>[a-z]+)",
        )
    return pattern.search, [(name, 2 * number) for name, number in pattern.names.items()]


def read_csv(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """Comma-separated values (RFC 4180), every field a text."""
    table = TableLines(options.get("delimiter", ","), options.get("headers", True))
    return LineSlices(pieces, table)


def read_tsv(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """As CSV, with tabs."""
    return LineSlices(pieces, TableLines("\t", options.get("headers", True)))


# The formats below are imported when they are asked for, as few playbooks use them.


def read_logfmt(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """The fields of each line."""
    from gxo.stdlib.data._formats import logfmt  # start-up

    return logfmt.read_logfmt(pieces)


def read_grok(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """The named parts of the first match in each line."""
    from gxo.stdlib.data._formats import grok  # start-up

    if "pattern" not in options:
        raise ParameterError("format 'grok' needs format_options.pattern")
    return grok.read_grok(pieces, options["pattern"])


def read_yaml(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:  # noqa: ARG001
    """Each document, or each element of one that is a list."""
    from gxo.stdlib.data._formats import yaml  # start-up

    return yaml.read_yaml(pieces)


def read_xml(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """The elements with a tag, or those in the outermost one."""
    from gxo.stdlib.data._formats import xml  # start-up

    return xml.read_xml(pieces, options.get("record_tag"))


def read_xlsx(pieces: Iterator[bytes], options: ParseOptions) -> Iterator[Slice]:
    """The rows of a sheet."""
    from gxo.stdlib.data._formats import xlsx  # start-up

    return xlsx.read_xlsx(pieces, options.get("sheet"), options.get("headers", True))


READERS: dict[str, Reader] = {
    "json": read_json,
    "jsonl": read_json_lines,
    "yaml": read_yaml,
    "csv": read_csv,
    "tsv": read_tsv,
    "xml": read_xml,
    "text_lines": read_text_lines,
    "regex": read_regex,
    "logfmt": read_logfmt,
    "grok": read_grok,
    "xlsx": read_xlsx,
}
