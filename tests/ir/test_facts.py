"""What the manifest says of workloads so that a job can be resumed: what changes, who reads whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Options, check
from gxo.compiler.ir.facts import changes, is_idempotent, read_by, register_owners
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.walk import every_workload
from tests.effects import touched

ADDRESSES = yaml.safe_load(Path(__file__).with_name("addresses.yaml").read_text(encoding="utf-8"))

PLAYBOOK = """\
name: facts
schemaVersion: v1.0.0
workloads:
  - name: a
    lifecycle: {policy: run_once}
    register: a
    process: {module: exec, params: {command: uname}}
  - name: b
    lifecycle: {policy: run_once}
    register: b
    loop: ["{{ .a.stdout }}"]
    process: {module: control:identity, params: {x: "{{ .item }}"}}
  - name: c
    lifecycle: {policy: run_once}
    needs: [b]
    when: '{{ ._gxo.workloads.a.status == "Completed" }}'
    register: c
    process: {module: control:identity, params: {x: {y: ["{{ .a.stdout }}", "{{ .b }}"]}}}
    on_failure:
      - name: sorry
        process: {module: exec, params: {command: echo, args: ["{{ .a.stdout }}"]}}
  - name: rows
    lifecycle: {policy: run_once}
    process: {module: data:generate_from_list, params: {items: [{n: 1}]}}
  - name: each
    lifecycle: {policy: run_once}
    stream_inputs: [rows]
    process: {module: data:map, params: {fields: {n: "{{ .n }}", a: "{{ .a.stdout }}"}}}
  - name: table
    lifecycle: {policy: run_once}
    stream_inputs: [each]
    process: {module: data:format, params: {format: csv, path: out.csv}}
  - name: called
    lifecycle: {policy: run_once}
    process: {module: http:request, params: {url: http://localhost}}
  - name: steps
    lifecycle: {policy: run_once}
    stream_inputs: [rows]
    process:
      module: stream:pipeline
      params:
        steps:
          - {id: only, uses: data:map, with: {fields: {b: "{{ .b }}"}}}
  - name: doing
    lifecycle: {policy: run_once}
    stream_inputs: [rows]
    process:
      module: stream:pipeline
      params:
        steps:
          - {id: run, uses: exec, with: {command: uname}}
finally:
  - name: bye
    process: {module: control:identity, params: {x: "{{ ._gxo.workloads.c.summary }}"}}
"""


@pytest.fixture(scope="module", params=[True, False], ids=["-O1", "-O0"])
def plan(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Plan]:
    path = tmp_path_factory.mktemp("facts") / "facts.gxo.yaml"
    path.write_text(PLAYBOOK)
    compilation = check(Path(path), Options(optimize=request.param))
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.sorted()
    assert compilation.plan is not None
    yield compilation.plan


def test_who_reads_whose_result(plan: Plan) -> None:
    """Also what a shorter edge implies, a `when` aside, which reads no result but a status."""
    owners = register_owners(plan)
    assert {one.name: read_by(one, owners) for one in every_workload(plan)} == {
        "a": (),
        "b": ("a",),
        "c": ("a", "b"),
        "sorry": ("a",),
        "rows": (),
        "each": ("a",),
        "table": (),
        "called": (),
        "steps": ("b",),
        "doing": (),
        "bye": ("c",),
    }


def test_what_changes_something(plan: Plan) -> None:
    """A pipeline changes what its steps do."""
    found = {one.name: (changes(one), is_idempotent(one)) for one in every_workload(plan)}
    assert found == {
        "a": ("by_call", False),
        "b": (False, True),
        "c": (False, True),
        "sorry": ("by_call", False),
        "rows": (False, False),
        "each": (False, False),
        "table": ("by_call", True),
        "called": ("by_call", False),
        "steps": (False, False),
        "doing": ("by_call", False),
        "bye": (False, True),
    }


@pytest.mark.parametrize(
    ("params", "reads"),
    [
        ("", ("~/.ssh/known_hosts",)),
        ("known_hosts_path: hosts", ("hosts",)),
        ("known_hosts: '{{ .known }}'", ()),
        ("insecure: true", ()),
        ("insecure: false", ("~/.ssh/known_hosts",)),
        ("insecure: '{{ .sure }}'", ("~/.ssh/known_hosts",)),
    ],
)
def test_a_default_is_touched_unless_something_else_is_given(
    params: str, reads: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "hosts.gxo.yaml"
    path.write_text(CONNECT % params)
    plan = check(str(path), Options()).plan
    assert plan is not None
    assert touched(plan).get("reads", ()) == reads
    assert touched(plan)["hosts"] == ("gate", "web-1")


CONNECT = """\
name: hosts
schemaVersion: v1.0.0
inputs: {known: {default: ""}, sure: {type: bool, default: false}, gate: {default: ops@gate}}
workloads:
  - name: web
    lifecycle: {policy: run_once}
    process:
      module: ssh:connect
      params: {host: web-1, user: deploy, agent: true, proxy_jump: "{{ .gate }}", %s}
"""


def test_keys_of_a_parameter_are_touched(tmp_path: Path) -> None:
    path = tmp_path / "upload.gxo.yaml"
    path.write_text(UPLOAD)
    plan = check(str(path), Options()).plan
    assert plan is not None
    assert touched(plan) == {
        "hosts": ("api.example.com", "id.example.com"),
        "ports": ("api.example.com:443", "id.example.com:443"),
        "reads": ("b.csv", "out/a.csv"),
    }


UPLOAD = """\
name: upload
schemaVersion: v1.0.0
inputs: {which: {default: b.csv}}
workloads:
  - name: all
    lifecycle: {policy: run_once}
    process:
      module: http:request
      params:
        url: https://api.example.com/
        auth: {oauth2: {token_url: https://id.example.com/token, client_id: a, client_secret: "{{ secret `B` }}"}}
        files: [{field: a, path: out/a.csv}, {field: b, path: "{{ .which }}"}]
"""


@pytest.mark.parametrize("case", ADDRESSES, ids=lambda case: case["url"])
def test_an_address_shows_where_it_leads_and_no_secret(
    case: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "ask.gxo.yaml"
    call = {"module": "database:query", "params": {"connection": case["url"], "query": "SELECT 1"}}
    ask = {"name": "ask", "lifecycle": {"policy": "run_once"}, "process": call}
    inputs = {
        "x": {"default": ""},
        "y": {"type": "int", "default": 1},
        "z": {},
        "h": {"default": "https://s3cret:s3cret@host"},
    }
    head = {"name": "ask", "schemaVersion": "v1.0.0", "inputs": inputs}
    path.write_text(yaml.safe_dump({**head, "workloads": [ask]}))
    plan = check(str(path), Options()).plan
    assert plan is not None
    assert touched(plan) == {kind: tuple(case[kind]) for kind in case if kind != "url"}
