"""A comparison for people, and as data.

workloads
  + notify: http:request  sync.gxo.yaml:14

parameters
  ~ fetch.url: "https://a.example" -> "https://b.example"  sync.gxo.yaml:6

generated code
--- old.gxo.yaml/gxo_job.py
+++ sync.gxo.yaml/gxo_job.py
@@ ...
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import groupby

from gxo.compiler.compare.changes import Change, Comparison
from gxo.compiler.compare.facts import SECTIONS
from gxo.compiler.rendering import painted
from gxo.compiler.textdiff import coloured, shown, unified

_SIGNS = {"added": "+", "removed": "-"}
_VARIABLE = "environment "
_COLOURS = {"+": "32", "-": "31", "~": "33"}


def render_text(comparison: Comparison, colour: bool) -> str:
    """The sections that have something, apart by empty lines; "" when nothing differs."""
    parts = []
    for section in SECTIONS:
        of_section = [one for one in comparison.changes if one.section == section]
        if of_section:
            lines = [line for one in _joined(of_section) for line in _lines(one, colour)]
            parts.append([painted(section, "1", colour), *lines])
    if comparison.code:
        code = [coloured(line) if colour else line for line in comparison.code]
        parts.append([painted("generated code", "1", colour), *code])
    elif not comparison.same_program:
        parts.append(["generated code", "  ~ what is not shown"])
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in parts)


def render_json(comparison: Comparison) -> str:
    """One object: `differs`, `changes`, `code` and `doubts`."""
    return json.dumps(
        {
            "differs": comparison.differs,
            "changes": [asdict(one) for one in comparison.changes],
            "code": "".join(f"{line}\n" for line in comparison.code),
            "doubts": [{"job": job, "doubt": doubt} for job, doubt in comparison.doubts],
        },
        indent=2,
    )


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, with all variables that a workload reads in one."""
    for key, group in groupby(changes, lambda one: (one.kind, one.workload, _is_variable(one))):
        if not key[2]:
            yield from group
            continue
        first, *others = group
        words = [first.what, *(one.what.removeprefix(_VARIABLE) for one in others)]
        yield replace(first, what=", ".join(words))


def _is_variable(change: Change) -> bool:
    return change.section == "effects" and change.what.startswith(_VARIABLE)


def _lines(change: Change, colour: bool) -> Iterator[str]:
    sign = _SIGNS.get(change.kind, "~")
    place = f"  {change.file}:{change.line}" if change.line else ""
    if change.kind == "changed" and "\n" in change.old + change.new:
        yield painted(f"  {sign} {shown(_subject(change))}:", _COLOURS[sign], colour) + shown(place)
        for line in unified(change.old, change.new, "", "")[2:]:
            yield "      " + (coloured(line) if colour else line)
        return
    yield painted(f"  {sign} {shown(_said(change))}", _COLOURS[sign], colour) + shown(place)


def _said(change: Change) -> str:
    match change.kind:
        case "renamed":
            return f"{change.old} is now {change.new}"
        case "moved":
            return f"{change.workload} has moved: {change.old} -> {change.new}"
        case "changed" if change.old == change.new:
            return f"{_subject(change)}: changed"
        case "changed":
            return f"{_subject(change)}: {change.old} -> {change.new}"
    value = change.old or change.new
    return f"{_subject(change)}: {value}" if value else _subject(change)


def _subject(change: Change) -> str:
    """What it is about: `fetch`, `fetch.url`, `fetch after check`, `commands curl (fetch)`."""
    match change.section:
        case "workloads" if change.kind != "changed":
            return change.workload
        case "workloads" | "edges":
            return f"{change.workload} {change.what}"
        case "effects":
            return f"{change.what} ({change.workload})" if change.workload else change.what
        case _:
            return f"{change.workload}.{change.what}" if change.workload else change.what
