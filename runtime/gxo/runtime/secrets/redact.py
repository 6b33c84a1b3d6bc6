"""Take secrets out of what leaves the process or enters the state (language, section 8).

    redactor = Redactor(["hunter22"])
    redactor.text("password is hunter22")                 "password is [REDACTED_SECRET]"
    redactor.value({"auth": ["Basic Ym9iOmh1bnRlcjIy"]})  {"auth": ["Basic Ym9iO[REDACTED_SECRET]"]}

What is clean comes back as the object it was; without secrets nothing is looked at.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from gxo.runtime.secrets.keys import REDACTED, hide_under_keys, is_secret_key

if TYPE_CHECKING:
    from gxo.runtime.secrets.find import Finder
    from gxo.runtime.secrets.spans import Span

FEW = 2_000  # characters of all secrets that one expression finds
TEXT_AT_ONCE = 1 << 20  # characters
GROWTH = 16  # bytes that a byte of a secret takes at most, escaped again and again
_SEPARATOR = "\0"
_PLAIN = frozenset((int, float, bool, type(None)))
_ATOMS = _PLAIN | {str}


class Redactor:
    """Finds a set of secret values, in all the forms they take, in texts, bytes and nested data."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """values: the secrets. More may be added later."""
        self._values: frozenset[str] = frozenset()
        self._finder: Finder | None = None
        self._size = 0  # characters of all values
        self._any_number = self._any_separator = False
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Redact `value` from now on, also without the white space around it; of a text of several
        lines, also each line by itself."""
        lines = value.splitlines()
        found = {value, value.strip()}
        if len(lines) > 1:
            found |= {line.strip() for line in lines if len(line.strip()) > 5}
        found.discard("")
        if not found <= self._values:
            self._size += sum(map(len, found - self._values))
            self._values |= found
            self._any_number |= any(map(_is_number, found))
            self._any_separator |= _SEPARATOR in value

    def text(self, text: str) -> str:
        """The text without the secrets."""
        spans = self._spans(text) if self._values else None
        return _cut(text, spans) if spans else text

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets (as UTF-8)."""
        if not self._values:
            return data
        text = data.decode("utf-8", "surrogateescape")
        spans = self._spans(text)
        return _bytes(_cut(text, spans)) if spans else data

    @property
    def reach(self) -> int:
        """The bytes that a secret may take in any of its forms (see `forms`)."""
        return GROWTH * max((len(_bytes(value)) for value in self._values), default=0)

    @property
    def slowness(self) -> int:
        """How many times as long a text may take as with few secrets (see `many`)."""
        return 10 if self._size > FEW else 1

    def cut(self, data: bytes, size: int) -> bytes:
        """The first `size` bytes, without the begin of a secret whose end would be cut off.

        data: what is to be cut, with `reach` bytes more, as far as there are that many.
        """
        begin = max(size - self.reach, 0)
        around = data[begin : size + self.reach].decode("utf-8", "surrogateescape")
        for span in self._spans(around) if self._values else ():
            start, end = (begin + len(_bytes(around[:place])) for place in span)
            if start < size < end:
                return data[:start]
        return data[:size]

    def value(self, value: object) -> object:
        """Nested lists, dicts (keys too), tuples, sets, texts, bytes, numbers without the secrets.

        Returns the object itself when nothing in it had to be redacted; never changes it in place.
        """
        if not self._values or not self._is_in(value):
            return value
        return _replace(value, self._scalar, _nothing_hidden)

    def log_text(self, text: str) -> str:
        """As `text`, and also what follows keys such as `password=` (for logs and errors)."""
        return hide_under_keys(self.text(text))

    def log_value(self, value: object) -> object:
        """As `value`, but always a copy, and also without what stands under keys such as `password`
        (for logs and errors)."""
        return _replace(value, self._logged_scalar, is_secret_key)

    def _scalar(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes | bytearray):
            return self.data(bytes(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return REDACTED if str(value) in self._values else value
        return value

    def _is_in(self, root: object) -> bool:
        """Whether a secret stands anywhere in the value: the texts are searched many at once."""
        texts: list[str] = []
        size = 0
        for value in _scalars(root):
            if type(value) is str:
                texts.append(value)
                size += len(value)
                if size > TEXT_AT_ONCE:
                    if self._is_in_any(texts):
                        return True
                    texts.clear()
                    size = 0
            elif type(value) in _PLAIN and not self._any_number:
                continue
            elif self._scalar(value) is not value:
                return True
        return self._is_in_any(texts)

    def _is_in_any(self, texts: list[str]) -> bool:
        """As `_spans` of each. The separator is a line break for no form, and no part of a word."""
        if self._any_separator:
            return any(map(self._spans, texts))
        return bool(self._spans(_SEPARATOR.join(texts)))

    def _logged_scalar(self, value: object) -> object:
        return self.log_text(value) if isinstance(value, str) else self._scalar(value)

    def _spans(self, text: str) -> "list[Span]":
        """Where secrets stand, in order, without overlaps."""
        values, finder = self._values, self._finder
        # Threads redact too: one may have made a finder of the values before the last was added.
        if finder is None or finder.values is not values:
            from gxo.runtime.secrets.find import Finder  # only jobs that have secrets load it

            finder = self._finder = Finder(values)
        return finder.spans(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _nothing_hidden(_key: str) -> bool:
    return False


def _cut(text: str, spans: "list[Span]") -> str:
    parts = []
    at = 0
    for start, end in spans:
        parts += [text[at:start], REDACTED]
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _replace(
    root: object, scalar: Callable[[object], object], hidden: Callable[[str], bool]
) -> object:
    """`root` with its scalars replaced. Without recursion, so any depth."""
    made: dict[int, list[object] | dict[object, object]] = {}
    todo: list[tuple[object, list[object] | dict[object, object]]] = []

    def convert(value: object) -> object:
        if isinstance(value, list | dict):
            shell = made.get(id(value))
            if shell is None:  # filled later: what contains itself is met again, and found here
                shell = made[id(value)] = [] if isinstance(value, list) else {}
                todo.append((value, shell))
            return shell
        if isinstance(value, tuple):
            return tuple(convert(item) for item in value)
        if isinstance(value, set | frozenset):
            return type(value)(convert(item) for item in value)
        return scalar(value)

    result = convert(root)
    while todo:
        value, shell = todo.pop()
        if isinstance(value, dict) and isinstance(shell, dict):
            for key, item in value.items():
                shell[convert(key)] = REDACTED if _is_hidden(key, item, hidden) else convert(item)
        elif isinstance(value, list) and isinstance(shell, list):
            shell.extend(convert(item) for item in value)
    return result


def _scalars(root: object) -> Iterator[object]:
    """All that a value holds and that holds nothing itself; equal dict keys only once."""
    seen: set[int] = set()
    keys: set[object] = set()
    todo = [root]
    while todo:
        value = todo.pop()
        if not isinstance(value, dict | list | tuple | set | frozenset):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            items: Iterable[object] = value
            if isinstance(value, dict):
                keys.update(value)
                items = value.values()
            for item in items:
                if type(item) in _ATOMS:
                    yield item
                else:
                    todo.append(item)
    for key in keys:
        if isinstance(key, tuple | frozenset):
            yield from _scalars(key)
        else:
            yield key


def _is_hidden(key: object, value: object, hidden: Callable[[str], bool]) -> bool:
    """Whether the value stands under a secret's key and says anything."""
    return (
        isinstance(key, str)
        and value is not None
        and not isinstance(value, bool)
        and value != REDACTED
        and hidden(key)
    )
