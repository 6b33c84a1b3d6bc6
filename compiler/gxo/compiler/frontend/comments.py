"""The comments of a YAML text: what looks like one between its scalars, and behind `|` and `>`."""

import re
from collections.abc import Iterator

import yaml

from gxo.compiler.frontend.yaml import FASTEST_LOADER

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\r\n]*", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*")


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Where each comment of a text that is YAML begins, and the comment from its `#` on."""
    start = 0
    for token in yaml.scan(text, Loader=FASTEST_LOADER):
        if not isinstance(token, yaml.ScalarToken | yaml.StreamEndToken):
            continue
        yield from _between(text, start, token.start_mark.index)
        if getattr(token, "style", None) in ("|", ">"):
            header = _LINE.match(text, token.start_mark.index)
            assert header is not None
            yield from _between(text, *header.span())
        start = token.end_mark.index


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in _COMMENT.finditer(text, start, end):
        yield found.start(), found.group().rstrip()
