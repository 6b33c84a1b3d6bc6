"""The playbook's JSON Schema, and its findings as diagnostics at the exact key or value.

    lifecyle: {policy: run_once}      error[GXO0201]: unknown key "lifecyle" in a workload
    ^^^^^^^^                          hint: did you mean "lifecycle"?

`schema.json` is the one description of a playbook's form: `gxo schema` prints it, editors use it,
and here `schema_check.py` finds by it whether something is wrong, and jsonschema what. Its `title`s
are the nouns of the messages below and its `description`s and `examples` their hints, so a new key
needs no word in this file.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean, nearest
from gxo.compiler.frontend.schema_check import Check, checker
from gxo.compiler.frontend.yaml import Entry, Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}
_BOOLS = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
}
_LONGEST_EXTRACT = 40
_LONGEST_LIST = 12


def schema_text() -> str:
    """The JSON Schema of the playbook language, as it is published."""
    path = os.path.join(os.path.dirname(__file__), "schema.json")
    with open(path, encoding="utf-8") as file:
        return file.read()


def check(tree: Mapping, diags: Diagnostics) -> tuple[Mapping, frozenset[Span]]:
    """Report everything in which a tree differs from the schema.

    Returns the tree with misspelt keys as they are meant, so that one slip has no consequences, and
    the spans of the values that are wrong, so that their reader can leave them out. A value that is
    reported already, as an unknown alias is, is not reported again.
    """
    reported = frozenset(item.span for item in diags.items if item.level == "error")
    findings = _findings(tree)
    while meant := _report_misspelt_keys(findings, diags):
        tree = _with_keys(tree, meant, {})
        findings = _findings(tree)
    wrong = set(reported)
    for finding in findings:
        if finding.node.span not in reported:
            _report(finding, diags)
        wrong.add(finding.node.span)
    return tree, frozenset(wrong)


def _findings(tree: Mapping) -> "list[_Finding]":
    value = python_value(tree, {})
    if _fits()(value):
        return []
    errors = _validator().iter_errors(value)
    return [_finding(error, tree) for error in sorted(errors, key=_is_about_key)]


N = TypeVar("N", bound=Node)


def _with_keys(node: N, meant: dict[int, str], done: dict[int, Node]) -> N:
    """The tree with other names for the keys whose ids are in `meant`; shared nodes stay shared."""
    if id(node) not in done:
        new: Node = node
        if isinstance(node, Mapping):
            entries = tuple(
                Entry(_renamed(one.key, meant), _with_keys(one.value, meant, done))
                for one in node.entries
            )
            new = replace(node, entries=entries)
        elif isinstance(node, Sequence):
            items = tuple(_with_keys(item, meant, done) for item in node.items)
            new = replace(node, items=items)
        done[id(node)] = new
    return cast(N, done[id(node)])


def _renamed(key: Scalar, meant: dict[int, str]) -> Scalar:
    name = meant.get(id(key))
    return key if name is None else replace(key, value=name, text=key.text._replace(value=name))


@cache
def _fits() -> Check:
    return checker(json.loads(schema_text()))


@cache
def _validator() -> "Draft202012Validator":
    # Imported here: loading it takes as long as all the rest of the frontend.
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_text())
    return Draft202012Validator(_inlined(schema, schema.pop("$defs")))


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references: jsonschema resolves each of them again for every value."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def python_value(node: Node, seen: dict[int, Any]) -> Any:
    """The tree as Python's own values; a node that aliases share is converted once."""
    if isinstance(node, Scalar):
        return node.value
    if id(node) not in seen:
        if isinstance(node, Mapping):
            seen[id(node)] = {
                entry.key.text.value: python_value(entry.value, seen) for entry in node.entries
            }
        else:
            seen[id(node)] = [python_value(item, seen) for item in node.items]
    return seen[id(node)]


