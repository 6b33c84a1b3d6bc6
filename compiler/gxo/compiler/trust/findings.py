"""What is new in a job, or forbidden to it, as diagnostics at the lines of its playbook.

orders.gxo.yaml:12:1: error[GXO0580]: secrets: DB_PASSWORD is new in workload "load"
"""

from collections.abc import Iterable, Mapping

from gxo.compiler.diagnostics import Diagnostics, Note, Span
from gxo.compiler.effects import Capability, Effect, capabilities
from gxo.compiler.trust.artifact import Artifact, Written
from gxo.compiler.trust.caps import shown
from gxo.compiler.trust.policy import Policy

NEW, FORBIDDEN = "GXO0580", "GXO0581"


def report_new(artifact: Artifact, before: Artifact, diagnostics: Diagnostics) -> None:
    """An error for each capability that the artifact of before does not have."""
    known = capabilities(before.manifest.touched)
    hint = f"if it is meant to be, compare with this version from now on instead of {before.file}"
    for one, effects in capabilities(artifact.manifest.touched).items():
        if one not in known:
            _report(NEW, artifact, one, effects, "it is new", hint, diagnostics)


def report_forbidden(artifact: Artifact, policy: Policy, diagnostics: Diagnostics) -> None:
    """An error for each capability that the policy does not allow."""
    for one, effects in capabilities(artifact.manifest.touched).items():
        objection = policy.objection(one)
        if objection is not None:
            why, hint = objection
            root = "" if one.kind in policy.rules else one.kind
            _report(FORBIDDEN, artifact, one, effects, why, hint, diagnostics, root)


def _report(
    code: str,
    artifact: Artifact,
    one: Capability,
    effects: Iterable[Effect],
    why: str,
    hint: str,
    diagnostics: Diagnostics,
    root: str = "",
) -> None:
    first, *others = _places(artifact, effects).items()
    span, who = first
    message = f"{one.kind}: {shown(one)} of {who}: {why}"
    notes = [Note(span, f"and of {who}") for span, who in others]
    diagnostics.error(code, span, message, hint, notes, root)


def _places(artifact: Artifact, effects: Iterable[Effect]) -> Mapping[Span, str]:
    """Where the effects are in the playbook, and whose they are, in its order."""
    places: dict[Span, list[str]] = {}
    for effect in effects:
        places.setdefault(_span(artifact, effect.workload), []).append(_who(effect))
    return {span: ", ".join(dict.fromkeys(places[span])) for span in sorted(places)}


def _span(artifact: Artifact, workload: str) -> Span:
    """The line of the workload; of a step, that of the workload that it is in."""
    written, found = artifact.place(workload)
    line = found or 1
    return Span(written.file, line, 1, line, 1 + _length(written, line))


def _length(written: Written, line: int) -> int:
    lines = written.text.splitlines()
    return len(lines[line - 1]) if line <= len(lines) else 1


def _who(effect: Effect) -> str:
    if not effect.workload:
        return "the job itself"
    return f'"{effect.workload}"' + (f" ({effect.module})" if effect.module else "")
