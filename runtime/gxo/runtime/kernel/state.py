"""What workloads leave for each other: the registers.

The store holds each register once. Who only reads it gets the value itself; where a reader could
change it, the compiler puts `deep_copy` around the path that is read, so that nobody changes what
another one sees:

    active = ctx.state["users"]["rows"]                # the value itself, only read
    module(ctx, rows=deep_copy(ctx.state["users"]["rows"]))
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from gxo.runtime.errors import ExpressionError
from gxo.runtime.kernel.node import CANCELLED, FAILED, RUNNING, SKIPPED, Node

T = TypeVar("T")

ENDS = {
    SKIPPED: "was skipped",
    FAILED: "failed",
    CANCELLED: "was cancelled",
    RUNNING: "is still running",
}


def deep_copy(value: T) -> T:
    """A copy of lists and maps at any depth, with the same cycles; other values as they are.
    A view of a map is copied as the map.

    It keeps its own stack, so that neither a cycle nor a deep nesting can exhaust Python's.
    """
    source: Any = value
    if not isinstance(value, (dict, list)):
        if not isinstance(value, Mapping):
            return value
        source = dict(value)
    copies: dict[int, Any] = {}
    waiting: list[Any] = []

    def copied(part: Any) -> Any:
        if not isinstance(part, (dict, list)):
            return part
        copy = copies.get(id(part))
        if copy is None:
            copy = copies[id(part)] = dict(part) if isinstance(part, dict) else list(part)
            waiting.append(copy)
        return copy

    result: T = copied(source)
    while waiting:
        part = waiting.pop()
        for key, item in part.items() if isinstance(part, dict) else enumerate(part):
            if isinstance(item, (dict, list)):
                part[key] = copied(item)
    return result


class State(dict[str, Any]):
    """The registers of the workloads that completed.

    `state["x"]` of a workload that did not complete is an `ExpressionError` that says which one did
    not run, and why; `state.get("x")` is nil (language, section 6).
    """

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        super().__init__()
        self._nodes = nodes

    def __missing__(self, name: str) -> Any:
        raise ExpressionError(
            f'the register "{name}" has no value: {self._why_missing(name)}',
            hint="ask for it with `default` or `if`, or run only `when` it is there",
        )

    def _why_missing(self, register: str) -> str:
        for node in self._nodes.values():
            if node.spec.register == register:
                what = ENDS.get(node.status, "did not run")
                why = node.error or node.reason
                return f"workload '{node.name}' {what}" + (f" ({why})" if why else "")
        return "no workload leaves it"


class Watched(Mapping[str, Any]):
    """A map that tells `seen` about each name that is read.

    A workload gets one in place of the state, the vars or the inputs only where a read has a
    consequence: a taint to take over, or a warning that something in it is redacted.
    """

    __slots__ = ("_seen", "_values")

    def __init__(self, values: Mapping[str, Any], seen: Callable[[str], None]) -> None:
        self._values = values
        self._seen = seen

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]  # first: reading a var may evaluate it
        self._seen(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        self._seen(name)
        return self._values.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
