"""Every expression that can fail leads back to its place in the playbook."""

import ast
import json

from gxo.compiler.driver import Compilation

PLAYBOOK = """\
name: places
schemaVersion: v1.0.0
inputs: {who: {default: you}}
workloads:
  - name: first
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: uname}}
    register: said
  - name: second
    lifecycle: {policy: run_once}
    process:
      module: control:identity
      params:
        long: "{{ .said.stdout }} is what {{ .who | upper }} said, and {{ index .said.stdout 0 }}"
"""


def test_entries_name_line_column_and_expression() -> None:
    compilation = Compilation("places.gxo.yaml")
    assert compilation.read(PLAYBOOK.encode())
    assert compilation.analyse()
    module = compilation.generate()
    found = json.loads(module.source_map)
    assert found["file"] == "places.gxo.yaml"
    assert found["workloads"] == {"first": 5, "second": 9}
    lines = PLAYBOOK.splitlines()
    generated = module.text.splitlines()
    assert found["entries"]
    for line, column, end_line, end_column, at, place, expression, function in found["entries"]:
        assert line == end_line
        ast.parse(generated[line - 1].encode()[column:end_column].decode(), mode="eval")
        assert lines[at - 1][place - 1 :].startswith(expression)
        assert function in ("second", "")
    expressions = {entry[6] for entry in found["entries"]}
    assert any(".said.stdout" in text for text in expressions)
    assert any("index .said.stdout 0" in text for text in expressions)
