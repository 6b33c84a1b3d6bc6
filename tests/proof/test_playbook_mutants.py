"""The mistakes that the proof of test playbooks makes."""

from tests.proof.playbook_mutants import mutants

PLAYBOOK = """\
name: p
workloads:
  - name: a
    process: {module: control:sleep, params: {duration: 20ms, note: "a-b"}}
    register: got
  - name: b
    needs: [a, c]
    when: "{{ .got.n }} > 3 && {{ .on }}"
    retry: {attempts: 2}
    process:
      module: http:request
      params: {url: "{{ .got.url }}/v1", verify: true, text: '{{ if eq .x "y" }}z{{ end }}'}
"""
EXPECTED = {
    (4, "literal", "20ms", "21ms"),
    (4, "literal", '"a-b"', '"a-x"'),
    (7, "edge", "a, ", ""),
    (7, "edge", ", c", ""),
    (8, "edge", ".got.n", "``"),
    (8, "literal", "3", "4"),
    (8, "condition", ">", ">="),
    (8, "condition", "&&", "||"),
    (8, "condition", "{{ .got.n }} > 3 && {{ .on }}", "!({{ .got.n }} > 3 && {{ .on }})"),
    (9, "literal", "2", "3"),
    (12, "edge", ".got.url", "``"),
    (12, "literal", "/v1", "/v2"),
    (12, "literal", "true", "false"),
    (12, "condition", "eq", "ne"),
    (12, "condition", 'eq .x "y"', 'not (eq .x "y")'),
    (12, "literal", '"y"', '"x"'),
    (12, "literal", "z", "x"),
}


def test_each_mutant_has_one_mistake() -> None:
    made = list(mutants(PLAYBOOK))
    assert {(one.line, one.kind, one.before, one.after) for one in made} == EXPECTED
    texts = {one.text for one in made}
    assert len(texts) == len(made) and PLAYBOOK not in texts


def test_a_name_in_data_is_a_literal_and_a_status_that_is_read_an_edge() -> None:
    playbook = """\
name: p
inputs: {hosts: {default: [{name: web-1}]}}
vars: {name: Ann}
workloads:
  - {name: a, process: {module: m, params: {fields: [{name: n-1}], steps: [{id: i, uses: m, with: {name: n-3}}]}}}
  - {name: b, process: {module: m, params: {text: "{{ ._gxo.workloads.a.status }} {{ ._gxo.playbook.name }}"}}}
"""
    assert {(one.line, one.kind, one.before, one.after) for one in mutants(playbook)} == {
        (2, "literal", "web-1", "web-2"),
        (3, "literal", "Ann", "Anx"),
        (5, "literal", "n-1", "n-2"),
        (5, "literal", "n-3", "n-4"),
        (6, "edge", "._gxo.workloads.a.status", "``"),
        (6, "literal", " ", "x "),
    }


def test_a_list_of_lines_loses_one() -> None:
    """The dash that belongs to an item goes with it; what several places share is changed once."""
    playbook = (
        "workloads:\n- name: x\n  needs:\n  - a\n  - b\n  vars: &v {k: 1}\n- {name: y, vars: *v}\n"
    )
    made = list(mutants(playbook))
    assert ["  needs:\n  - b\n" in one.text for one in made] == [True, False, False]
    assert ["  needs:\n  - a\n  vars" in one.text for one in made] == [False, True, False]
    assert [one.after for one in made] == ["", "", "2"]
