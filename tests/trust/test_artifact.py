"""What is read of an artifact: nothing of it runs, and what does not agree with it is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.effects import Effect
from gxo.compiler.package.archive import render
from gxo.compiler.package.parts import Facts, WorkloadFact
from gxo.compiler.trust.artifact import read_artifact
from gxo.compiler.trust.errors import ArtifactError
from gxo.runtime.bundle import ZipBundle
from tests.package.support import EMPTY_JOB, build

CASES = yaml.safe_load(Path(__file__).with_name("manifests.yaml").read_text(encoding="utf-8"))
EFFECT = Effect("commands", "df", workload="a", module="exec")
MANIFEST = "_gxo/manifest.json"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    workloads = (WorkloadFact("a", {"policy": "run_once"}, "exec"),)
    path = build(
        tmp_path_factory.mktemp("artifact"),
        f"raise SystemExit('it ran')\n{EMPTY_JOB}",
        facts=Facts("probe", "0.1.0", workloads, effects=(EFFECT,)),
        source_map='{"workloads": {"a": 7, "b": "x", "c": -1}}',
    )
    bundle = ZipBundle(str(path), path.read_bytes())
    return {name: bundle.read(name) for name in bundle.names() if name != "__main__.py"}


def written(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "job.pyz"
    path.write_bytes(render(files))
    return path


def test_what_is_read(files: dict[str, bytes], tmp_path: Path) -> None:
    artifact = read_artifact(written(tmp_path, files))
    assert artifact.mismatches == ()
    assert list(artifact.manifest.touched) == [EFFECT]
    assert artifact.manifest.workloads[0].name == "a"
    assert artifact.playbook == ("probe.gxo.yaml", "name: probe\n", {"a": 7})
    assert artifact.included is None
    assert artifact.sources == {"gxo_job.py": f"raise SystemExit('it ran')\n{EMPTY_JOB}"}


def change(files: dict[str, bytes], alter: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    manifest = json.loads(files[MANIFEST])
    alter(manifest)
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def test_what_does_not_agree(files: dict[str, bytes], tmp_path: Path) -> None:
    changed = {**files, "gxo_job.py": b"other\n", "evil.py": b"", "_gxo/assets/run.sh": b"rm"}
    del changed["gxo/__init__.py"]
    assert read_artifact(written(tmp_path, changed)).mismatches == (
        "_gxo/assets/run.sh has another hash than the manifest says",
        "evil.py is in the artifact and not in the manifest",
        "gxo/__init__.py is in the manifest and not in the artifact",
        "gxo_job.py has another hash than the manifest says",
        "the asset run.sh has another hash than the manifest says",
    )


def test_the_playbook_is_held_against_its_own_hash(files: dict[str, bytes], tmp_path: Path) -> None:
    def alter(manifest: dict[str, Any]) -> None:
        manifest["playbook"]["sha256"] = "0" * 64

    found = read_artifact(written(tmp_path, change(files, alter))).mismatches
    assert found == ("the playbook has another hash than the manifest says",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["error"])
def test_a_manifest_of_another_form(
    case: dict[str, Any], files: dict[str, bytes], tmp_path: Path
) -> None:
    def alter(manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for key in case["at"]:
            place = place[key]
        place.update(case.get("set", {}))
        for key in case.get("without", ()):
            del place[key]

    with pytest.raises(ArtifactError) as caught:
        read_artifact(written(tmp_path, change(files, alter)))
    assert caught.value.message == case["error"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, '{"format": NaN}', "1" * 5000, "\xff", '{"a": "\\u12"}'],
)
def test_a_manifest_that_is_no_json(text: str, files: dict[str, bytes], tmp_path: Path) -> None:
    changed = {**files, MANIFEST: text.encode("latin-1")}
    with pytest.raises(ArtifactError, match="its manifest is no valid JSON"):
        read_artifact(written(tmp_path, changed))


def test_a_key_that_is_there_twice(files: dict[str, bytes], tmp_path: Path) -> None:
    changed = {**files, MANIFEST: b'{"format": 2, "format": 2}'}
    with pytest.raises(ArtifactError, match="its manifest has a key twice"):
        read_artifact(written(tmp_path, changed))


@pytest.mark.parametrize("name", [MANIFEST, "_gxo/playbook.yaml", "_gxo/sourcemap.json"])
def test_without_a_file(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    changed = {path: data for path, data in files.items() if path != name}
    with pytest.raises(ArtifactError, match=f"it has no {name}"):
        read_artifact(written(tmp_path, changed))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file or directory"):
        read_artifact(tmp_path / "job.pyz")
    with pytest.raises(ArtifactError, match="is a directory"):
        read_artifact(tmp_path)
