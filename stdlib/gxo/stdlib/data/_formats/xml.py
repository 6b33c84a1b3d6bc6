"""XML: each element with the tag asked for becomes a record, whatever else the document holds.

    before:  <all><order id="7"><item>pen</item><item>ink</item><by vip="yes">Ann</by></order></all>
    after:   {"id": "7", "item": ["pen", "ink"], "by": {"vip": "yes", "value": "Ann"}}

Attributes and elements are fields by their names, without a namespace's prefix; a name that is
there several times is a list. An element that has neither is its text; beside them the text is
`value`.

Python's expat reads the document piece by piece, and nothing is kept but the record at hand. What
declares an entity is refused before one is used.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from gxo.runtime.spec import Record
from gxo.stdlib.data._json import MAX_DEPTH, MAX_VALUE
from gxo.stdlib.data._text import Slice

MAX_TAG = 16 * 1024 * 1024
"""Bytes of a tag or comment. The parser begins it anew with each piece until it is complete."""

_ENCODING = re.compile(r"""(?<=\s)encoding\s*=\s*("[^"]*"|'[^']*')""")
_DECLARATION = re.compile(r"\ufeff?<\?xml\s[^>]*>")


class _Element:
    """An element inside a record, as far as it was read."""

    __slots__ = ("fields", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.text: list[str] = []
        self.fields: Record = {}
        for attribute, value in attributes.items():
            prefix, _, local = attribute.rpartition(":")
            if prefix != "xmlns" and attribute != "xmlns":
                self.add(local, value)

    def add(self, name: str, value: Any) -> None:
        """One more field; no value is a list unless it was made here."""
        if name not in self.fields:
            self.fields[name] = value
        elif self.fields[name].__class__ is list:
            self.fields[name].append(value)
        else:
            self.fields[name] = [self.fields[name], value]

    def value(self) -> Any:
        text = "".join(self.text)
        if not self.fields:
            return text
        if text := text.strip():
            self.add("value", text)
        return self.fields


class _Records:
    """What the parser calls; `found` are the records that nobody has taken yet."""

    def __init__(self, tag: str | None) -> None:
        self.found: list[Record] = []
        self._tag = tag
        self._depth = 0
        self._open: list[_Element] = []
        self._record_began = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse_entity
        parser.ExternalEntityRefHandler = self._refuse_reference
        parser.SkippedEntityHandler = self._refuse_reference

    def feed(self, piece: bytes, read: int) -> None:
        """Go on with a piece, the last of `read` bytes. ValueError says where what is wrong."""
        parser = self._parser
        try:
            parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise ValueError(
                f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
            ) from None
        if self._open and read - self._record_began > MAX_VALUE:
            raise self._error(f"an element is longer than {MAX_VALUE:,} bytes")
        # A tag, a comment or an attribute that does not end is held back by the parser.
        if read - parser.CurrentByteIndex > MAX_TAG:
            raise self._error(f"a tag or comment is longer than {MAX_TAG:,} bytes")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH:,}")
        local = name.rpartition(":")[2]
        if self._open:
            self._open.append(_Element(local, attributes))
        elif self._depth == 2 if self._tag is None else local == self._tag:
            self._record_began = self._parser.CurrentByteIndex
            self._open.append(_Element(local, attributes))

    def _end(self, _: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        element = self._open.pop()
        value = element.value()
        if self._open:
            self._open[-1].add(element.name, value)
        else:
            self.found.append(value if value.__class__ is dict else {"value": value})

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise self._error(f"it declares the entity '{name}', which is not allowed")

    def _refuse_reference(self, *_: object) -> int:
        raise self._error("it refers to an entity outside of it, which is not allowed")

    def _error(self, message: str) -> ValueError:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        return ValueError(f"line {line}, column {column}: {message}")


def read_xml(pieces: Iterator[bytes], tag: str | None) -> Iterator[Slice]:
    """The elements with this tag, or without one those right below the outermost.

    An element inside such an element is a part of its record.
    """
    records = _Records(tag)
    read = 0
    try:
        for piece in pieces:
            read += len(piece)
            if piece:
                records.feed(piece, read)
            yield records.found, []
            records.found = []
        records.feed(b"", read)
    except ValueError:
        yield records.found, []
        raise


def without_encoding(text: str) -> str:
    """The text without the encoding that it declares: it has none any more."""
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return text
    bare = _ENCODING.sub(lambda found: " " * len(found[0]), declaration[0])
    return bare + text[declaration.end() :]
