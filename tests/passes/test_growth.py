"""Four times the workloads are four times the work, however they are tied together.

Calls are counted, not seconds: they are the same on every machine.
"""

from cProfile import Profile

import pytest

from gxo.compiler.driver import Compilation

FEW, MANY = 150, 600
MOST = 4.6
"""As `tests/bench/scaling.py` asks of the time that four times the workloads take."""
JOINS = (25, 100)
MOST_OF_JOINS = 4.1**2
"""Each join of a chain has a field more than the one before, and all are looked at."""
HEAD = "name: p\nschemaVersion: v1.0.0\nvars: {go: true}\nworkloads:\n"
RUN = """\
- name: w{n}
  lifecycle: {{policy: run_once}}
  process: {{module: exec, params: {{command: make}}}}
  register: r{n}
"""
SOURCE = """\
- name: w0
  lifecycle: {policy: run_once}
  process: {module: data:generate_from_list, params: {items: [{a: x}]}}
"""
TIES = {
    "one workload's status decides whether the next one runs": RUN
    + "  when: \"{{{{ ._gxo.workloads.w{last}.status == 'Completed' }}}}\"\n",
    "one workload's result decides whether the next one runs": RUN
    + '  when: "{{{{ .go && .r{last}.exit_code == 0 }}}}"\n',
    "each workload has an answer to failures that reads the first result": RUN
    + "  needs: [w{last}]\n  on_failure:\n"
    + '  - {{name: f{n}, process: {{module: exec, params: {{command: "{{{{ .r0.stdout }}}}"}}}}}}\n',
    "each answer to a failure is a loop": RUN
    + "  on_failure:\n"
    + "  - {{name: f{n}, loop: [a], process: {{module: exec, params: {{command: x}}}}}}\n",
    "each record template reads a result, and records lead to the next result": RUN
    + "  needs: [m{last}]\n"
    + "- name: g{n}\n  lifecycle: {{policy: run_once}}\n  needs: [w{n}]\n"
    + "  process: {{module: data:generate_from_list, params: {{items: [{{a: 1}}]}}}}\n"
    + "- name: m{n}\n  lifecycle: {{policy: run_once}}\n  stream_inputs: [g{n}]\n"
    + "  process:\n    module: data:map\n"
    + '    params: {{fields: {{x: "{{{{ .r{n}.exit_code }}}}"}}}}\n',
    "each workload keeps the records' fields and adds one": "- name: w{n}\n"
    + "  lifecycle: {{policy: run_once}}\n  stream_inputs: [w{last}]\n  process:\n"
    + '    module: data:map\n    params: {{keep: true, fields: {{f{n}: "{{{{ .a }}}}"}}}}\n',
    "each workload is a loop whose calls compute something twice": "- name: w{n}\n"
    + "  lifecycle: {{policy: run_once}}\n  loop: [a, b]\n  process:\n"
    + "    module: exec\n    params:\n"
    + "      command: '{{{{ .item }}}} {{{{ len .r0.stdout }}}} {{{{ len .r0.stdout }}}}'\n",
    "each source is joined with the last one and the first one": "- name: w{n}\n"
    + "  lifecycle: {{policy: run_once}}\n  process:\n"
    + "    {{module: data:generate_from_list, params: {{items: [{{a: x}}]}}}}\n"
    + "- name: j{n}\n  lifecycle: {{policy: run_once}}\n"
    + "  stream_inputs: [w0, w{n}, w{last}.errors]\n  process:\n"
    + "    module: data:join\n    params:\n      join_type: inner\n      on:\n"
    + "      - {{stream: w0, role: probe, field: a}}\n"
    + "      - {{stream: w{n}, role: build, field: a}}\n"
    + "      - {{stream: w{last}.errors, role: build, field: number}}\n",
    "each workload accepts a finding": "- name: w{n}\n"
    + "  lifecycle: {{policy: run_once}}\n  process:\n    module: exec\n    params:\n"
    + "      command: 'echo {{{{ env \"A\" }}}} | cat'  # gxo: allow GXO0802 it is ours\n",
}

CHAIN = (
    "- name: s{n}\n  lifecycle: {{policy: run_once}}\n  process:\n"
    "    {{module: data:generate_from_list, params: {{items: [{{a: x, f{n}: 1}}]}}}}\n"
    "- name: w{n}\n  lifecycle: {{policy: run_once}}\n  stream_inputs: [w{last}, s{n}]\n"
    "  process:\n    module: data:join\n    params:\n      join_type: left\n      on:\n"
    "      - {{stream: w{last}, role: probe, field: a}}\n"
    "      - {{stream: s{n}, role: build, field: a}}\n"
)


def playbook(tie: str, count: int) -> Compilation:
    """So many workloads, read."""
    first = SOURCE if "keep" in tie or "join" in tie else RUN.format(n=0)
    text = HEAD + first + "".join(tie.format(n=n, last=n - 1) for n in range(1, count))
    compilation = Compilation("p.gxo.yaml")
    assert compilation.read(text.encode())
    return compilation


def calls(tie: str, count: int) -> int:
    """How many calls the analysis of so many workloads makes."""
    profile = Profile()
    profile.runcall(playbook(tie, count).analyse)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("tie", TIES.values(), ids=TIES)
def test_work_grows_with_the_workloads(tie: str) -> None:
    # What is read once a process: functions, modules, the texts of templates.
    playbook(tie, MANY).analyse()
    assert calls(tie, MANY) <= MOST * calls(tie, FEW)


def test_a_chain_of_joins_grows_with_its_joins_and_their_fields() -> None:
    few, many = JOINS
    playbook(CHAIN, many).analyse()
    assert calls(CHAIN, many) <= MOST_OF_JOINS * calls(CHAIN, few)
