"""The bill of materials is one by CycloneDX's own schema, and the same for the same artifact."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from gxo.cli.main import main
from gxo.compiler.effects import Effect
from gxo.compiler.package.parts import Facts, WorkloadFact
from tests.package.support import EMPTY_JOB, build
from tests.package.wheel_files import NATIVE_TAG, offer, wheel

SCHEMAS = Path(__file__).with_name("cyclonedx")
FACTS = Facts(
    "nightly \u00e9",
    "0.1.0",
    (WorkloadFact("a", {"policy": "run_once"}, "exec"),),
    modules={"exec": "gxo.stdlib.exec", "shop:robots": "modules.shop"},
    effects=(Effect("commands", "df", workload="a", module="exec"),),
)


def validator() -> Draft7Validator:
    def schema(name: str) -> Any:
        return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))

    # The schema names the other two by the names that they have where it is developed.
    resources = [
        (
            f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json",
            DRAFT7.create_resource(schema(name)),
        )
        for name in ("spdx", "jsf-0.82")
    ]
    return Draft7Validator(schema("bom-1.6"), registry=Registry().with_resources(resources))


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    offer(
        monkeypatch,
        tmp_path / "cache",
        wheel("alpha", {"alpha.py": ""}, metadata="License-Expression: MIT OR Apache-2.0\n"),
        wheel("beta", {"beta.py": ""}, metadata="License: BSD-3-Clause\n"),
        wheel("gamma", {"gamma.py": ""}, metadata="Classifier: License :: OSI Approved :: Free\n"),
        wheel("delta", {"delta.py": ""}, tag=NATIVE_TAG),
    )
    return build(
        tmp_path,
        f"from gxo.stdlib.exec import exec_\n{EMPTY_JOB}",
        facts=FACTS,
        sources={
            "gxo_job.py": f"from gxo.stdlib.exec import exec_\n{EMPTY_JOB}",
            "modules/__init__.py": "",
            "modules/shop.py": "",
        },
        source_map='{"workloads": {}}',
        needs=("alpha", "beta", "gamma", "delta"),
    )


def sbom(artifact: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    assert main(["inspect", str(artifact), "--sbom"]) == 0
    text = capsys.readouterr().out
    return text, json.loads(text)


def test_it_is_valid(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, bom = sbom(artifact, capsys)
    assert [error.message for error in validator().iter_errors(bom)] == []
    bom["components"][0]["type"] = "thing"
    assert [*validator().iter_errors(bom)], "the schema says what a type is"


def test_it_is_the_same_again(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, bom = sbom(artifact, capsys)
    elsewhere = artifact.with_name("other.pyz")
    elsewhere.write_bytes(artifact.read_bytes())
    again, _ = sbom(elsewhere, capsys)
    assert first == again
    assert "timestamp" not in bom["metadata"]


def test_what_is_in_it(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, bom = sbom(artifact, capsys)
    parts = {one["bom-ref"]: one for one in bom["components"]}
    assert list(parts) == [
        "gxo@0.1.0",
        "pkg:pypi/alpha@1.0",
        "pkg:pypi/beta@1.0",
        "pkg:pypi/delta@1.0",
        "pkg:pypi/gamma@1.0",
        "code:modules/__init__.py",
        "code:modules/shop.py",
        "asset:conf/a.txt",
        "asset:run.sh",
    ]
    assert [one["name"] for one in parts["gxo@0.1.0"]["components"]] == ["exec"]
    assert {ref: one.get("licenses") for ref, one in parts.items() if "pypi" in ref} == {
        "pkg:pypi/alpha@1.0": [{"expression": "MIT OR Apache-2.0"}],
        "pkg:pypi/beta@1.0": [{"expression": "BSD-3-Clause"}],
        "pkg:pypi/gamma@1.0": [{"license": {"name": "Free"}}],
        "pkg:pypi/delta@1.0": None,
    }
    native = [one["properties"] for one in parts.values() if one["name"] == "delta"]
    assert native == [[{"name": "gxo:native", "value": "true"}]]
    assert all(one.get("hashes") or one["name"] == "gxo" for one in parts.values())
    assert bom["metadata"]["component"]["name"] == "nightly \u00e9"
    assert bom["dependencies"][0] == {"ref": "job", "dependsOn": sorted(parts)}
