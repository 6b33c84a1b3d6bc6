"""The frontend against its case files.

Files in `yaml/` hold YAML, and the findings and the tree that it gives. Files in `playbook/` hold
playbooks, and the findings and the typed playbook; those in `playbook/testing.test` are test playbooks. An input whose case is named `bytes_...` is written
as the inside of a Python bytes literal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.frontend.pprint import print_playbook
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, load
from gxo.compiler.rendering import render_text
from tests.casefile import Case, find_cases, update

HERE = Path(__file__).parent
FILE = "p.gxo.yaml"
# At the end, so that it moves no line of a case; `document.test` tests what is said without it.
TAIL = b"\nname: p\nschemaVersion: v1.0.0\n"


def data_of(case: Case) -> bytes:
    if case.name.startswith("bytes_"):
        return case.input.strip().encode().decode("unicode_escape").encode("latin-1")
    return case.input.rstrip("\n").encode() + b"\n" if case.input.strip() else b""


def tree_lines(node: Node, indent: str = "") -> Iterator[str]:
    """The tree with the place of every key and value, to the depth of the test's patience."""
    if isinstance(node, Scalar):
        style = "plain" if node.plain else "quoted"
        yield f"{indent}{place(node.span)} {style} {node.value!r}"
    elif isinstance(node, Mapping):
        yield f"{indent}{place(node.span)} map"
        for entry in node.entries:
            yield f"{indent}  {place(entry.key.span)} {entry.key.text.value}:"
            yield from tree_lines(entry.value, indent + "    ")
    else:
        yield f"{indent}{place(node.span)} list"
        for item in node.items:
            yield from tree_lines(item, indent + "  ")


def place(span: Span) -> str:
    return f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"


def run_yaml(case: Case) -> dict[str, str]:
    diags = Diagnostics()
    data = data_of(case)
    tree = load(data, FILE, diags)
    sections = {"out": "\n".join(tree_lines(tree)) + "\n"} if tree and not diags.has_errors else {}
    return findings(data, diags) | sections


def run_playbook(case: Case) -> dict[str, str]:
    diags = Diagnostics()
    is_whole = case.path.stem in ("document", "testing")
    data = data_of(case) + (b"" if is_whole else TAIL)
    file = "kv.test.gxo.yaml" if case.path.stem == "testing" else FILE
    playbook = load_playbook(data, file, diags)
    sections = {"out": print_playbook(playbook)} if playbook and not diags.has_errors else {}
    return findings(data, diags, file) | sections


def findings(data: bytes, diags: Diagnostics, file: str = FILE) -> dict[str, str]:
    text = render_text(diags.sorted(), {file: data.decode("utf-8", "replace")})
    return {"err": text} if text else {}


@pytest.mark.parametrize("case", find_cases(HERE / "yaml"), ids=lambda case: case.id)
def test_yaml(case: Case, request: pytest.FixtureRequest) -> None:
    compare(case, run_yaml(case), request)


@pytest.mark.parametrize("case", find_cases(HERE / "playbook"), ids=lambda case: case.id)
def test_playbook(case: Case, request: pytest.FixtureRequest) -> None:
    compare(case, run_playbook(case), request)


def compare(case: Case, got: dict[str, str], request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        update(case, got)
        return
    assert got == case.sections
