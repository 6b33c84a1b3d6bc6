"""`gxo inspect`: an artifact's manifest, held against its files; nothing of it runs."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from gxo.cli.artifacts import is_right, load
from gxo.cli.exits import INVALID, OK
from gxo.cli.module_path import add_module_path_option
from gxo.compiler.trust.artifact import Artifact


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    artifact, code = load(given.job, tuple(given.module_path), linked=True)
    if artifact is None:
        return code
    print(_rendered(artifact, "sbom" if given.sbom else given.output), end="")
    return OK if is_right(artifact) else INVALID


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo inspect",
        description="Show what an artifact is made of and what it touches, without running it.",
        epilog="Exit codes: 1 when it is not what its manifest says or what its playbook gives, 2 "
        "when it cannot be read. Who made it wrote both: an artifact does not vouch for itself.",
    )
    parser.add_argument("job", type=Path, metavar="JOB", help="an artifact or a playbook")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--output", choices=("text", "json"), default="text", help="for people (default) or as JSON"
    )
    form.add_argument(
        "--sbom", action="store_true", help="print a bill of materials, CycloneDX 1.6 in JSON"
    )
    add_module_path_option(parser)
    return parser


def _rendered(artifact: Artifact, form: str) -> str:
    # start-up: each form needs its own
    if form == "sbom":
        from gxo.compiler.trust.sbom import render_sbom

        return render_sbom(artifact) + "\n"
    if form == "json":
        data = {
            "file": artifact.file,
            "sha256": artifact.sha256 or None,
            "size": artifact.size or None,
            "manifest": asdict(artifact.manifest),
            "mismatches": artifact.mismatches,
            "doubts": [{"doubt": one.text, "wrong": one.is_wrong} for one in artifact.doubts],
        }
        return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    from gxo.compiler.trust.overview import render_overview

    return render_overview(artifact)
