"""Playbooks that use modules of the tests' own, as far as the passes take them."""

from pathlib import Path

import pytest

from gxo.compiler.codes import Example, complete
from gxo.compiler.driver import Compilation, Options
from gxo.compiler.modules.index import Root, standard_roots


def add_module(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the compiler find the module `name`, declared in the text, beside gxo's own."""
    (folder / f"{name}.py").write_text(text)
    roots = (*standard_roots(), Root(str(folder), "tests_own"))
    monkeypatch.setattr("gxo.compiler.driver.standard_roots", lambda: roots)


def compiled(text: str) -> Compilation:
    """The compilation of workloads, with what they lack of a playbook."""
    compilation = Compilation("p.gxo.yaml", Options(verify_ir=True))
    assert compilation.read(complete(Example("yaml", text)).encode())
    compilation.analyse()
    return compilation
