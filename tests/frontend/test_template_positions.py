"""A mistake inside a template is told at its own line and column, in whatever style YAML writes it.

Each text holds `BAD` once, at the place that must be told; `check()` sees `.nowhere` there.
"""

from pathlib import Path

import pytest

from gxo.compiler.driver import check

HEAD = "name: a\nschemaVersion: v1.0.0\n"
TAIL = """
workloads:
  - name: a
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: uname}}
"""
STYLES = {
    "plain": "vars:\n  a: so {{BAD}}\n",
    "plain_over_lines": "vars:\n  a: so\n    much\n\n    more {{BAD}}\n",
    "single_quoted": "vars:\n  a: 'it''s {{BAD}}'\n",
    "single_quoted_over_lines": "vars:\n  a: 'one\n    two ''\n\n    {{BAD}} three'\n",
    "double_quoted": 'vars:\n  a: "tab\\t \\u00e9\\x41\\U0001F600 {{BAD}}"\n',
    "double_quoted_in_the_action": 'vars:\n  a: "{{ upper \\"x\\" }} \\n {{BAD}}"\n',
    "double_quoted_joined": 'vars:\n  a: "one \\\n     two\n\n     {{BAD}}"\n',
    "literal": "vars:\n  a: |\n    one\n      two {{BAD}}\n    three\n",
    "literal_indicated": "vars:\n  a: |2\n      one\n    {{BAD}}\n",
    "literal_stripped": "vars:\n  a: |-\n\n    one\n\n    日本 {{BAD}}\n\n",
    "folded": "vars:\n  a: >\n    one\n    two\n\n      more\n    {{BAD}}\n",
    "folded_kept": "vars:\n  a: >+\n    one\n\n    two {{BAD}}\n\n",
    "in_a_flow_map": "vars: {b: 1, a: ['x', \"{{BAD}}\"]}\n",
    "in_a_list": "vars:\n  a:\n  - one\n  - >-\n   two\n   {{BAD}}\n",
    "in_an_explicit_key": "vars:\n  ? a\n  : 'so {{BAD}}'\n",
    "wide_characters": "vars:\n  a: '日本語 e\u0301 😀 {{BAD}}'\n",
    "anchored": "vars:\n  a: &a 'so {{BAD}}'\n  b: *a\n",
    "anchored_map": "vars:\n  a: &a\n    x: |\n      one\n      {{BAD}}\n  b: *a\n",
    "merged": "vars:\n  a: &a {x: '{{BAD}}'}\n  b:\n    <<: *a\n    y: 1\n",
    "merged_twice": "vars:\n  a: &a {x: '{{BAD}}'}\n  b: &b\n    <<: *a\n  c:\n    <<: [*b, *a]\n",
}
MISTAKES = {
    "undefined": ("GXO0301", "{{BAD}}", "{{ .nowhere }}", 3, 8),
    "no_function": ("GXO0414", "{{BAD}}", "{{ nowhere 1 }}", 3, 7),
    "no_block_end": ("GXO0402", "{{BAD}}", "{{ if true }}", 0, None),
    "out_of_place": ("GXO0404", "{{BAD}}", "{{ 1 @ }}", 5, 1),
}


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("style", STYLES)
def test_a_mistake_is_told_where_it_is(
    style: str, mistake: str, line_break: str, tmp_path: Path
) -> None:
    code, mark, action, start, length = MISTAKES[mistake]
    text = HEAD + STYLES[style] + TAIL
    before = text[: text.index(mark)]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    path = tmp_path / "a.gxo.yaml"
    path.write_bytes(text.replace(mark, action).replace("\n", line_break).encode())
    [found] = check(path).diagnostics.sorted()
    assert found.code == code
    if length is None:
        length = len("{{ if")
    assert (found.span.line, found.span.column) == (line, column + start)
    assert (found.span.end_line, found.span.end_column) == (line, column + start + length)


PARAMETERS = {
    "folded_condition": "    when: >-\n      {{ true &&\n      BAD }}\n",
    "literal_condition": "    when: |\n      {{ true &&\n        BAD }}\n",
    "quoted_condition": '    when: "{{ \\"x\\" == \\\n      BAD }}"\n',
    "loop": "    loop: '{{ list 1 BAD }}'\n",
}


@pytest.mark.parametrize("place", PARAMETERS)
def test_a_mistake_in_a_workload(place: str, tmp_path: Path) -> None:
    text = HEAD + TAIL.lstrip("\n") + PARAMETERS[place]
    before = text[: text.index("BAD")]
    path = tmp_path / "a.gxo.yaml"
    path.write_text(text.replace("BAD", ".nowhere"))
    [found] = check(path).diagnostics.sorted()
    assert (found.code, found.span.line) == ("GXO0301", before.count("\n") + 1)
    assert found.span.column == len(before.rpartition("\n")[2]) + 1


def test_a_merged_workload_is_told_once_at_its_anchor(tmp_path: Path) -> None:
    text = f"""{HEAD}vars:
  defaults: &process
    module: exec
    params:
      command: echo
      args:
        - |
          one
          {{{{ .nowhere }}}}
workloads:
  - name: a
    lifecycle: {{policy: run_once}}
    process: *process
  - name: b
    lifecycle: {{policy: run_once}}
    process: {{<<: *process}}
"""
    path = tmp_path / "a.gxo.yaml"
    path.write_text(text)
    [found] = check(path).diagnostics.sorted()
    assert (found.code, found.span.line, found.span.column) == ("GXO0301", 11, 14)
