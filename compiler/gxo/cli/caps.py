"""`gxo caps`: what a job touches, a line each; with `--against`, a gate for what is new in it."""

import argparse
import json
import sys
from pathlib import Path

from gxo.cli.artifacts import is_right, load, say
from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import show_findings, summary
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.effects import capabilities
from gxo.compiler.frontend import yaml
from gxo.compiler.frontend.load import FileError, read_file
from gxo.compiler.trust.artifact import PLAYBOOKS, Artifact
from gxo.compiler.trust.caps import as_data, line
from gxo.compiler.trust.findings import report_forbidden, report_new
from gxo.compiler.trust.policy import Policy, read_policy

PLAYBOOK_KEYS = ("workloads", "tasks", "schemaVersion", "include")
"""Of two YAML files, one with such a key is a playbook, and no policy."""


def main(arguments: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.output == "github" and given.against is None:
        parser.error("--output github is for --against")
    module_path = tuple(given.module_path)
    artifact, code = load(given.job, module_path)
    if artifact is None:
        return code
    if not _is_whole(artifact):
        return INVALID
    if given.against is None:
        _print(artifact, given.output)
        return OK
    before = _against(given.against, module_path)
    if before is None:
        return USAGE
    code = _judged(artifact, before, given.output)
    if artifact.doubts:
        hint = "take the gxo and the Python that made it, or compile it again"
        say(f"{artifact.file}: what it touches cannot be told for certain", hint)
    return INVALID if artifact.doubts else code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo caps",
        description="Print what a job touches: commands, hosts, files, secrets... "
        "An artifact is only read, and nothing of it runs.",
        epilog="Exit codes: 1 when --against finds something, 2 when a file cannot be read.",
    )
    parser.add_argument("job", type=Path, metavar="JOB", help="an artifact or a playbook")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="fail when the job touches what this artifact or playbook does not, or what this "
        "policy (YAML) does not allow",
    )
    parser.add_argument(
        "--output",
        choices=("text", "json", "github"),
        default="text",
        help="for people (default), as JSON, or as annotations of GitHub",
    )
    add_module_path_option(parser)
    return parser


def _is_whole(artifact: Artifact) -> bool:
    if is_right(artifact):
        return True
    say(f"{artifact.file} is not what it says", "do not run it; compile it again")
    return False


def _print(artifact: Artifact, form: str) -> None:
    if form == "json":
        effects = as_data(artifact.manifest.touched, lambda name: artifact.place(name)[1])
        print(json.dumps(effects, indent=2))
        return
    for one in capabilities(artifact.manifest.touched):
        print(line(one))


def _against(path: Path, module_path: tuple[str, ...]) -> Artifact | Policy | None:
    """What is compared with; None after saying what is wrong with it."""
    if path.suffix in PLAYBOOKS:
        try:
            data = read_file(path)
        except FileError as error:
            say(str(error), None)
            return None
        diagnostics = Diagnostics()
        tree = yaml.load(data, str(path), diagnostics)
        is_playbook = isinstance(tree, yaml.Mapping) and any(map(tree.key, PLAYBOOK_KEYS))
        if not is_playbook:
            policy = read_policy(tree, str(path), diagnostics) if tree else None
            show_findings(diagnostics, {str(path): data.decode(errors="replace")}, "text")
            return policy
    artifact, _ = load(path, module_path)
    return artifact if artifact is not None and _is_whole(artifact) else None


def _judged(artifact: Artifact, before: Artifact | Policy, form: str) -> int:
    diagnostics = Diagnostics()
    if isinstance(before, Policy):
        report_forbidden(artifact, before, diagnostics)
        good, bad = "the policy allows all of it", "that the policy does not allow"
    else:
        report_new(artifact, before, diagnostics)
        good, bad = "nothing is new", "that were not there before"
    playbooks = [one.playbook for one in (artifact, artifact.included) if one]
    show_findings(diagnostics, {one.file: one.text for one in playbooks}, form)
    count = len(diagnostics.sorted())
    if form == "text":
        what = f"{summary(count, 0)}: effects {bad}" if count else good
        if count or not artifact.doubts:
            print(f"{artifact.file}: {what}", file=sys.stderr if count else sys.stdout)
    return INVALID if count else OK
