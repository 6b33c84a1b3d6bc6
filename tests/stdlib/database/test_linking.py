"""Only the driver that a connection needs is linked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation
from gxo.compiler.ir.needs import distributions
from tests.effects import touched
from tests.stdlib.stream.test_pipelines import workload

CASES = yaml.safe_load(Path(__file__).with_name("linked.yaml").read_text(encoding="utf-8"))


def analysed(params: dict[str, Any]) -> Any:
    """The plan of a playbook with one query."""
    inputs = {"x": {"type": "string"}, "m": {"type": "map"}}
    workloads = [workload("it", "database:query", {"query": "SELECT 1 AS a", **params})]
    head = {"name": "p", "schemaVersion": "v1.0.0", "inputs": inputs}
    compilation = Compilation("p.gxo.yaml")
    text = yaml.safe_dump({**head, "workloads": workloads}).encode()
    assert compilation.read(text) and compilation.analyse(), compilation.diagnostics.sorted()
    return compilation.plan


@pytest.mark.parametrize("case", CASES, ids=str)
def test_drivers(case: dict[str, Any]) -> None:
    params = {key: case[key] for key in case if key != "linked"}
    [it] = analysed(params).workloads
    assert sorted(set(distributions(it))) == case["linked"]


def test_the_manifest_names_the_host_and_not_the_password() -> None:
    profile = {"driver": "mysql", "host": "db-1", "user": "u", "password": "s3cret-word"}
    assert touched(analysed({"connection_profile": profile})) == {
        "hosts": ("db-1",),
        "ports": ("db-1:3306",),
    }