@dataclass(frozen=True, slots=True)
class _Finding:
    """One error of jsonschema: the node it is about, that node's key, and what to call it."""

    error: "ValidationError"
    schema: dict[str, Any]
    node: Node
    key: Scalar | None
    subject: str

    @property
    def noun(self) -> str:
        kind = self.schema.get("type")
        return "a map" if kind == "object" else str(self.schema.get("title") or _TYPES[str(kind)])

    @property
    def place(self) -> Span:
        """The value, or what stands for it: the key of an empty value or of a map with a gap."""
        if isinstance(self.node, Scalar) and self.node.text.value:
            return self.node.span
        if self.key is not None:
            return self.key.span
        if isinstance(self.node, Mapping) and self.node.entries:
            return self.node.entries[0].key.span
        return self.node.span


def _finding(error: "ValidationError", tree: Node) -> _Finding:
    node, key, subject = tree, None, "the playbook"
    for part in error.absolute_path:
        if isinstance(node, Mapping):
            entry = next(entry for entry in node.entries if entry.key.text.value == part)
            node, key, subject = entry.value, entry.key, f'"{shown(str(part))}"'
        elif isinstance(node, Sequence):
            index = int(part)
            node, key, subject = node.items[index], None, f"item {index + 1} of {subject}"
    return _Finding(error, dict(error.schema), node, key, subject)  # type: ignore[arg-type]


def _is_about_key(error: "ValidationError") -> bool:
    path = error.absolute_schema_path
    return len(path) > 1 and path[-2] == "propertyNames"


def _report(finding: _Finding, diags: Diagnostics) -> None:
    if _is_about_key(finding.error):
        _report_key(finding, diags)
    else:
        _REPORTS.get(str(finding.error.validator), _report_value)(finding, diags)


def _report_key(finding: _Finding, diags: Diagnostics) -> None:
    name = str(finding.error.instance)
    assert isinstance(finding.node, Mapping)
    key = finding.node.key(name)
    assert key is not None, "jsonschema names keys that are there"
    if any(item.code == "GXO0201" and item.span == key.span for item in diags.items):
        return  # an unknown key is one mistake
    message = f'"{shown(name)}" is not {finding.noun}'
    diags.error("GXO0204", key.span, message, _value_hint(finding.schema, name))


def _report_misspelt_keys(findings: "list[_Finding]", diags: Diagnostics) -> dict[int, str]:
    """Report the unknown keys that a known one is near; returns what the key with an id means."""
    meant: dict[int, str] = {}
    for finding in findings:
        if finding.error.validator != "additionalProperties":
            continue
        assert isinstance(finding.node, Mapping)
        known = finding.schema["properties"]
        free = {name for name in known if finding.node.key(name) is None}
        for entry in finding.node.entries:
            name = entry.key.text.value
            if name in known or id(entry.key) in meant:
                continue
            near, hint = _meant(name, free, finding.schema)
            if near is not None:
                _report_unknown_key(entry.key, finding, hint, diags)
                meant[id(entry.key)] = near
                free.remove(near)
    return meant


def _report_unknown_keys(finding: _Finding, diags: Diagnostics) -> None:
    assert isinstance(finding.node, Mapping)
    known = finding.schema["properties"]
    for entry in finding.node.entries:
        name = entry.key.text.value
        if name not in known:
            hint = _home(name) or f"keys here: {_listed(known)}"
            _report_unknown_key(entry.key, finding, hint, diags)


def _report_unknown_key(key: Scalar, finding: _Finding, hint: str, diags: Diagnostics) -> None:
    message = f'unknown key "{shown(key.text.value)}" in {finding.schema["title"]}'
    diags.error("GXO0201", key.span, message, hint)


def _meant(name: str, free: set[str], schema: dict[str, Any]) -> tuple[str | None, str]:
    """The key that an unknown one stands for, and the hint: another map's word, or a slip."""
    other = schema.get("x-meant", {}).get(name)
    if other in free:
        return other, f'{schema["title"]} says "{other}"'
    near = nearest(name, free)
    return near, f'did you mean "{near}"?'


