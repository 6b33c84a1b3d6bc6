"""What gxo writes out of a playbook, read again, is the same: artifact, expressions, migrated text."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation
from gxo.compiler.package.archive import build_artifact
from gxo.compiler.source import plain
from gxo.compiler.template import ast
from gxo.compiler.template.parse import parse
from gxo.compiler.template.pprint import expression as printed
from gxo.compiler.template.walk import expressions, nodes, pipes

ROOT = Path(__file__).parents[2]
ASSETS, INCLUDED = "_gxo/assets/", "_gxo/included/"
TEST_THAT_INCLUDES = ROOT / "docs/examples/site-deploy/site-deploy.test.gxo.yaml"
PLAYBOOKS = [
    path
    for pattern in ("docs/examples/*/*.gxo.yaml", "golden/*/playbook.gxo.yaml")
    for path in sorted(ROOT.glob(pattern))
    if path.parent.name != "findings" and "\ninclude: " not in path.read_text()
]


def artifact(playbook: Path, target: Path) -> bytes:
    compilation = Compilation(str(playbook))
    assert compilation.read(playbook.read_bytes()) and compilation.analyse()
    build_artifact(target, compilation.package(compilation.generate()))
    return target.read_bytes()


@pytest.mark.parametrize(
    "path", [*PLAYBOOKS, TEST_THAT_INCLUDES], ids=lambda path: path.parent.name
)
def test_an_artifact_compiled_from_an_artifact_is_the_same(path: Path, tmp_path: Path) -> None:
    """The playbook, the assets and the modules that an artifact holds are all that it was made from.

    What a user's modules need of others is pinned outside.
    """
    first = artifact(path, tmp_path / "first.pyz")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "first.pyz") as archive:
        for name in archive.namelist():
            inner = name.removeprefix(f"{INCLUDED}assets/").removeprefix(ASSETS)
            if inner != name or (name.startswith("modules/") and not name.endswith(".pyc")):
                target = unpacked / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
                target.chmod(archive.getinfo(name).external_attr >> 16 & 0o777)
        unpacked.mkdir(exist_ok=True)
        playbook = unpacked / path.name
        playbook.write_bytes(archive.read("_gxo/playbook.yaml"))
        if f"{INCLUDED}playbook.yaml" in archive.namelist():
            included = unpacked / path.name.replace(".test.", ".")
            included.write_bytes(archive.read(f"{INCLUDED}playbook.yaml"))
    if (path.parent / "modules.lock").exists():
        shutil.copy(path.parent / "modules.lock", unpacked)
    assert artifact(playbook, tmp_path / "second.pyz") == first


TEMPLATES = [
    json.loads(line)["template"]
    for name in ("templates.jsonl", "dialect.jsonl")
    for line in (ROOT / "tests/template/conformance" / name).read_text().strip().split("\n")
]


def test_every_expression_of_the_conformance_cases_parses_from_its_print() -> None:
    """Also with variables, each of which is declared before it."""
    count = 0
    for text in TEMPLATES:
        template = parse(plain(text, "p"), Diagnostics())
        for node in nodes(template) if template else ():
            for pipe in pipes(node):
                assert reparsed(pipe) == pipe, (text, printed(pipe))
                count += 1
    assert count > 1000


def reparsed(pipe: ast.Expr) -> ast.Expr:
    names = sorted(variables(pipe) - {""})
    declared = "".join(f"{{{{ ${name} := 0 }}}}" for name in names)
    diags = Diagnostics()
    template = parse(plain(f"{declared}{{{{ {printed(pipe)} }}}}", "p"), diags)
    assert template is not None, (printed(pipe), diags.items)
    last = template.nodes[-1]
    assert isinstance(last, ast.Action)
    return last.pipe


def variables(pipe: ast.Expr) -> set[str]:
    return {one.name for one in expressions(pipe) if isinstance(one, ast.Variable)}
