"""What needs nothing but Python: an artifact of commands and files holds no distribution."""

import json
from pathlib import Path
from zipfile import ZipFile

import yaml

from gxo.compiler.driver import Compilation
from tests.stdlib.harness import library

CALLS = {
    "exec": {"command": "true"},
    "filesystem:archive": {"source": "a", "destination": "a.tar.gz"},
    "filesystem:copy": {"source": "a", "destination": "b"},
    "filesystem:extract": {"source": "a.tar.gz", "destination": "c"},
    "filesystem:list": {"path": "."},
    "filesystem:manage": {"path": "d", "state": "directory"},
    "filesystem:read": {"path": "a"},
    "filesystem:stat": {"path": "a"},
    "filesystem:write": {"path": "a", "content": "x"},
}


def test_commands_and_files_need_python_alone(tmp_path: Path) -> None:
    modules = [spec.name for spec in library().all()]
    assert set(CALLS) == {name for name in modules if name.startswith(("exec", "filesystem:"))}
    workloads = [
        {
            "name": name.replace(":", "-"),
            "lifecycle": {"policy": "run_once"},
            "process": {"module": name, "params": params},
        }
        for name, params in CALLS.items()
    ]
    document = {"name": "alone", "schemaVersion": "v1.0.0", "workloads": workloads}
    compilation = Compilation("alone.gxo.yaml")
    valid = compilation.read(yaml.safe_dump(document).encode()) and compilation.analyse()
    assert valid, compilation.diagnostics.sorted()
    artifact = tmp_path / "job.pyz"
    compilation.write_artifact(artifact)
    with ZipFile(artifact) as opened:
        assert json.loads(opened.read("_gxo/manifest.json"))["distributions"] == []
        tops = {name.split("/")[0] for name in opened.namelist()}
    assert tops <= {"__main__.py", "__main__.pyc", "_gxo", "gxo", "gxo_job.py", "gxo_job.pyc"}