def _report_missing_keys(finding: _Finding, diags: Diagnostics) -> None:
    assert isinstance(finding.node, Mapping)
    for name in finding.schema["required"]:
        if finding.node.key(name) is None:
            message = f'{finding.schema.get("title", "a playbook")} needs the key "{name}"'
            diags.error("GXO0202", finding.place, message, _EXAMPLES.get(name))


def _report_type(finding: _Finding, diags: Diagnostics) -> None:
    message = f"{finding.subject} must be {finding.noun}, not {_described(finding.node)}"
    diags.error("GXO0203", finding.place, message, _type_hint(finding))


def _report_empty(finding: _Finding, diags: Diagnostics) -> None:
    message = f"{finding.subject} is empty"
    diags.error("GXO0204", finding.place, message, f"it must be {finding.noun}")


def _report_value(finding: _Finding, diags: Diagnostics) -> None:
    """A value of the right type that is not one of the allowed ones: enum, pattern, minimum..."""
    message = f"{finding.subject} must be {finding.noun}, not {_described(finding.node)}"
    hint = _value_hint(finding.schema, str(finding.error.instance))
    diags.error("GXO0204", finding.place, message, hint)


_REPORTS: dict[str, Callable[[_Finding, Diagnostics], None]] = {
    "additionalProperties": _report_unknown_keys,
    "required": _report_missing_keys,
    "type": _report_type,
    "minItems": _report_empty,
    "minLength": _report_empty,
}
_EXAMPLES = {
    "name": "for example: name: fetch-users",
    "lifecycle": "for example: lifecycle: {policy: run_once}",
    "process": "for example: process: {module: exec, params: {command: uname}}",
    "id": "for example: id: parsed",
    "uses": "for example: uses: data:map",
    "params": "for example: params: {steps: [{id: big, uses: data:filter, with: {...}}]}",
    "steps": "for example: steps: [{id: big, uses: data:filter, with: {...}}]",
    "workloads": "a playbook is a list of workloads, each with a name, a lifecycle and a process",
}


def _value_hint(schema: dict[str, Any], value: str) -> str | None:
    if allowed := [str(choice) for choice in schema.get("enum", ())]:
        return did_you_mean(value, allowed) or f"one of: {_listed(allowed)}"
    if examples := schema.get("examples"):
        return f"for example: {examples[0]}"
    return schema.get("description") if "pattern" in schema else None


def _type_hint(finding: _Finding) -> str | None:
    node, kind = finding.node, finding.schema["type"]
    if not isinstance(node, Scalar):
        return None
    text = node.text.value
    if node.value is None:
        return "give it a value"
    if kind == "boolean" and text.lower() in _BOOLS:
        return f"write {_BOOLS[text.lower()]}"
    if kind == "array":
        return f"write a list: [{shown(text)}]"
    if kind == "string" and "examples" not in finding.schema:
        return f'put it in quotes: "{shown(text)}"'
    return _value_hint(finding.schema, text)


def _home(name: str) -> str | None:
    """Where a key that stands in the wrong map belongs: `module` in a process."""
    home = _homes().get(name)
    return f'"{name}" is a key of {home}' if home else None


@cache
def _homes() -> dict[str, str]:
    """Each key of the language to the title of the first map that has it."""
    homes: dict[str, str] = {}
    for definition in json.loads(schema_text())["$defs"].values():
        for name in definition.get("properties", ()):
            homes.setdefault(name, definition["title"])
    return homes


def _listed(words: Iterable[str]) -> str:
    some = list(words)
    more = ["..."] if len(some) > _LONGEST_LIST else []
    return ", ".join(some[:_LONGEST_LIST] + more)


def _described(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a map"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return f'"{shown(node.text.value)}"'
    return shown(node.text.value)


def shown(text: str) -> str:
    """A text from a playbook as messages quote it: on one line, and not endless."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_EXTRACT else f"{line[: _LONGEST_EXTRACT - 3]}..."
