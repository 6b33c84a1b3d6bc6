"""YAML 1.2: each document becomes a record, or each element of a document that is a list.

    before:  - &base {name: a, port: 80}
             - {<<: *base, name: b}
    after:   {"name": "a", "port": 80}, {"name": "b", "port": 80}

Unquoted values mean what they do in a playbook (`gxo.runtime.yamltext`). ruamel.yaml tells what
stands in the text, event by event (`yaml_scanner`); the values are made here, so that no tag makes
an object of Python's and every limit is kept before something grows.

What is wrong with a value (a key twice, a number without end, bytes that are not UTF-8) makes it a
record error, and the others go on. Where nothing tells any more what belongs to what (a bracket
that is not closed, a character that YAML does not have) the document is refused from there on.
"""

import re
from collections.abc import Iterator
from typing import Any

from gxo.runtime.spec import Record
from gxo.runtime.yamltext import resolve
from gxo.stdlib.data._formats.slices import sliced
from gxo.stdlib.data._json import MAX_DEPTH, PAUSE, Unfit
from gxo.stdlib.data._text import NOT_UTF8, Slice, decoded, is_damaged

MAX_TEXT = 8 * 1024 * 1024
"""Characters of one value, and of what a document's anchors hold. YAML is slow to read, and nothing
can end the reading of one long text."""

MAX_COPIED = 8 * 1024 * 1024
"""What the aliases of one record may stand for, in characters; each value counts as 8 more."""

_NO_CHARACTER = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\udc80-\udcff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""\\udc80 to \\udcff stand for bytes that are not UTF-8: a fault of the value that holds them."""
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")

_VALUE_WEIGHT = 8
_EVENTS = 2000
"""Events between two pauses."""

_TAG = "tag:yaml.org,2002:"
_TAGGED: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
_NO_KEY: Any = object()


def read_yaml(pieces: Iterator[bytes]) -> Iterator[Slice]:
    """Documents, or elements of a document that is a list; empty documents are passed over."""
    return sliced(_values(_Text(_in_time(_checked(decoded(pieces))))), "value")


def _checked(texts: Iterator[str]) -> Iterator[str]:
    """The texts up to a character that YAML does not have; what comes before it is read first."""
    line = column = 1
    for text in texts:
        bad = _NO_CHARACTER.search(text)
        good = text if bad is None else text[: bad.start()]
        if good:
            yield good
        breaks = good.count("\n")
        line += breaks
        column = len(good) - good.rfind("\n") if breaks else column + len(good)
        if bad is not None:
            raise ValueError(
                f"line {line}, column {column}: U+{ord(bad[0]):04X} is no character of YAML"
            )


def _in_time(texts: Iterator[str]) -> Iterator[str]:
    """The texts, of which the parser reads two before it begins: what is wrong with the second must
    not hide what is in the first."""
    first = next(texts, "")
    yield from (part for part in (first[:2], first[2:]) if part)
    yield from texts


class _Text:
    """What the parser reads from: texts that grow with what it holds, so that long values stay
    cheap, and an end to what it may hold."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._held = 0
        self.line = 1

    def read(self, _: int) -> str:
        parts = []
        size = 0
        while size <= self._held and (part := next(self._texts, "")):
            parts.append(part)
            size += len(part)
        self._held += size
        if self._held > MAX_TEXT:
            raise ValueError(f"line {self.line}: a value is longer than {MAX_TEXT:,} characters")
        return "".join(parts)

    def forget(self) -> None:
        """A value has ended: nothing before this is held any more."""
        self._held = 0


def _values(text: _Text) -> Iterator[Any]:
    """The records' values as they end, what is unfit, and pauses."""
    from ruamel.yaml.error import MarkedYAMLError  # start-up: only this format needs it

    from gxo.stdlib.data._formats.yaml_scanner import events

    builder = _Builder()
    try:
        for number, event in enumerate(events(text)):
            text.line = event.start_mark.line + 1
            if builder.take(event):
                text.forget()
                yield builder.value
            elif number % _EVENTS == 0:
                yield PAUSE
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(mark, error.problem or error.context) from None


def _is_finite(value: float) -> bool:
    try:
        return float(value) - float(value) == 0.0
    except OverflowError:
        return False


def _error(mark: Any, message: str) -> ValueError:
    return ValueError(f"line {mark.line + 1}, column {mark.column + 1}: {message}")


class _Open:
    """A list or map that has not ended. weight: of what is in it."""

    __slots__ = ("anchor", "key", "merged", "value", "weight")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key = _NO_KEY
        self.merged: list[Record] = []
        self.weight = _VALUE_WEIGHT


