"""Every module of the library in a dry run: compiled in a playbook, and run on real files.

Whatever a module says, the world is the same before and after, and no process was started.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.types import MapOf, Shape
from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.harness import library, module_spec
from tests.stdlib.http.server import Server, serving
from tests.stdlib.stream.test_pipelines import compiled, workload
from tests.stdlib.test_cases import _lay_out as lay_out

CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("cases.yaml").read_text()
)
KEYS = {
    *("name", "files", "before", "keys", "params"),
    *("told", "summary", "sent", "error", "exit", "asked", "refused"),
}
LISTED = "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>"
LINES = {"content": "{{ .x.stdout }}", "format": "text_lines"}
BEFORE = {
    "x": workload("x", "exec", {"command": "make"}, register="x"),
    "lines": workload("lines", "data:parse", LINES),
    "lists": workload("lists", "data:generate_from_list", {"items": [{"ns": [1, 2]}]}),
    "numbers": workload("numbers", "data:generate_from_list", {"items": [{"n": 1}, {"n": 2}]}),
    "save": workload("save", "filesystem:write", {"path": "saved.txt", "content": "one\ntwo\n"}),
    "opened": workload(
        "opened",
        "connection:open",
        {"network": "tcp", "address": "127.0.0.1:1"},
        register="opened",
    ),
    "connected": workload(
        "connected",
        "ssh:connect",
        {"host": "web-1", "user": "deploy", "agent": True},
        register="connected",
    ),
    "removed": workload("removed", "filesystem:manage", {"path": "gone.txt", "state": "absent"}),
    "save-in-d": workload("save-in-d", "filesystem:write", {"path": "d/b.txt", "content": "b"}),
    "save-lines": workload(
        "save-lines",
        "data:format",
        {"format": "text", "path": "lines.txt"},
        stream_inputs=["lines"],
    ),
}


def playbook(module: str, case: dict[str, Any]) -> str:
    before = [BEFORE[name] for name in case.get("before", ())]
    keys = {"register": "it", **case.get("keys", {})}
    if "save" in case.get("before", ()):
        keys["needs"] = ["save"]
    workloads = [*before, workload("it", module, case.get("params"), **keys)]
    if "sent" in case:
        reads = {"stream_inputs": ["it"], "register": "read"}
        workloads.append(workload("reader", "data:collect", None, **reads))
    head: dict[str, Any] = {"name": "p", "schemaVersion": "v1.0.0", "vars": {"word": "word"}}
    if module.startswith("test:") and "x" in case.get("before", ()):
        head["allow"] = {"commands": ["make"]}
    return yaml.safe_dump({**head, "workloads": workloads}, sort_keys=False, width=1000)


def world(folder: Path) -> dict[str, Any]:
    """All there is to see of what is below a folder."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns, content)
    return found


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **keywords: object) -> None:
        pytest.fail(f"a process was started: {arguments} {keywords}")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
        monkeypatch.setattr(os, name, refuse)


@pytest.fixture
def server() -> Iterator[Server]:
    routes = {
        "/ok": {"body": "fine"},
        "/list": {"json": {"items": [{"n": 1}]}},
        "/bkt/ok": {"body": "fine"},
        "/listed": {"body": LISTED},
        "/listed?location=": {"body": "<LocationConstraint/>"},
        "/listed?versioning=": {"body": "<VersioningConfiguration/>"},
        "/empty": {"body": "<ListBucketResult/>"},
        "/empty?location=": {"body": "<LocationConstraint/>"},
    }
    with serving(routes) as running:
        yield running


def matches(actual: Any, expected: Any) -> bool:
    if isinstance(expected, str) and expected.startswith("re:"):
        return re.search(expected[3:], str(actual), re.S) is not None
    return bool(actual == expected)


def check_summary(module: str, summary: Any, expected: Any) -> None:
    """The known fields are those expected and of the declared types; of what ran, at least those."""
    if isinstance(expected, list):
        for one, other in zip(summary, expected, strict=True):
            check_summary(module, one, other)
        return
    if expected.get("dry_run"):
        assert summary == expected
    assert summary | expected == summary
    declared = module_spec(module).summary
    if isinstance(declared, Shape):
        optional = frozenset(declared.names()) if expected.get("dry_run") else declared.optional
        declared = Shape(declared.name, declared.fields, optional)
        assert list(mismatches(summary, declared)) == []
    else:
        assert isinstance(declared, MapOf)


def test_every_module_has_cases() -> None:
    assert sorted(CASES) == sorted(spec.name for spec in library().all())


@pytest.mark.parametrize(
    ("module", "case"),
    [
        pytest.param(module, case, id=f"{module}: {case['name']}")
        for module, cases in CASES.items()
        for case in cases
    ],
)
@pytest.mark.usefixtures("no_process")
def test_case(
    module: str,
    case: dict[str, Any],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert case.keys() <= KEYS, f"unknown keys {sorted(case.keys() - KEYS)}"
    address = f"http://127.0.0.1:{server.server_port}"
    workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
    workspace.mkdir()
    elsewhere.mkdir()
    lay_out(workspace, case.get("files", {}))
    monkeypatch.chdir(elsewhere)
    file = "p.test.gxo.yaml" if module.startswith("test:") else "p.gxo.yaml"
    job = compiled(playbook(module, case).replace("SERVER", address), file)
    report = tmp_path / "report.json"
    report.touch()
    before = world(workspace), world(elsewhere)
    options = ["--dry-run", "--detailed-exitcode", "--workspace", str(workspace), "--diff"]
    code = main(job, None, [*options, "--report", str(report), "--log-level", "error"])
    assert (world(workspace), world(elsewhere)) == before
    if case.get("refused"):
        assert code == 2
        return
    results = read_report(report)["workload_results"]
    it = results["it"]
    assert (code, it["status"]) == (
        case.get("exit", 0),
        "Failed" if "error" in case else "Completed",
    )
    if "error" in case:
        assert matches(it["error"], case["error"]), it["error"]
        return
    told = case["told"] and case["told"].replace("SERVER", address)
    assert matches(it["reason"], told), it["reason"]
    if "summary" in case:
        check_summary(module, it["summary"], case["summary"])
    if "sent" in case:
        known = results["reader"]["summary"].get("records")
        assert known == case["sent"]
        assert (known is None) == ("dry_run" in results["reader"]["summary"])
    if "asked" in case:
        assert [f"{one['method']} {one['path']}" for one in server.requests] == case["asked"]
