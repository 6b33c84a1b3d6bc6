"""What a module declares of its parameters is all that decides: here modules that gxo does not have.

GXO0804 and GXO0809 are found with them.
"""

from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.ir.build import build
from gxo.compiler.modules.index import Library, Root, standard_roots
from gxo.compiler.passes import PASSES

SHOP = """
class Rows(TypedDict):
    rows: list[Record]
    count: int
    password: Secret
    table: str


class Options(TypedDict, total=False):
    address: Url
    labels: dict[str, Label]
    table: str


@module(
    "shop:query",
    returns={"table": ["options.table", "table"]},
    sends=["records"],
)
async def query(
    ctx: Context,
    records: Records | None = None,
    out: Out | None = None,
    *,
    query: SqlText = "",
    query_params: list[Any] | None = None,
    table: str = "",
    remote: ShellText = "",
    name: Label | None = None,
    words: Argument | list[Argument] | None = None,
    options: Options | None = None,
    note: Each[Message] | None = None,
) -> Rows: ...
"""
HEAD = """\
name: p
schemaVersion: v1.0.0
inputs: {given: {}}
workloads:
  - name: a
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: uname}}
    register: a
  - name: w
    lifecycle: {policy: run_once}
"""


def findings(tmp_path: Path, workload: str) -> list[str]:
    """Code, line below the head, and column of what is found in the workload."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    diags = Diagnostics()
    playbook = load_playbook((HEAD + workload).encode(), "p.gxo.yaml", diags)
    assert playbook is not None
    roots = (Root(str(tmp_path), "shop"), *standard_roots())
    plan = build(playbook, Library(roots, diags), diags)
    for one in PASSES:
        plan = one.run(plan, diags)
    return [f"{item.level} {item.code}" for item in diags.sorted()]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ("query: \"select '{{ .a.stdout }}'\"", ["error GXO0804"]),
        ("query: \"select '{{ shellquote .a.stdout }}'\"", ["error GXO0804"]),
        ('query: "select {{ .a.exit_code }}"', []),
        ('query: "select {{ int .a.stdout }}"', []),
        ('query: "select * from {{ .given }}"', []),
        ('query: "select {{ if .a.stdout }}1{{ end }}"', []),
        ('query: "select ?", query_params: ["{{ .a.stdout }}"]', []),
        ('remote: "ls {{ .a.stdout }}"', ["error GXO0801"]),
        ('remote: "{{ shellquote .a.stdout }}"', []),
        ('remote: "ls {{ .given }}"', ["warning GXO0802"]),
        ('remote: "ls ${KEY}"', ["error GXO0803"]),
        ("remote: \"ls {{ secret 'KEY' }}\"", ["warning GXO0805"]),
        ("name: \"w-{{ secret 'KEY' }}\"", ["warning GXO0809"]),
        ('name: "w-{{ .a.stdout }}"', []),
        ("words: \"{{ secret 'KEY' }}\"", ["warning GXO0805"]),
        ("words: [a, \"{{ secret 'KEY' }}\"]", ["warning GXO0805"]),
        ("options: {address: \"http://h/{{ secret 'KEY' }}\"}", ["warning GXO0806"]),
        ("options: {labels: {a: \"{{ secret 'KEY' }}\"}}", ["warning GXO0809"]),
        ("options: \"{{ dict 'address' (secret 'KEY') }}\"", []),
        ("options: \"{{ dict 'address' (cat 'a' (secret 'KEY')) }}\"", ["warning GXO0806"]),
        ("options: \"{{ dict 'labels' (dict 'x' (secret 'KEY')) }}\"", ["warning GXO0809"]),
        ("options: \"{{ dict 'other' (secret 'KEY') }}\"", []),
        ("note: \"{{ secret 'KEY' }}\"", ["warning GXO0808"]),
    ],
)
def test_where_a_value_arrives(params: str, found: list[str], tmp_path: Path) -> None:
    workload = f"    process: {{module: shop:query, params: {{{params}}}}}\n"
    assert findings(tmp_path, workload) == found


READER = """\
    register: w
    process: {module: shop:query, params: {table: "{{ secret 'KEY' }}"}}
  - name: r
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: tool, args: ["%s"]}}
"""


@pytest.mark.parametrize(
    ("read", "found"),
    [
        ("{{ .w.password }}", ["warning GXO0805"]),
        ("{{ .w.table }}", ["warning GXO0805"]),
        ("{{ .w.count }}", []),
        ("{{ (index .w.rows 0).id }}", []),
        ("{{ toJson .w }}", ["warning GXO0805"]),
    ],
)
def test_what_a_summary_holds(read: str, found: list[str], tmp_path: Path) -> None:
    assert findings(tmp_path, READER % read) == found


@pytest.mark.parametrize(("field", "found"), [("secret", ["warning GXO0805"]), ("name", [])])
def test_what_records_hold(field: str, found: list[str], tmp_path: Path) -> None:
    workload = f"""\
    process:
      module: data:generate_from_list
      params: {{items: [{{name: a, secret: "{{{{ secret 'KEY' }}}}"}}]}}
  - name: q
    lifecycle: {{policy: run_once}}
    stream_inputs: [w]
    process: {{module: shop:query}}
  - name: c
    lifecycle: {{policy: run_once}}
    stream_inputs: [q]
    register: c
    process: {{module: data:collect}}
  - name: r
    lifecycle: {{policy: run_once}}
    process:
      module: exec
      params: {{command: tool, args: ["{{{{ (index .c.records 0).{field} }}}}"]}}
"""
    assert findings(tmp_path, workload) == found
