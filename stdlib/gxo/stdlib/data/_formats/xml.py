"""XML: each element with the tag asked for becomes a record, whatever else the document holds.

    before:  <all><order id="7"><item>pen</item><item>ink</item><by vip="yes">Ann</by></order></all>
    after:   {"id": "7", "item": ["pen", "ink"], "by": {"vip": "yes", "value": "Ann"}}

Attributes and elements are fields by their names, without a namespace's prefix; a name that is
there several times is a list. An element that has neither is its text; beside them the text is
`value`.

Python's expat reads the document piece by piece, and nothing is kept but the record at hand. What
declares an entity, or a default for an attribute, is refused before one is used.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from gxo.runtime.spec import Record
from gxo.stdlib.data._json import MAX_DEPTH, MAX_VALUE
from gxo.stdlib.data._text import Refused, Slice

MAX_TAG = 16 * 1024 * 1024
"""Bytes of a tag or comment. The parser begins it anew with each piece until it is complete."""

MAX_NAMES = 100_000
"""Different names of elements and attributes: the parser keeps each."""

_PIECE = 64 * 1024

_ENCODING = re.compile(r"""(?<=\s)encoding\s*=\s*("[^"]*"|'[^']*')""")
_EXPATS = frozenset(["UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "ISO-8859-1", "US-ASCII"])
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\w+);)[^;]*;")
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


class _Tags:
    """The tags as they stand in the document, looked at before the parser gets them.

    Where a document type lies elsewhere, the parser does not know what is declared. It then takes
    an entity in an attribute for an empty text, without a word.
    """

    def __init__(self) -> None:
        self._part = ""
        self._fault: tuple[int, ValueError] | None = None
        self._parser = parser = expat.ParserCreate()
        parser.DefaultHandler = (
            self._see
        )  # gets what no other handler does: tags and default values
        parser.CharacterDataHandler = _pass_over
        parser.CommentHandler = _pass_over
        parser.ProcessingInstructionHandler = _pass_over
        parser.EntityDeclHandler = _pass_over

    def fault(self, piece: bytes) -> tuple[int, ValueError] | None:
        """The byte before which no tag refers to an entity, and what to tell of the one there."""
        with suppress(expat.ExpatError, LookupError, ValueError):  # who makes the records tells it
            self._parser.Parse(piece, False)
        return self._fault

    def _see(self, text: str) -> None:
        """A tag, or a part of a long one."""
        if self._fault is not None or ("&" not in text and not self._part):
            return
        text = self._part + text
        if found := _REFERENCE.search(text):
            error = _error(self._parser, f"it does not declare the entity {found[0][:50]}")
            self._fault = self._parser.CurrentByteIndex, error
        last = text.rfind("&")
        self._part = text[last:] if last > text.rfind(";") else ""


def _pass_over(*_: object) -> None:
    pass


class _Records:
    """What the parser calls; `found` are the records that nobody has taken yet.

    whole: the document is one record, whose only field is the outermost element.
    """

    def __init__(self, tag: str | None, *, whole: bool = False) -> None:
        self.found: list[Record] = []
        self._tag = tag
        self._whole = whole
        self._depth = 0
        self._open: list[_Element] = []
        self._record_began = 0
        self._has_type = False
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        self._tags: _Tags | None = _Tags()
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse_entity
        parser.AttlistDeclHandler = self._refuse_default
        parser.ExternalEntityRefHandler = self._refuse_reference
        parser.SkippedEntityHandler = self._refuse_reference

    def feed(self, piece: bytes, read: int) -> None:
        """Go on with a piece, the last of `read` bytes. ValueError says where what is wrong."""
        parser = self._parser
        if piece and self._tags is not None and (fault := self._tags.fault(piece)):
            at, error = fault
            self._parse(piece[: max(at - read + len(piece), 0)], is_last=False)
            raise error
        self._parse(piece, is_last=not piece)
        if self._open and read - self._record_began > MAX_VALUE:
            raise _error(self._parser, f"an element is longer than {MAX_VALUE:,} bytes")
        # A tag, a comment or an attribute that does not end is held back by the parser.
        if read - parser.CurrentByteIndex > MAX_TAG:
            raise _error(self._parser, f"a tag or comment is longer than {MAX_TAG:,} bytes")
        if len(parser.intern) > MAX_NAMES:
            raise _error(parser, f"it has more than {MAX_NAMES:,} different names")

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise ValueError(
                f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
            ) from None

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and not _is_known(encoding):
            place = _error(self._parser, f"the encoding {encoding[:50]} is none that can be read")
            raise Refused(str(place), "convert it to UTF-8, and change what it declares")

    def _document_type(self, *_: object) -> None:
        self._has_type = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if not self._has_type:
            self._tags = None
        if self._depth > MAX_DEPTH:
            raise _error(self._parser, f"nested deeper than {MAX_DEPTH:,}")
        local = name.rpartition(":")[2]
        if self._open:
            self._open.append(_Element(local, attributes))
        elif self._whole or (self._depth == 2 if self._tag is None else self._tag in (local, name)):
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
        elif self._whole:
            self.found.append({element.name: value})
        else:
            self.found.append(value if value.__class__ is dict else {"value": value})

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise _error(self._parser, f"it declares the entity '{name[:50]}', which is not allowed")

    def _refuse_default(self, _e: str, name: str, _t: str, value: str | None, _r: int) -> None:
        """One that is long, and a million elements that have it, would be all of the memory."""
        if value is not None:
            raise _error(
                self._parser, f"it declares a default for '{name[:50]}', which is not allowed"
            )

    def _refuse_reference(self, *_: object) -> int:
        raise _error(self._parser, "it refers to an entity outside of it, which is not allowed")


def _is_known(encoding: str) -> bool:
    """Whether expat has the encoding, or Python has it with one byte a character."""
    if encoding.upper() in _EXPATS:
        return True
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == 256
    except (LookupError, ValueError):
        return False


def _error(parser: expat.XMLParserType, message: str) -> ValueError:
    line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
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


def read_document(content: bytes) -> Record:
    """The whole document: a map with one field, the outermost element. ValueError if it is none.

    before:  <all><order id="7"/><order id="8"/></all>
    after:   {"all": {"order": [{"id": "7"}, {"id": "8"}]}}
    """
    records = _Records(None, whole=True)
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        records.feed(piece, start + len(piece))
    records.feed(b"", len(content))
    return records.found[0]


def without_encoding(text: str) -> str:
    """The text without the encoding that it declares: it has none any more."""
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return text
    bare = _ENCODING.sub(lambda found: " " * len(found[0]), declaration[0])
    return bare + text[declaration.end() :]
