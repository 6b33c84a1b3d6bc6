"""YAML text to a tree in which every key and value knows its place.

    port: 0x50          Mapping(Entry(key=Scalar "port", value=Scalar 80))
    url: "{{ .base }}"  each with a Span and a SourceText that finds any character in the file

PyYAML's scanner (libyaml's where it is there) gives events; the tree is put together here, without
recursion, without tags and without constructors, so that nothing in a file can build an object,
blow the stack or expand without end. The rules are in language, section 1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from gxo.compiler.diagnostics import Diagnostics, Note, Span, did_you_mean
from gxo.compiler.frontend.decode import decode
from gxo.compiler.frontend.positions import Lines, Locator, after_properties
from gxo.compiler.frontend.syntax import report_syntax_error, report_unquoted_template
from gxo.compiler.source import SourceText, unwritten
from gxo.runtime.yamltext import Value, ambiguous, resolve

MAX_DEPTH = 100
MAX_NODES = 1_000_000

FASTEST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AMBIGUOUS_START = frozenset("yYnNoO+-0123456789")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `text.value` is its raw text also for numbers; `plain` means not quoted.

    verbatim: it is the text of a template file, in which `${` is no secret.
    """

    value: Value
    span: Span
    text: SourceText
    plain: bool
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map in the order of the file; keys are raw texts, unique, and merge keys are merged in.

    `merges` are the merge keys themselves, each with a list of the maps that it names.
    """

    entries: tuple[Entry, ...]
    span: Span
    merges: tuple[Entry, ...] = ()

    def get(self, name: str) -> "Node | None":
        return next((entry.value for entry in self.entries if entry.key.text.value == name), None)

    def key(self, name: str) -> Scalar | None:
        return next((entry.key for entry in self.entries if entry.key.text.value == name), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    items: "tuple[Node, ...]"
    span: Span


Node = Scalar | Mapping | Sequence
"""An alias is the anchor's own node, so its span is where the text stands; nodes may be shared."""


def load(data: bytes, file: str, diags: Diagnostics) -> Node | None:
    """Read one YAML document; `file` is the name that spans carry.

    None when there is no tree at all. Every problem is in `diags`; with some (a duplicate key, an
    unknown anchor) there still is a tree, so that later stages find theirs in the same run.
    """
    text = decode(data, file, diags)
    return None if text is None else compose(text, file, diags)


