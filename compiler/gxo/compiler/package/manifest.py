"""Writes `manifest.json`: what an artifact is, for `gxo inspect`, a reviewer and the daemon.

It says what it was compiled from, what is in it (an SBOM with hashes) and what it will touch. It
vouches for nothing by itself; the signature block is for who does.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from gxo.compiler.effects import Effect, capabilities
from gxo.compiler.package.parts import Package, WorkloadFact

if TYPE_CHECKING:
    from gxo.compiler.package.wheels import Distribution

FORMAT = 2


class Native(TypedDict):
    """The only kind of host that an artifact with native code runs on.

    python: as `cpython-312`. libc: name and least version, or None when any will do. folder: the
    name of the folder that the code is unpacked to.
    """

    python: str
    system: str
    machine: str
    libc: tuple[str, int, int] | None
    folder: str


def render_manifest(
    package: Package,
    files: Mapping[str, bytes],
    distributions: "Sequence[Distribution]",
    native: Native | None,
) -> bytes:
    """The manifest as JSON with sorted keys. files: everything else in the archive by its path."""
    facts = package.facts
    hashes = {path: _sha256(content) for path, content in sorted(files.items())}
    manifest = {
        "format": FORMAT,
        "gxo": facts.gxo_version,
        "playbook": {
            "name": facts.name,
            "file": package.playbook_file,
            "sha256": _sha256(package.playbook.encode()),
        },
        "workloads": [_workload(one) for one in facts.workloads],
        "modules": [
            {"name": name, "source": source, "sha256": _source_hash(source, hashes)}
            for name, source in sorted(facts.modules.items())
            if _source_hash(source, hashes)  # else all of it is code of the job
        ],
        "distributions": [
            {
                "name": one.name,
                "version": one.version,
                "sha256": one.sha256,
                "native": one.native,
                "license": one.license,
            }
            for one in distributions
        ],
        "native": native,
        "secrets": sorted(facts.secrets),
        "environment": sorted(facts.environment),
        "effects": [],
        "assets": [
            {"path": path, "sha256": _sha256(asset.data), "executable": asset.executable}
            for path, asset in sorted(package.assets.items())
        ],
        "warnings": list(facts.warnings),
        "accepted": [
            {
                "code": one.code,
                "workload": one.workload or None,
                "parameter": one.parameter,
                "reason": one.reason,
            }
            for one in facts.accepted
        ],
        "files": hashes,
        "signature": None,
    }
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{_with_effects(text, facts.effects)}\n".encode()


_NO_EFFECTS = '\n  "effects": []'


def _with_effects(text: str, effects: Iterable[Effect]) -> str:
    """The manifest with a line for each effect, so that a diff of two tells what is new."""
    lines = ",".join(f"\n    {line}" for line in _effects(effects))
    return text.replace(_NO_EFFECTS, f"{_NO_EFFECTS[:-1]}{lines}\n  ]") if lines else text


def _effects(effects: Iterable[Effect]) -> Iterator[str]:
    """Each effect once as JSON, with the modules and workloads that have it."""
    for capability, found in capabilities(effects).items():
        by: dict[str, list[str]] = {}
        for one in found:
            by.setdefault(one.module, []).append(one.workload)
        said = {name: value for name, value in capability._asdict().items() if value}
        fact = said if by == {"": [""]} else {**said, "by": by}
        yield json.dumps({"what": "", **fact}, sort_keys=True, ensure_ascii=False)


def _workload(fact: WorkloadFact) -> dict[str, object]:
    return {
        "name": fact.name,
        "lifecycle": dict(fact.lifecycle),
        "module": fact.module,
        "background": fact.background,
        "allow_paths": dict(fact.allow_paths),
        "changes": fact.changes,
        "idempotent": fact.idempotent,
        **({"handle": fact.handle} if fact.handle else {}),
        "reads": list(fact.reads),
    }


def _source_hash(source: str, hashes: Mapping[str, str]) -> str | None:
    base = source.replace(".", "/")
    return hashes.get(f"{base}.py") or hashes.get(f"{base}/__init__.py")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def slug(name: str) -> str:
    """The name as part of a file's: letters, digits, `-` and `_`, at most 60."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60] or "job"
