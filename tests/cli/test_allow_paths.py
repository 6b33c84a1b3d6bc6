"""`allow_paths` from the playbook to the host's files: what a workload may touch, and nothing more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.compiler.driver import check
from tests.reports import read_report


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for folder in ("conf/sites", "other", "home"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "conf/main").write_text("main")
    (tmp_path / "other/file").write_text("other")
    return tmp_path


def run(host: Path, *workloads: str) -> tuple[int, dict[str, dict[str, str]]]:
    playbook = host / "p.gxo.yaml"
    allowed = f"[{{path: {host}/conf, access: ro}}, {{path: {host}/conf/sites, access: rw}}]"
    playbook.write_text(
        "name: p\nschemaVersion: v1.0.0\n"
        f"security_context: {{allow_paths: {allowed}}}\nworkloads:\n" + "".join(workloads)
    )
    compilation = check(playbook)
    assert not compilation.diagnostics.items, compilation.diagnostics.sorted()
    compilation.write_artifact(host / "job.pyz")
    done = subprocess.run(
        [sys.executable, str(host / "job.pyz"), "--report", "-"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(host / "home")},
        cwd=host,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, read_report(done.stdout)["workload_results"]


def workload(name: str, process: str, more: str = "") -> str:
    return (
        f"  - name: {name}\n    lifecycle: {{policy: run_once}}\n    register: {name}\n"
        f"    process: {process}\n{more}"
    )


def test_what_it_allows(host: Path) -> None:
    code, results = run(
        host,
        workload("read", f"{{module: filesystem:read, params: {{path: {host}/conf/main}}}}"),
        workload("listed", f"{{module: filesystem:list, params: {{path: {host}/conf}}}}"),
        workload(
            "write",
            f'{{module: filesystem:write, params: {{path: {host}/conf/sites/a, content: "x"}}}}',
        ),
        workload(
            "made", f"{{module: exec, params: {{command: pwd, working_dir: {host}/conf/sites}}}}"
        ),
        workload("home", '{module: filesystem:write, params: {path: mine, content: "x"}}'),
    )
    assert code == 0
    assert results["read"]["summary"]["content"] == "main"
    assert results["listed"]["summary"]["count"] == 2
    assert results["made"]["summary"]["stdout"] == f"{host}/conf/sites\n"
    assert (host / "conf/sites/a").read_text() == "x"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("conf/main", "must not be changed: this workload may only read"),
        ("other/file", "leads out of the workspace and the allowed paths"),
    ],
)
def test_what_it_refuses_is_fatal(host: Path, path: str, message: str) -> None:
    process = f'{{module: filesystem:write, params: {{path: {host}/{path}, content: "x"}}}}'
    more = "    ignore_errors: true\n    retry: {attempts: 3}\n"
    code, results = run(host, workload("write", process, more))
    assert code == 1
    assert (results["write"]["status"], results["write"]["attempts"]) == ("Failed", 1)
    assert message in results["write"]["error"]
    assert (host / path).read_text() == path.partition("/")[0].replace("conf", "main")


def test_a_workload_has_its_own(host: Path) -> None:
    process = f"{{module: filesystem:read, params: {{path: {host}/conf/main}}}}"
    none = "    security_context: {allow_paths: []}\n"
    code, results = run(host, workload("read", process, none))
    assert code == 1
    assert "leads out of the workspace" in results["read"]["error"]
    other = f"    security_context: {{allow_paths: [{{path: {host}/other/file, access: ro}}]}}\n"
    process = f"{{module: filesystem:read, params: {{path: {host}/other/file}}}}"
    code, results = run(host, workload("read", process, other))
    assert code == 0
    manifest = json.loads(check(host / "p.gxo.yaml").stage_text("manifest"))
    [listed] = manifest["workloads"]
    assert listed["allow_paths"] == {f"{host}/other/file": "ro"}
