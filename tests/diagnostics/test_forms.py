"""The forms for programs, of every finding that the examples of the table give."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gxo.cli.main import main
from gxo.compiler.codes import Code, complete, table
from gxo.compiler.diagnostics import Diagnostic, Diagnostics, Span
from gxo.compiler.sarif import render_sarif
from gxo.compiler.version import VERSION
from tests.diagnostics.examples import write_example, write_playbooks

ROOT = Path(__file__).parents[2]
JSON = json.loads((ROOT / "docs/diagnostics.schema.json").read_text())
SHOWN = [code for code in table().values() if code.fails.kind.startswith("yaml")]

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"minLength": 1}}}
PLACE = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "format": "uri-reference"}},
        },
        "region": {
            "additionalProperties": False,
            "required": ["startLine"],
            "properties": {
                name: {"type": "integer", "minimum": 1}
                for name in ("startLine", "startColumn", "endLine", "endColumn")
            },
        },
    },
}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {
            "type": "array",
            "minItems": 1,
            "items": {"required": ["physicalLocation"], "properties": {"physicalLocation": PLACE}},
        },
        "relatedLocations": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "required": ["physicalLocation", "message"],
                "properties": {"physicalLocation": PLACE, "message": TEXT},
            },
        },
    },
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "defaultConfiguration": {
            "properties": {"level": {"enum": ["none", "note", "warning", "error"]}}
        },
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "additionalProperties": False,
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""What SARIF 2.1.0 (sections 3.13 to 3.54) asks of the parts that gxo writes."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_playbooks(tmp_path)
    return tmp_path


def printed(code: Code, form: str, capsys: pytest.CaptureFixture[str]) -> Any:
    path = write_example(code.fails, "a b", Path())
    status = main(["validate", "--output", form, str(path)])
    assert status == (1 if code.level == "error" else 0)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_json(code: Code, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [finding] = found = printed(code, "json", capsys)
    jsonschema.validate(found, JSON)
    assert (finding["code"], finding["level"]) == (code.code, code.level)


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_sarif(code: Code, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = printed(code, "sarif", capsys)
    jsonschema.validate(log, SARIF)
    [run] = log["runs"]
    [rule] = run["tool"]["driver"]["rules"]
    [result] = run["results"]
    assert rule["id"] == result["ruleId"] == code.code
    assert rule["defaultConfiguration"]["level"] == result["level"] == code.level
    [location] = result["locations"]
    file = location["physicalLocation"]["artifactLocation"]["uri"]
    assert file == ("a%20b.test.gxo.yaml" if code.fails.kind == "yaml test" else "a%20b.gxo.yaml")


def test_sarif_numbers_its_rules_and_tells_notes_and_hints() -> None:
    span = Span("/srv/a.yaml", 1, 2, 1, 5)
    first = Diagnostic("GXO0304", "error", span, "one", "do this")
    second = Diagnostic("GXO0101", "error", span, "two")
    log = json.loads(render_sarif([first, second, first], VERSION))
    [run] = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["GXO0101", "GXO0304"]
    assert [result["ruleIndex"] for result in run["results"]] == [1, 0, 1]
    assert run["results"][0]["message"] == {"text": "one\nhint: do this"}
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "file:///srv/a.yaml"}
    assert place["region"] == {"startLine": 1, "startColumn": 2, "endLine": 1, "endColumn": 5}


def test_sarif_of_notes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [run] = printed(table()["GXO0310"], "sarif", capsys)["runs"]
    [note] = run["results"][0]["relatedLocations"]
    assert note["physicalLocation"]["region"]["startLine"] == 4


def test_nothing_found(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.gxo.yaml").write_text(complete(table()["GXO0304"].passes))
    assert main(["validate", "--output", "sarif", "a.gxo.yaml"]) == 0
    log = json.loads(capsys.readouterr().out)
    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"] == []


def test_what_a_pass_did_is_told_once_at_a_place() -> None:
    """An expression and a part of it can begin together."""
    diagnostics = Diagnostics(explanations=[])
    for end in (9, 5, 9):
        diagnostics.explain("fold_constants", Span("p.gxo.yaml", 7, 3, 7, end), "not folded")
    assert [one.text for one in diagnostics.explained_by("fold_constants")] == ["not folded"]
