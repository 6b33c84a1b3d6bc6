"""Compiles a module to a `.pyc` whose bytes depend on its text and path alone.

Python's own are not repeatable: what is written as a back reference depends on reference counts,
and whether a one-character text counts as interned depends on what the process did before. So
marshal runs in a format without references, over code in which those texts have all been interned.
(Sets of constants are sorted by marshal itself, since Python 3.11.)
"""

import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType
from typing import Any

from gxo.compiler.imports import quietly

WITHOUT_REFERENCES = 2  # marshal's format of Python 2.5 to 3.3
UNCHECKED_HASH = (
    1  # the flag in a .pyc that lets Python use it without looking at the source (PEP 552)
)


def compile_module(source: bytes, path: str) -> bytes:
    """The content of the `.pyc` of a module; path: its path in the archive, with `/`.

    Raises SyntaxError, or ValueError for a source with a null byte.
    """
    with quietly():
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    return (
        MAGIC_NUMBER
        + UNCHECKED_HASH.to_bytes(4, "little")
        + source_hash(source)
        + marshal.dumps(_normal(code), WITHOUT_REFERENCES)
    )


def _normal(value: Any) -> Any:
    """The same constant or code, with texts interned by a rule instead of by chance."""
    match value:
        case CodeType():
            return value.replace(
                co_consts=tuple(_normal(constant) for constant in value.co_consts),
                co_filename=sys.intern(value.co_filename),
                co_name=sys.intern(value.co_name),
                co_qualname=sys.intern(value.co_qualname),
            )
        case tuple():
            return tuple(_normal(item) for item in value)
        case frozenset():
            return frozenset(_normal(item) for item in value)
        case str() if len(value) <= 1:
            return sys.intern(value)
    return value


def cached_path(path: str) -> str:
    """Where Python looks for the `.pyc` of `a/b.py`: `a/__pycache__/b.cpython-311.pyc`."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".py")
    return f"{folder}/__pycache__/{stem}.{sys.implementation.cache_tag}.pyc".lstrip("/")
