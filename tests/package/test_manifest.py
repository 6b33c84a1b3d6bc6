"""The manifest says what is in an artifact, truthfully and always in the same order."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.effects import Effect
from gxo.compiler.package.collect import manifest_text
from gxo.compiler.package.manifest import slug
from gxo.compiler.package.parts import AcceptedFact, Facts, WorkloadFact
from gxo.compiler.trust.manifest import read_manifest
from tests.package.support import EMPTY_JOB, build, package
from tests.package.wheel_files import offer, wheel

FACTS = Facts(
    name="nightly",
    gxo_version="0.1.0",
    workloads=(
        WorkloadFact(
            "b",
            {"policy": "scheduled", "cron": "@daily"},
            "exec",
            allow_paths={"/etc/hosts": "ro"},
            changes=True,
            reads=("a",),
        ),
        WorkloadFact("a", {"policy": "run_once"}, "exec", handle="connection_id"),
    ),
    modules={"exec": "gxo.stdlib.exec"},
    secrets=("TOKEN", "API_KEY"),
    environment=("HOME",),
    effects=(Effect("commands", "df", workload="b", module="exec"),),
    warnings=("GXO0213 no name",),
    accepted=(
        AcceptedFact("GXO0802", "b", "params.command", "a list of words"),
        AcceptedFact("GXO0808", "", "vars.x", "never in production"),
    ),
)
ACCEPTED = [
    {
        "code": "GXO0802",
        "workload": "b",
        "parameter": "params.command",
        "reason": "a list of words",
    },
    {
        "code": "GXO0808",
        "workload": None,
        "parameter": "vars.x",
        "reason": "never in production",
    },
]
SOURCE = f"from gxo.stdlib.exec import exec_\n{EMPTY_JOB}"


@pytest.fixture
def artifact(tmp_path: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build(tmp_path, SOURCE, facts=FACTS)) as opened:
        yield opened


def load(artifact: zipfile.ZipFile) -> dict[str, Any]:
    manifest = json.loads(artifact.read("_gxo/manifest.json"))
    assert isinstance(manifest, dict)
    return manifest


def test_what_it_says(artifact: zipfile.ZipFile) -> None:
    manifest = load(artifact)
    assert manifest.pop("files")
    assert manifest.pop("workloads")
    assert manifest == {
        "format": 2,
        "gxo": "0.1.0",
        "playbook": {
            "name": "nightly",
            "file": "probe.gxo.yaml",
            "sha256": hashlib.sha256(b"name: probe\n").hexdigest(),
        },
        "modules": [
            {
                "name": "exec",
                "source": "gxo.stdlib.exec",
                "sha256": hashlib.sha256(artifact.read("gxo/stdlib/exec.py")).hexdigest(),
            }
        ],
        "distributions": [],
        "native": None,
        "secrets": ["API_KEY", "TOKEN"],
        "environment": ["HOME"],
        "effects": [{"kind": "commands", "what": "df", "by": {"exec": ["b"]}}],
        "assets": [
            {
                "path": "conf/a.txt",
                "sha256": hashlib.sha256(b"text").hexdigest(),
                "executable": False,
            },
            {
                "path": "run.sh",
                "sha256": hashlib.sha256(b"#!/bin/sh\n").hexdigest(),
                "executable": True,
            },
        ],
        "warnings": ["GXO0213 no name"],
        "accepted": ACCEPTED,
        "signature": None,
    }


def test_what_it_says_of_workloads(artifact: zipfile.ZipFile) -> None:
    assert load(artifact)["workloads"] == [
        {
            "name": "b",
            "lifecycle": {"policy": "scheduled", "cron": "@daily"},
            "module": "exec",
            "background": False,
            "allow_paths": {"/etc/hosts": "ro"},
            "changes": True,
            "idempotent": False,
            "reads": ["a"],
        },
        {
            "name": "a",
            "lifecycle": {"policy": "run_once"},
            "module": "exec",
            "background": False,
            "allow_paths": {},
            "changes": False,
            "idempotent": False,
            "handle": "connection_id",
            "reads": [],
        },
    ]


def test_every_file_but_itself_and_the_start_has_its_hash(artifact: zipfile.ZipFile) -> None:
    hashes = {
        name: hashlib.sha256(artifact.read(name)).hexdigest()
        for name in artifact.namelist()
        if name not in ("__main__.py", "_gxo/manifest.json")
    }
    assert load(artifact)["files"] == hashes


def test_distributions_are_named_with_version_and_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, data = wheel("alpha", {"alpha.py": ""})
    offer(monkeypatch, tmp_path / "cache", (file, data))
    with zipfile.ZipFile(build(tmp_path, needs=("alpha",))) as artifact:
        manifest = load(artifact)
    digest = hashlib.sha256(data).hexdigest()
    assert manifest["distributions"] == [
        {"name": "alpha", "version": "1.0", "sha256": digest, "native": False, "license": None}
    ]


def test_text_is_that_of_the_artifact(artifact: zipfile.ZipFile) -> None:
    text = artifact.read("_gxo/manifest.json").decode()
    assert manifest_text(package(SOURCE, facts=FACTS)) == text
    assert list(json.loads(text)) == sorted(json.loads(text))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nightly", "nightly"),
        ("a b/../c.d", "a-b-c-d"),
        ("", "job"),
        ("é", "-"),
        ("x" * 90, "x" * 60),
    ],
)
def test_names_of_files_are_tame(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_each_effect_stands_once(tmp_path: Path) -> None:
    """On a line of its own, with all that have it; one of the job itself names nobody."""
    effects = [
        Effect("environment", "PROXY", workload=name, module="http:request") for name in ("b", "a")
    ]
    effects += [
        Effect("secrets", "A"),
        Effect("secrets", "B"),
        Effect("secrets", "B", workload="a"),
    ]
    path = build(tmp_path, EMPTY_JOB, facts=replace(FACTS, effects=tuple(effects)))
    with zipfile.ZipFile(path) as archive:
        text = archive.read("_gxo/manifest.json").decode()
    lines = text.partition('\n  "effects": [\n')[2].partition("\n  ],\n")[0]
    assert lines.splitlines() == [
        '    {"by": {"http:request": ["a", "b"]}, "kind": "environment", "what": "PROXY"},',
        '    {"kind": "secrets", "what": "A"},',
        '    {"by": {"": ["", "a"]}, "kind": "secrets", "what": "B"}',
    ]
    assert sorted(read_manifest(text.encode()).touched) == sorted(effects)
