"""Sprig's list functions. None of them changes the list it is given."""

from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import NilList, describe
from gxo.runtime.functions import CheckedList, function
from gxo.runtime.functions.math import to_int64
from gxo.runtime.functions.types import identical


def _require_list(name: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ExpressionError(f"{name} wants a list, not {describe(value)}")


@function("list", "tuple")
def list_(*values: Any) -> list[Any]:
    """Return a list of the values."""
    return [*values]


@function("first", "mustFirst")
def first(value: CheckedList) -> Any:
    """Return a list's first element, nil of an empty one."""
    items = _require_list("first", value)
    return items[0] if items else None


@function("last", "mustLast")
def last(value: CheckedList) -> Any:
    """Return a list's last element, nil of an empty one."""
    items = _require_list("last", value)
    return items[-1] if items else None


@function("rest", "mustRest")
def rest(value: CheckedList) -> list[Any]:
    """Return a list without its first element."""
    items = _require_list("rest", value)
    return items[1:] if items else NilList()


@function("initial", "mustInitial")
def initial(value: CheckedList) -> list[Any]:
    """Return a list without its last element."""
    items = _require_list("initial", value)
    return items[:-1] if items else NilList()


@function("append", "push", "mustAppend", "mustPush")
def append(value: CheckedList, element: Any) -> list[Any]:
    """Return a list with the element after its own."""
    return [*_require_list("append", value), element]


@function("prepend", "mustPrepend")
def prepend(value: CheckedList, element: Any) -> list[Any]:
    """Return a list with the element before its own."""
    return [element, *_require_list("prepend", value)]


@function("concat")
def concat(*lists: CheckedList) -> list[Any]:
    """Return the elements of all lists in one."""
    items = [item for value in lists for item in _require_list("concat", value)]
    return items or NilList()


@function("reverse", "mustReverse")
def reverse(value: CheckedList) -> list[Any]:
    """Return a list's elements in the other order."""
    return [*reversed(_require_list("reverse", value))]


@function("compact", "mustCompact")
def compact(value: CheckedList) -> list[Any]:
    """Return a list without its empty elements."""
    return [item for item in _require_list("compact", value) if item]


@function("uniq", "mustUniq")
def uniq(value: CheckedList) -> list[Any]:
    """Return a list without elements that equal one before them."""
    seen: list[Any] = []
    texts: set[str] = set()
    for item in _require_list("uniq", value):
        if isinstance(item, str):
            if item not in texts:
                texts.add(item)
                seen.append(item)
        elif not _holds(seen, item):
            seen.append(item)
    return seen


@function("has", "mustHas")
def has(element: Any, value: Any) -> bool:
    """Return whether a list has the element; nil has none."""
    return value is not None and _holds(_require_list("has", value), element)


@function("without", "mustWithout")
def without(value: CheckedList, *elements: Any) -> list[Any]:
    """Return a list without the elements."""
    unwanted = [*elements]
    return [item for item in _require_list("without", value) if not _holds(unwanted, item)]


def _holds(items: list[Any], element: object) -> bool:
    if type(element) is str:
        return element in items
    return any(identical(element, item) for item in items)


@function("slice", "mustSlice")
def slice_(value: CheckedList, *positions: Any) -> Any:
    """Return a list's elements from the first position up to the second; nil of an empty list."""
    items = _require_list("slice", value)
    if not items:
        return None
    start = to_int64(positions[0]) if positions else 0
    end = to_int64(positions[1]) if len(positions) > 1 else len(items)
    if not 0 <= start <= end <= len(items):
        raise ExpressionError(f"slice: {describe(items)} has no elements {start} to {end}")
    return items[start:end]


@function("chunk", "mustChunk")
def chunk(size: int, value: CheckedList) -> list[Any]:
    """Return a list's elements in lists of `size` elements."""
    items = _require_list("chunk", value)
    if size < 1:
        raise ExpressionError(f"chunk wants a size of 1 or more, not {size}")
    return [items[start : start + size] for start in range(0, len(items), size)]
