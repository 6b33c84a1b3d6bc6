"""The summary of a module that a dry run has not called: what is known of it, and what is not.

    summary = Foreseen("deploy", {"dry_run": True})
    summary["dry_run"]         True
    summary["stdout"]          raises Unknown("stdout of 'deploy'")
    summary.get("stdout")      raises it too: a field that is not known need not be missing
    if summary:                true: the module would have returned a map with fields
    len(summary), [*summary], summary == other, json.dumps(summary)      raise Unknown

It is a dict, because to generated code and to the helpers of expressions a summary is one. Whatever
looks at more than one field raises. Python's own functions in C ask a subclass of dict that has its
own `__iter__`, `keys` and `items`, unless it is empty, which this one never is: there is `dry_run`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from gxo.runtime.errors import Unknown


class Foreseen(dict[str, Any]):
    """What is known of a summary. whose: the workload. known: its fields, as a plain map."""

    __slots__ = ("known", "whose")

    def __init__(self, whose: str, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.whose = whose
        self.known = dict(known)

    def __missing__(self, name: str) -> NoReturn:
        raise Unknown(f"{name} of '{self.whose}'")

    def get(self, name: str, _default: Any = None) -> Any:
        return self[name]

    def __contains__(self, name: object) -> bool:
        return bool(super().__contains__(name)) or self._raise()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"Foreseen({self.whose!r}, {self.known!r})"

    def _raise(self, *_arguments: object, **_keywords: object) -> NoReturn:
        raise Unknown(f"what '{self.whose}' returns")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _raise
    __len__ = __iter__ = __reversed__ = __or__ = __ror__ = __ior__ = _raise
    __setitem__ = __delitem__ = __copy__ = __deepcopy__ = __reduce_ex__ = _raise
    keys = values = items = copy = pop = popitem = setdefault = update = clear = _raise
    __hash__ = None


def known_parts(value: Any) -> Any:
    """The value with what is known in place of each summary in it, for a report."""
    return _replaced(value, lambda summary: summary.known, 0)


DEEPEST = 100
"""Levels of nesting in which summaries are looked for."""


def _replaced(value: Any, known: Callable[[Foreseen], Any], level: int) -> Any:
    if isinstance(value, Foreseen):
        value = known(value)
    if level == DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: _replaced(item, known, level + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, known, level + 1) for item in value]
    return value
