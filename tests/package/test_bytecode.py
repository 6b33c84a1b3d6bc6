"""A `.pyc` must depend on its source and path alone, and be what Python takes for one."""

import importlib.util
import marshal
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.package.bytecode import cached_path, compile_module
from tests.package.support import ROOT, in_child

DIGEST_OF_MANY = f"""
import hashlib, pathlib, sys
{{history}}
from gxo.compiler.package.bytecode import compile_module
paths = sorted(pathlib.Path({str(ROOT)!r}, "runtime/gxo").rglob("*.py"))
paths += sorted(pathlib.Path(pathlib.__file__).parent.glob("[a-d]*.py"))
sources = [path.read_bytes() for path in paths]
{{before}}
total = hashlib.sha256()
for path, source in zip(paths, sources):
    total.update(compile_module(source, path.name))
print(total.hexdigest())
"""


def test_same_bytes_whatever_the_process_did_before() -> None:
    first = in_child(DIGEST_OF_MANY.format(history="", before=""), {"PYTHONHASHSEED": "1"})
    # Interned texts, live objects and another hash order are what changes Python's own .pyc files.
    history = "import json, ssl; kept = [sys.intern(chr(c)) for c in range(32, 300)]"
    before = "for source in sources[::-1]: kept.append(compile(source, 'x', 'exec'))"
    second = in_child(
        DIGEST_OF_MANY.format(history=history, before=before), {"PYTHONHASHSEED": "2"}
    )
    assert first == second


def test_header_says_that_the_source_need_not_be_looked_at() -> None:
    source = b"x = 1\n"
    compiled = compile_module(source, "a/b.py")
    assert compiled[:4] == importlib.util.MAGIC_NUMBER
    assert compiled[4:8] == b"\x01\x00\x00\x00"
    assert compiled[8:16] == importlib.util.source_hash(source)


def test_paths_are_those_in_the_archive() -> None:
    outer = marshal.loads(compile_module(b"def f():\n    return lambda: 1\n", "a/b.py")[16:])
    inner = next(constant for constant in outer.co_consts if isinstance(constant, CodeType))
    assert (outer.co_filename, inner.co_filename) == ("a/b.py", "a/b.py")


constants = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.tuples(inner, inner),
)


@given(constants)
def test_constants_survive(value: object) -> None:
    code = marshal.loads(compile_module(f"value = {value!r}".encode(), "a.py")[16:])
    names: dict[str, object] = {}
    exec(code, names)
    assert names["value"] == value


def test_sets_of_constants_survive() -> None:
    names: dict[str, object] = {"x": "b"}
    exec(marshal.loads(compile_module(b"found = x in {'a', 'b', 'cd'}", "a.py")[16:]), names)
    assert names["found"] is True


@pytest.mark.parametrize("path", ["a/b.py", "b.py"])
def test_cached_path_is_pythons(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.pycache_prefix", None)
    assert cached_path(path) == importlib.util.cache_from_source(path)