def compose(text: str, file: str, diags: Diagnostics, loader: Any = FASTEST_LOADER) -> Node | None:
    """Put together the tree of a text that `decode` accepted; `loader` is a PyYAML loader class."""
    composer = _Composer(text, file, diags)
    try:
        return composer.run(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        report_syntax_error(error, composer.lines, file, diags)
    except _LimitError as refusal:
        diags.error(refusal.code, refusal.span, refusal.message)
    return None


class _LimitError(Exception):
    """A limit is passed: nothing that follows in the file is looked at."""

    def __init__(self, code: str, span: Span, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.span = span
        self.message = message


@dataclass(frozen=True, slots=True)
class _Merge:
    """A `<<` key and the maps that it merges, the first one winning."""

    key: Scalar
    maps: tuple[Mapping, ...]


class _Built(NamedTuple):
    """A finished node, how many nodes and levels it stands for, and where it ends here."""

    node: Node
    size: int
    height: int
    end: tuple[int, int]


@dataclass(slots=True)
class _Frame:
    """A map or list that is still open; in a map, a `key` of None drops the value that follows."""

    event: Any
    is_map: bool
    end: tuple[int, int]
    size: int = 1
    height: int = 1
    items: "list[Node]" = field(default_factory=list)
    members: list[Entry | _Merge] = field(default_factory=list)
    key: Scalar | None = None
    has_key: bool = False
    unquoted_template: bool = False


def _merges(members: list[Entry | _Merge]) -> tuple[Entry, ...]:
    return tuple(
        Entry(member.key, Sequence(member.maps, member.key.span))
        for member in members
        if isinstance(member, _Merge)
    )


class _Composer:
    """Turns PyYAML's events into nodes, with a stack of its own."""

    def __init__(self, text: str, file: str, diags: Diagnostics) -> None:
        self.text = text
        self.lines = Lines(text)
        self.file = file
        self.diags = diags
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Built | None] = {}
        """None while the anchored map or list is still open."""
        self.nodes = 0
        self.root: Node | None = None

    def run(self, events: Iterable[Any]) -> Node | None:
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
        }
        for event in events:
            if handler := handlers.get(type(event)):
                handler(event)
            elif type(event) is yaml.DocumentStartEvent and self.root is not None:
                message = "a playbook is one YAML document; a second one begins here"
                self.diags.error("GXO0108", self._span(event), message)
                break
        return self._document()

    def _document(self) -> Node | None:
        root = self.root
        if root is None or (isinstance(root, Scalar) and root.plain and not root.text.value):
            self.diags.error("GXO0101", Span(self.file, 1, 1, 1, 1), "the file is empty")
            return None
        return root

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        last = len(self.text)
        if end.index >= last:  # libyaml ends a line that the file leaves open
            return self._between(min(start.index, last), last)
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _scalar(self, event: Any) -> None:
        style, value = event.style or "", event.value
        start, end = event.start_mark.index, min(event.end_mark.index, len(self.text))
        span = self._span(event)
        if event.anchor or event.tag:
            self._check_tag(event)
            start = min(after_properties(self.text, start), end)
            span = self._between(start, end)
        if style in ("|", ">"):
            span = self._between(start, start + len(self.text[start:end].rstrip()))
        text = SourceText(value, span, Locator(self.lines, start, end, style, value))
        node = Scalar(self._value(value, style, span), span, text, not style)
        self._count(1, span)
        self._add(_Built(node, 1, 0, (span.end_line, span.end_column)), event.anchor)

    def _between(self, start: int, end: int) -> Span:
        return Span(self.file, *self.lines.place(start), *self.lines.place(end))

    def _value(self, text: str, style: str, span: Span) -> Value:
        if style:
            if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
                self.diags.error("GXO0106", span, "an escape in this text is half a character")
            return text
        try:
            value = resolve(text)
        except ValueError as error:
            self.diags.error(
                "GXO0117", span, str(error), f'if it is text, quote it: "{text[:20]}..."'
            )
            return 0
        if value is text and text[0] in _AMBIGUOUS_START and not self._at_key():
            self._warn_ambiguous(text, span)
        return value

    def _warn_ambiguous(self, text: str, span: Span) -> None:
        if other := ambiguous(text):
            self.diags.warning(
                "GXO0118",
                span,
                f"{text} is text here, but {other} to other YAML readers",
                f'write "{text}"',
            )

    def _at_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_map and not self.stack[-1].has_key

    def _check_tag(self, event: Any) -> None:
        if event.tag:
            span = self._span(event)
            start = Span(self.file, span.line, span.column, span.line, span.column + 1)
            hint = "remove it; quotes make any value a text"
            self.diags.error("GXO0113", start, "YAML tags are not allowed in a playbook", hint)

    def _alias(self, event: Any) -> None:
        name, span = event.anchor, self._span(event)
        target = self.anchors.get(name)
        if target is None:
            if name in self.anchors:
                self.diags.error("GXO0115", span, f'"*{name}" stands inside its own anchor')
            else:
                hint = did_you_mean(name, self.anchors) or f'if it is text, quote it: "*{name}"'
                self.diags.error("GXO0114", span, f'no anchor "&{name}" comes before this', hint)
            nothing = Scalar(None, span, unwritten("", span), True)
            target = _Built(nothing, 1, 0, (0, 0))
        self._check_depth(target.height, span)
        self._count(target.size, span)
        self._add(target._replace(end=(span.end_line, span.end_column)), None)

    def _open(self, event: Any) -> None:
        span = self._span(event)
        self._check_tag(event)
        self._check_depth(1, span)
        self._count(1, span)
        if event.anchor:
            self.anchors[event.anchor] = None
        is_map = type(event) is yaml.MappingStartEvent
        self.stack.append(_Frame(event, is_map, (span.end_line, span.end_column)))

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        start, end = frame.event.start_mark, frame.end
        if frame.event.flow_style:
            end = (event.end_mark.line + 1, event.end_mark.column + 1)
        span = Span(self.file, start.line + 1, start.column + 1, *end)
        node: Node
        if frame.unquoted_template:
            node = self._as_text(start.index, event.end_mark.index, span)
        elif frame.is_map:
            node = Mapping(self._entries(frame.members), span, _merges(frame.members))
        else:
            node = Sequence(tuple(frame.items), span)
        self._add(_Built(node, frame.size, frame.height, end), frame.event.anchor)

    def _as_text(self, start: int, end: int, span: Span) -> Scalar:
        """An unquoted template as if it were in quotes: only their absence is reported."""
        value = self.text[start:end]
        locate = Locator(self.lines, start, end, "", value)
        return Scalar(value, span, SourceText(value, span, locate), False)

    def _check_depth(self, more: int, span: Span) -> None:
        if len(self.stack) + more > MAX_DEPTH:
            message = f"maps and lists are nested more than {MAX_DEPTH} deep"
            raise _LimitError("GXO0109", span, message)

    def _count(self, more: int, span: Span) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            message = f"the file has more than {MAX_NODES:,} values, aliases expanded"
            raise _LimitError("GXO0110", span, message)

    def _add(self, built: _Built, anchor: str | None) -> None:
        """Put a finished node into the map or list that is open."""
        if anchor:
            self.anchors[anchor] = built
        if not self.stack:
            self.root = built.node
            return
        frame = self.stack[-1]
        frame.size += built.size
        frame.height = max(frame.height, built.height + 1)
        frame.end = built.end
        if not frame.is_map:
            frame.items.append(built.node)
        elif frame.has_key:
            self._member(frame, built.node)
        else:
            frame.key = self._key(frame, built.node)
            frame.has_key = True

    def _key(self, frame: _Frame, node: Node) -> Scalar | None:
        if isinstance(node, Scalar):
            if node.text.value or not node.plain:
                return node
            self.diags.error("GXO0112", node.span, "a key is missing before this colon")
        elif self.text.startswith("{{", frame.event.start_mark.index):
            frame.unquoted_template = True
            start = frame.event.start_mark.index
            report_unquoted_template(start, self.lines, self.file, self.diags)
        else:
            kind = "map" if isinstance(node, Mapping) else "list"
            self.diags.error("GXO0112", node.span, f"a key must be a text, not a {kind}")
        return None

    def _member(self, frame: _Frame, value: Node) -> None:
        key = frame.key
        frame.key, frame.has_key = None, False
        if key is None:
            return
        if not (key.plain and key.text.value == "<<"):
            frame.members.append(Entry(key, value))
            return
        maps = value.items if isinstance(value, Sequence) else (value,)
        if not all(isinstance(merged, Mapping) for merged in maps):
            message = "a merge key takes a map, or a list of maps"
            self.diags.error("GXO0116", value.span, message, "for example: <<: *defaults")
        merged_maps = tuple(merged for merged in maps if isinstance(merged, Mapping))
        frame.members.append(_Merge(key, merged_maps))

    def _entries(self, members: list[Entry | _Merge]) -> tuple[Entry, ...]:
        """The entries of a map: duplicates reported, merges filled in around the map's own keys."""
        first: dict[str, Scalar] = {}
        unique: list[Entry | _Merge] = []
        for member in members:
            name = member.key.text.value
            if name in first:
                self._report_duplicate(member.key, first[name])
            else:
                first[name] = member.key
                unique.append(member)
        entries: list[Entry] = []
        for member in unique:
            if isinstance(member, Entry):
                entries.append(member)
                continue
            entries += [
                entry
                for merged in member.maps
                for entry in merged.entries
                if first.setdefault(entry.key.text.value, entry.key) is entry.key
            ]
        return tuple(entries)

    def _report_duplicate(self, key: Scalar, first: Scalar) -> None:
        name = key.text.value
        hint = "merge several maps with one key: <<: [*a, *b]" if name == "<<" else None
        note = Note(first.span, "it stands here first")
        message = f'the key "{name}" stands twice in this map'
        self.diags.error("GXO0111", key.span, message, hint, [note])
