"""Take out the findings that a comment in the playbook accepts.

    before:  command: "sh {{ .script }}"  # gxo: allow GXO0802 checked by the team
    after:   no finding; the manifest lists code, place and reason

A comment at the end of a key's line, or alone above it, accepts one code in the key's whole value.
Only findings about injection and secret flow can be accepted: everything else is a mistake that has
another way out.
"""

from collections.abc import Mapping

from gxo.compiler.codes import Code, table
from gxo.compiler.diagnostics import Accepted, Diagnostic, Diagnostics, Span, did_you_mean
from gxo.compiler.frontend.allows import Allow
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.walk import every_workload

BAD_ALLOW, UNUSED_ALLOW = "GXO0810", "GXO0811"
FORM = "write: # gxo: allow GXO0802 why it is right here"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    if not plan.allows:
        return plan
    valid = [allow for allow in plan.allows if _is_valid(allow, table(), diagnostics)]
    places = {one.name: one.decl.span for one in every_workload(plan)}
    about = _by_line(valid)
    left: list[Diagnostic] = []
    used: set[Allow] = set()
    for item in diagnostics.items:
        near = about.get((item.code, item.span.line), ())
        accepting = [allow for allow in near if _accepts(allow, item, places)]
        used.update(accepting)
        if accepting:
            diagnostics.accepted.append(Accepted(item, accepting[0].reason))
        else:
            left.append(item)
    diagnostics.items = left
    if not diagnostics.has_errors:
        _report_unused([one for one in valid if one not in used], diagnostics)
    return plan


def _is_valid(allow: Allow, codes: Mapping[str, Code], diagnostics: Diagnostics) -> bool:
    """Whether the comment says what can be accepted, and why; what is wrong is reported."""
    code = codes.get(allow.code)
    if not allow.code:
        message, hint = "this comment does not say what it allows", FORM
    elif code is None:
        message = f"there is no finding with the code {allow.code}"
        near = [name for name, one in codes.items() if one.acceptable]
        hint = did_you_mean(allow.code, near) or FORM
    elif not code.acceptable:
        message = f"{allow.code} cannot be accepted: {code.title}"
        hint = "only findings about injection and the way of secrets can"
    elif not allow.reason:
        message, hint = f"this comment does not say why {allow.code} is allowed", FORM
    else:
        return True
    diagnostics.error(BAD_ALLOW, allow.span, message, hint)
    return False


def _by_line(allows: list[Allow]) -> Mapping[tuple[str, int], list[Allow]]:
    """Code and line to the comments that may be about what is found there."""
    found: dict[tuple[str, int], list[Allow]] = {}
    for allow in allows:
        spans = [cover.span for cover in allow.covers]
        lines = (line for span in spans for line in range(span.line, span.end_line + 1))
        for line in dict.fromkeys(lines):
            found.setdefault((allow.code, line), []).append(allow)
    return found


def _accepts(allow: Allow, item: Diagnostic, places: Mapping[str, Span]) -> bool:
    if item.place is None:
        return False
    workload = places.get(item.place.workload)
    is_own = workload is not None and workload.line <= allow.line <= workload.end_line
    return any(
        _holds(cover.span, item.span) and (is_own or not cover.elsewhere) for cover in allow.covers
    )


def _holds(cover: Span, span: Span) -> bool:
    start, end = (cover.line, cover.column), (cover.end_line, cover.end_column)
    return cover.file == span.file and start <= (span.line, span.column) < end


def _report_unused(allows: list[Allow], diagnostics: Diagnostics) -> None:
    for allow in allows:
        message = f"there is no {allow.code} here to allow"
        hint = "take the comment away, or put it at the end of its key's line or alone above it"
        diagnostics.warning(UNUSED_ALLOW, allow.span, message, hint)
