"""What the tests of packaging share: small jobs, and how to build and start them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gxo.compiler.package.archive import build_artifact
from gxo.compiler.package.parts import Asset, Facts, Package, WorkloadFact

EMPTY_JOB = 'from gxo.runtime import Job\n\njob = Job("probe")\n'

ROOT = Path(__file__).resolve().parents[2]


def package(source: str = EMPTY_JOB, **parts: Any) -> Package:
    """A package whose job is this source; `parts` are more fields of Package."""
    given = {
        "sources": {"gxo_job.py": source},
        "source_map": '{"entries": []}',
        "playbook": "name: probe\n",
        "playbook_file": "probe.gxo.yaml",
        "facts": Facts(
            "probe", "0.1.0", workloads=(WorkloadFact("a", {"policy": "run_once"}, "exec"),)
        ),
        "assets": {"conf/a.txt": Asset(b"text"), "run.sh": Asset(b"#!/bin/sh\n", True)},
    }
    return Package(**{**given, **parts})


def build(folder: Path, source: str = EMPTY_JOB, **parts: Any) -> Path:
    """The artifact of such a package."""
    return build_artifact(folder / "job.pyz", package(source, **parts)).path


def probe(expression: str) -> str:
    """The source of a job that prints the expression's value as JSON when it is loaded."""
    return f"import json, os, sys\nprint(json.dumps({expression}))\n{EMPTY_JOB}"


def start(
    artifact: Path,
    *arguments: str,
    python: str | Path = sys.executable,
    cwd: Path | None = None,
    user: int | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run the artifact with this environment and nothing of ours."""
    return subprocess.run(
        [str(python), str(artifact), *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=cwd or artifact.parent,
        user=user,
        group=user,
        extra_groups=() if user is not None else None,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def answer(artifact: Path, **how: Any) -> Any:
    """What the `probe` in the artifact prints."""
    done = start(artifact, **how)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def in_child(code: str, environment: Mapping[str, str] = os.environ, **how: Any) -> str:
    """Run Python code that imports gxo in a process of its own; returns what it prints."""
    roots = os.pathsep.join(str(ROOT / part) for part in ("", "compiler", "runtime", "stdlib"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": roots},
        capture_output=True,
        text=True,
        check=False,
        **how,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The only line that a refused start may print; its exit code is 2."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")
