"""`gxo schema --full`: playbooks that gxo accepts are right by it, and wrong parameters are not."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gxo.cli.main import main
from gxo.compiler.codes import Code, Example, complete, table
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation
from gxo.compiler.frontend.schema import python_value, schema_text
from gxo.compiler.frontend.testing import ENDING, INCLUDED, completed
from gxo.compiler.frontend.yaml import Mapping, load
from gxo.compiler.modules.index import Library, standard_roots, user_roots
from gxo.compiler.modules.schema import full_schema
from gxo.compiler.modules.spec import ModuleSpec

ROOT = Path(__file__).parents[2]
INVALID = "findings"
"""The golden case whose playbook is wrong on purpose."""
PLAYBOOKS = [
    path
    for path in sorted(ROOT.glob("golden/*/*.gxo.yaml")) + sorted(ROOT.glob("docs/**/*.gxo.yaml"))
    if path.parent.name != INVALID
]
LIBRARY = Library(standard_roots(), Diagnostics())
WRONG = {"GXO0501", "GXO0502", "GXO0503", "GXO0504", "GXO0505", "GXO0506", "GXO0507", "GXO0508"}
SHOWN = [code for code in table().values() if code.passes.kind.startswith("yaml")]


@cache
def validator(users: str | None = None) -> jsonschema.Draft202012Validator:
    """With the modules of gxo, and of a user's own in that folder."""
    roots = user_roots(users) if users else ()
    library = Library((*LIBRARY.roots, *roots), Diagnostics()) if roots else LIBRARY
    schema = full_schema(json.loads(schema_text()), library)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def data(text: bytes, file: str = "a.yaml") -> Any:
    """The playbook's value; what a test playbook may leave out is there."""
    tree = load(text, file, Diagnostics())
    assert isinstance(tree, Mapping)
    if file.endswith(ENDING):
        tree = completed(tree, "a", "v1.0.0", Diagnostics())
    value = python_value(tree, {})
    if "include" in value:  # what it becomes is not written
        value["workloads"] = [one for one in value["workloads"] if one["name"] != INCLUDED]
    return value


def workload(params: str, module: str) -> bytes:
    text = f"- name: a\n  process: {{module: {module}, params: {params}}}\n"
    return complete(Example("yaml", text)).encode()


def is_right(params: str, module: str = "exec") -> bool:
    return validator().is_valid(data(workload(params, module)))


def is_valid(params: str, module: str = "exec") -> bool:
    """Whether gxo says that it is."""
    compilation = Compilation("a.yaml")
    return compilation.read(workload(params, module)) and compilation.analyse()


def test_there_are_playbooks() -> None:
    assert len(PLAYBOOKS) >= 8


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_and_golden_playbook_is_right(path: Path) -> None:
    users = str(path.parent) if (path.parent / "modules").is_dir() else None
    validator(users).validate(data(path.read_bytes(), path.name))


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_every_passing_example_of_a_code_is_right(code: Code) -> None:
    file = f"a{ENDING}" if code.passes.kind == "yaml test" else "a.yaml"
    validator().validate(data(complete(code.passes).encode(), file))


@pytest.mark.parametrize("code", sorted(WRONG))
def test_wrong_parameters_are_refused(code: str) -> None:
    assert not validator().is_valid(data(complete(table()[code].fails).encode()))


@pytest.mark.parametrize("spec", LIBRARY.all(), ids=lambda spec: spec.name)
def test_every_modules_example_is_right_and_a_stranger_is_not(spec: ModuleSpec) -> None:
    example = data(spec.doc.example.encode())
    assert example["process"]["module"] == spec.name
    playbook = {"workloads": [{"lifecycle": {"policy": "run_once"}, **example}]}
    validator().validate(playbook)
    if spec.values is None:
        params = example["process"].get("params") or {}
        example["process"]["params"] = {**params, "no_such_parameter": 1}
        assert not validator().is_valid(playbook)


@pytest.mark.parametrize(
    ("params", "right"),
    [
        ("{command: a}", True),
        ("{command: 1}", False),
        ("{}", False),
        ("null", False),
        ("{command: a, args: [b, '{{ 1 }}']}", True),
        ("{command: a, args: '{{ list \"1\" }}'}", True),
        ("{command: a, args: b}", False),
        ("{command: a, args: null}", False),
        ("{command: a, check: 'true'}", True),
        ("{command: a, check: 'yes'}", False),
        ("{command: a, check: '{{ true }}'}", True),
        ("{command: a, success_codes: [0, '1']}", True),
        ("{command: a, success_codes: [0, '01']}", False),
        ("{command: a, max_output: 10MiB}", True),
        ("{command: a, max_output: 10 miles}", False),
        ("{command: a, stdout_to: lines}", True),
        ("{command: a, stdout_to: words}", False),
        ("{command: a, stdin_from: null}", True),
    ],
)
def test_parameters_of_exec(params: str, right: bool) -> None:
    assert (is_right(params), is_valid(params)) == (right, right)


def test_free_parameters_and_no_parameters() -> None:
    assert is_right("{anything: [1]}", "control:identity")
    assert is_right("null", "control:identity")


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--full"]) == 0
    assert json.loads(capsys.readouterr().out) == validator().schema


def steps(step: str) -> bool:
    return is_right(f"{{steps: [{step}]}}", "stream:pipeline")


def test_steps_are_held_against_their_modules() -> None:
    assert steps("{id: a, uses: exec, with: {command: uname}}")
    assert steps('{id: a, uses: http:request, needs: [b], when: "{{ .x }}", with: {url: u}}')
    assert not steps("{id: a, uses: exec, with: {comand: uname}}")
    assert not steps("{id: a, uses: exec}")
    assert not steps("{id: a, uses: exec, with: {command: uname, args: 5}}")
    assert not steps("{id: a, uses: exce, with: {command: uname}}")
    assert not steps("{id: a, uses: exec, needs: b, with: {command: uname}}")
    assert not is_right("{steps: []}", "stream:pipeline")