class _Builder:
    """Makes values of events. `value` is the last record's, once `take` has said that it ended."""

    def __init__(self) -> None:
        self.value: Any = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._anchored = 0
        self._copied = 0
        self._fault: Unfit | None = None
        self._within_list = False
        self._line = 0

    def take(self, event: Any) -> bool:
        """Go on with the next event; whether a record has ended with it."""
        self._line = event.start_mark.line + 1
        match event.__class__.__name__:
            case "ScalarEvent":
                return self._scalar(event)
            case "AliasEvent":
                return self._alias(event)
            case "MappingStartEvent":
                self._begin({}, event)
            case "SequenceStartEvent":
                if self._open or self._within_list:
                    self._begin([], event)
                else:
                    self._within_list = True
            case "MappingEndEvent":
                return self._end()
            case "SequenceEndEvent":
                if self._open:
                    return self._end()
                self._within_list = False
            case "DocumentStartEvent":
                self._anchors.clear()
                self._anchored = 0
        return False

    def _begin(self, value: Any, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _error(event.start_mark, f"nested deeper than {MAX_DEPTH:,}")
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            self._refuse(f"a {str(event.tag)[:50]} is nothing that a record can hold")
        self._open.append(_Open(value, event.anchor))

    def _end(self) -> bool:
        done = self._open.pop()
        value = done.value
        if done.merged:
            value = {}
            for merged in reversed(done.merged):
                value |= merged
            value |= done.value
        return self._put(value, done.weight, done.anchor)

    def _scalar(self, event: Any) -> bool:
        text: str = event.value
        is_document = not self._open and not self._within_list
        if is_document and not text and event.implicit[0] and event.anchor is None:
            return False
        at_key = bool(self._open) and self._open[-1].value.__class__ is dict
        if at_key and self._open[-1].key is _NO_KEY:
            name = self._text(text)
            self._anchor(event.anchor, name, len(text))
            self._key(name, is_merge=text == "<<" and event.implicit[0])
            return False
        return self._put(self._resolved(event), len(text) + _VALUE_WEIGHT, event.anchor)

    def _resolved(self, event: Any) -> Any:
        text: str = event.value
        tag = (event.tag or "").removeprefix(_TAG)
        try:
            if tag in ("!", "str") or (not tag and not event.implicit[0]):
                return self._text(text)
            value: Any = resolve(text)
            if value.__class__ is str:
                value = self._text(value)
        except ValueError as error:
            self._refuse(str(error))
            return None
        if tag and not isinstance(value, _TAGGED.get(tag, ())):
            self._refuse(f"the text is not what a {str(event.tag)[:50]} is in a record")
        if isinstance(value, (int, float)) and not _is_finite(value):
            self._refuse(f"{text[:20]} is no number that a record can hold")
        is_long = value.__class__ is int and not -(2**63) <= value < 2**64
        return float(value) if is_long and not self._fault else value

    def _text(self, text: str) -> str:
        """The text, in which two escapes may stand for one character, as in JSON."""
        if not is_damaged(text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            is_byte = _ESCAPED_BYTE.search(text)
            self._refuse(
                NOT_UTF8 if is_byte else "a lone surrogate (\\ud800 to \\udfff) is no character"
            )
            return ""

    def _alias(self, event: Any) -> bool:
        if event.anchor not in self._anchors:
            raise _error(
                event.start_mark, f"there is no complete value with the anchor &{event.anchor[:50]}"
            )
        value, weight = self._anchors[event.anchor]
        if value.__class__ is Unfit:
            self._refuse(f"*{event.anchor[:50]} stands for a value that is none: {value}")
        self._copied += weight
        if self._copied > MAX_COPIED:
            self._refuse(f"its aliases stand for more than {MAX_COPIED:,} characters")
        return self._put(value, weight, None)

    def _put(self, value: Any, weight: int, anchor: str | None) -> bool:
        """Put a value where it belongs; whether it was a record's."""
        self._anchor(anchor, value, weight)
        if not self._open:
            # Whoever gets a record may change it, but not what its aliases stand for.
            self.value = self._fault or (dict(value) if value.__class__ is dict else value)
            self._fault, self._copied = None, 0
            return True
        around = self._open[-1]
        around.weight += weight
        if around.value.__class__ is list:
            around.value.append(value)
        elif around.key is _NO_KEY:
            self._key(value, is_merge=False)
        elif around.key is None:
            self._merge(around, value)
        else:
            around.value[around.key] = value
            around.key = _NO_KEY
        return False

    def _anchor(self, name: str | None, value: Any, weight: int) -> None:
        if name is None:
            return
        self._anchored += weight
        if self._anchored > MAX_TEXT:
            raise ValueError(
                f"line {self._line}: the document's anchors hold more than {MAX_TEXT:,} characters"
            )
        self._anchors[name] = self._fault or value, weight

    def _key(self, key: Any, *, is_merge: bool) -> None:
        """The name of the map's next value; None stands for `<<`."""
        around = self._open[-1]
        if is_merge:
            around.key = None
            return
        if key.__class__ is not str:
            self._refuse(f"a key is a text, not a {key.__class__.__name__}")
            key = str(key.__class__)
        elif key in around.value:
            self._refuse(f"the key '{key[:50]}' is there twice")
        around.key = key

    def _merge(self, around: _Open, value: Any) -> None:
        """`<<: *map` or `<<: [*map, *map]`: fields that the map does not have itself."""
        maps = value if value.__class__ is list else [value]
        if not all(one.__class__ is dict for one in maps):
            self._refuse("<< merges a map or a list of maps")
            maps = []
        around.merged += maps
        around.key = _NO_KEY

    def _refuse(self, why: str) -> None:
        self._fault = self._fault or Unfit(f"line {self._line}: {why}")
