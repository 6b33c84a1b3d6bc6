"""Diagnostics as SARIF 2.1.0, which code hosts and editors read (OASIS, "Static Analysis Results
Interchange Format").

Columns count Unicode characters from 1 and ends are exclusive, as in a `Span`. A rule is one code
of the table; only the codes that were found are listed.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gxo.compiler.codes import table
from gxo.compiler.diagnostics import Accepted, Diagnostic, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(
    diagnostics: Iterable[Diagnostic], version: str, accepted: Iterable[Accepted] = ()
) -> str:
    """One run of gxo `version` as a SARIF log; accepted findings are suppressed results."""
    found, suppressed = list(diagnostics), list(dict.fromkeys(accepted))
    codes = sorted({item.code for item in [*found, *(one.finding for one in suppressed)]})
    driver = {"name": "gxo", "version": version, "rules": [_rule(code) for code in codes]}
    # All results of a run say whether they are suppressed, or none does (3.27.23).
    open_: dict[str, Any] = {"suppressions": []} if suppressed else {}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(item, codes) | open_ for item in found),
            *(_result(one.finding, codes) | _suppressed(one) for one in suppressed),
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    known = table()[code]
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.explanation.replace("\n", " ")},
        "defaultConfiguration": {"level": known.level},
    }


def _result(item: Diagnostic, codes: Sequence[str]) -> dict[str, Any]:
    hint = f"\nhint: {item.hint}" if item.hint else ""
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": codes.index(item.code),
        "level": item.level,
        "message": {"text": item.message + hint},
        "locations": [{"physicalLocation": _place(item.span)}],
    }
    if item.notes:
        result["relatedLocations"] = [
            {"message": {"text": note.message}, "physicalLocation": _place(note.span)}
            for note in item.notes
        ]
    return result


def _suppressed(one: Accepted) -> dict[str, Any]:
    return {"suppressions": [{"kind": "inSource", "justification": one.reason}]}


def _place(span: Span) -> dict[str, Any]:
    path = Path(span.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {
        "artifactLocation": {"uri": uri},
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        },
    }
