"""The software bill of materials of an artifact, as CycloneDX 1.6.

    {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:...",
     "metadata": {"component": {"type": "application", "name": "orders-etl", ...}},
     "components": [{"name": "httpx", "purl": "pkg:pypi/httpx@0.28.1", "hashes": [...], ...}]}

It is made of the manifest alone and has no time in it, so the same artifact always has the same.
"""

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from gxo.compiler.trust.artifact import Artifact
from gxo.compiler.trust.manifest import DistributionFact, Manifest

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
LICENSE = "Apache-2.0"
"""That of gxo itself."""
USERS = "modules/"

Part = dict[str, Any]


def render_sbom(artifact: Artifact) -> str:
    """The document as JSON text."""
    manifest = artifact.manifest
    parts = [_gxo(manifest), *map(_distribution, manifest.distributions)]
    parts += [
        *_own_code(manifest),
        *(_file("asset", one.path, one.sha256) for one in manifest.assets),
    ]
    job = _job(artifact)
    bom = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": "gxo", "version": manifest.gxo}]
            },
            "component": job,
        },
        "components": parts,
        "dependencies": [
            {"ref": job["bom-ref"], "dependsOn": sorted(one["bom-ref"] for one in parts)},
            *({"ref": one["bom-ref"]} for one in parts),
        ],
    }
    content = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    return json.dumps(bom, indent=2, sort_keys=True, ensure_ascii=False)


def _job(artifact: Artifact) -> Part:
    playbook = artifact.manifest.playbook
    properties = {"gxo:playbook:file": playbook.file, "gxo:playbook:sha256": playbook.sha256}
    return {
        "type": "application",
        "bom-ref": "job",
        "name": playbook.name,
        **({"hashes": [_hash(artifact.sha256)]} if artifact.sha256 else {}),
        "properties": _properties(properties),
    }


def _gxo(manifest: Manifest) -> Part:
    """gxo's runtime and those of its modules that are called, each with its file's hash."""
    modules = [one for one in manifest.modules if one.source.startswith("gxo.")]
    return {
        "type": "framework",
        "bom-ref": f"gxo@{manifest.gxo}",
        "name": "gxo",
        "version": manifest.gxo,
        "purl": f"pkg:generic/gxo@{quote(manifest.gxo)}",
        "licenses": [{"license": {"id": LICENSE}}],
        "components": [
            {
                "type": "library",
                "bom-ref": f"module:{one.name}",
                "name": one.name,
                "version": manifest.gxo,
                "hashes": [_hash(one.sha256)],
            }
            for one in modules
        ],
    }


def _distribution(one: DistributionFact) -> Part:
    purl = f"pkg:pypi/{quote(one.name)}@{quote(one.version)}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": one.name,
        "version": one.version,
        "purl": purl,
        "hashes": [_hash(one.sha256)],
        **({"licenses": [_license(one.license)]} if one.license else {}),
        "properties": _properties({"gxo:native": str(one.native).lower()}),
    }


def _license(text: str) -> Part:
    """An SPDX expression, where the metadata's text is one; else a name."""
    try:
        return {"expression": canonicalize_license_expression(text)}
    except InvalidLicenseExpression:
        return {"license": {"name": text}}


def _own_code(manifest: Manifest) -> Iterator[Part]:
    """The Python files of the user's own modules."""
    for path, digest in sorted(manifest.files.items()):
        if path.startswith(USERS) and path.endswith(".py"):
            yield _file("code", path, digest)


def _file(kind: str, path: str, digest: str) -> Part:
    return {
        "type": "file",
        "bom-ref": f"{kind}:{path}",
        "name": path,
        "hashes": [_hash(digest)],
    }


def _hash(digest: str) -> Part:
    return {"alg": "SHA-256", "content": digest}


def _properties(values: dict[str, str]) -> list[Part]:
    return [{"name": name, "value": value} for name, value in sorted(values.items())]
