"""Compiling gxo's own files to bytecode takes most of a build's time; the tests build many times."""

import functools
from collections.abc import Iterator

import pytest

from gxo.compiler.package import collect
from gxo.compiler.package.bytecode import compile_module


@pytest.fixture(scope="session", autouse=True)
def compile_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "compile_module", functools.cache(compile_module))
        yield
