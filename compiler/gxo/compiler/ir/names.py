"""Names that mean something in generated modules, and those of a workload's own variables."""

import keyword
from collections.abc import Callable

from gxo.compiler.ir.nodes import Loop
from gxo.compiler.python_source import RESERVED, Names, identifier
from gxo.compiler.template.functions import families

RUNTIME_WORDS = frozenset(
    ("Any", "Channel", "Context", "Input", "Inputs", "Job", "Loop", "Out", "Record", "Records")
) | frozenset(
    (
        "Backoff",
        "Event",
        "EventDriven",
        "Results",
        "Retry",
        "Scheduled",
        "Stage",
        "Steps",
        "Supervise",
        "Unknown",
        "convert",
        "deep_copy",
        "expr",
        "job",
    )
)
"""What a generated module defines, and what it may import from the runtime by its own name."""


_NO_KEYWORDS = frozenset((*keyword.kwlist, "__debug__", "ctx"))
"""What Python takes for no keyword argument's name, though it looks like one."""


def module_words() -> frozenset[str]:
    """Names that mean something in every generated module, the function families among them."""
    return RUNTIME_WORDS.union(families())


def local_words() -> frozenset[str]:
    """Names that mean something inside generated functions."""
    return module_words() | {"ctx", "event", "inputs", "out", "record", "records", "steps", "value"}


def local_name(text: str) -> str:
    """The Python name of a loop variable, which is a parameter of its workload's function."""
    name = identifier(text)
    return f"{name}_" if name in RESERVED or name in local_words() else name


def is_keyword(name: str) -> bool:
    """Whether a module's call can pass a parameter of that name as a keyword argument."""
    return name.isidentifier() and name not in _NO_KEYWORDS


def shared_names(loop: Loop | None = None) -> Callable[[str], str]:
    """Gives names to what one function computes once: to each its own, and none of its loop's."""
    words = (loop.variable, loop.index or "") if loop else ()
    return Names(module_words(), map(local_name, words)).fresh
