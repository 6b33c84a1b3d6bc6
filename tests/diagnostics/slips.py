"""Playbooks with one slip of the pen each, made from clean ones.

    needs: [styles]     ->     needs: [stlyes]     Slip("needs", line, "styles")

Every word that the compiler can know is misspelt once: keys, parameters, modules, choices, names of
workloads, registers, functions and declared fields.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence, compose
from gxo.compiler.ir.build import build
from gxo.compiler.ir.nodes import Fields, ForEach, Items, Plan, Value, Workload
from gxo.compiler.ir.walk import every_workload
from gxo.compiler.modules.index import Library, standard_roots, user_roots
from gxo.compiler.passes import PASSES
from gxo.compiler.template import functions
from gxo.compiler.types import Choice, ListOf, OneOf, PerRecord, Shape, Type

FREE_MAPS = ("inputs", "vars", "secrets")
"""Maps whose keys the author chooses; of a test's secret that nothing reads there is a warning."""
CHOICES = ("policy", "type", "overflow_strategy", "access_mode", "on_record_error")
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|`[^`]*`")


@dataclass(frozen=True)
class Slip:
    """A misspelt playbook: what kind of word, where, and what it was."""

    kind: str
    line: int
    word: str
    text: str


def misspelt(word: str) -> str:
    """The word with two neighbouring letters of its middle exchanged."""
    places = [at for at in range(1, len(word) - 1) if word[at] != word[at + 1]]
    letters = [at for at in places if word[at : at + 2].isalpha()]
    at = (letters or places or [0])[len(letters or places) // 2]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def slips(path: Path) -> Iterator[Slip]:
    """Every playbook that differs from a clean one by one misspelt word."""
    text = path.read_text()
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    seen: set[int] = set()
    for kind, word, place in _words(text, path):
        if len(word) < 4 or place in seen:
            continue
        seen.add(place)
        assert text.startswith(word, place), (kind, word, text[place : place + 20])
        line = text.count("\n", 0, place) + 1
        yield Slip(kind, line, word, text[:place] + misspelt(word) + text[place + len(word) :])


def _words(text: str, path: Path) -> Iterator[tuple[str, str, int]]:
    """Kind, word and index of everything that can be misspelt."""
    tree = compose(text, "p", Diagnostics())
    assert isinstance(tree, Mapping)
    plan = _plan(text, path)
    yield from _keys(tree, text)
    modules = {workload.name: workload for workload in every_workload(plan)}
    for entry in _workloads(tree):
        yield from _of_workload(entry, modules, text)
    yield from _in_templates(text, plan)


def _plan(text: str, path: Path) -> Plan:
    diags = Diagnostics()
    playbook = load_playbook(text.encode(), "p", diags)
    assert playbook is not None
    library = Library((*standard_roots(), *user_roots(str(path.parent))), diags)
    plan = build(playbook, library, diags)
    for one in PASSES:
        plan = one.run(plan, diags)
    return plan


def _keys(node: Node, text: str, inside: str = "") -> Iterator[tuple[str, str, int]]:
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _keys(item, text, inside)
    if not isinstance(node, Mapping):
        return
    for entry in node.entries:
        name = entry.key.text.value
        if inside not in FREE_MAPS:
            yield "key", name, _index(text, entry.key)
            if name in CHOICES and isinstance(entry.value, Scalar):
                yield "choice", entry.value.text.value, _index(text, entry.value)
        if name not in ("params", "vars", "default", "enum", "loop"):
            yield from _keys(entry.value, text, "" if inside in FREE_MAPS else name)


def _workloads(node: Node) -> Iterator[Mapping]:
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _workloads(item)
    elif isinstance(node, Mapping):
        if node.get("process") is not None:
            yield node
        for name in ("workloads", "finally", "on_failure"):
            if (inner := node.get(name)) is not None:
                yield from _workloads(inner)


def _of_workload(
    tree: Mapping, known: dict[str, Workload], text: str
) -> Iterator[tuple[str, str, int]]:
    name, process = tree.get("name"), tree.get("process")
    assert isinstance(name, Scalar) and isinstance(process, Mapping)
    module = process.get("module")
    assert isinstance(module, Scalar)
    yield "module", module.text.value, _index(text, module)
    for key in ("needs", "stream_inputs"):
        names = tree.get(key)
        for item in names.items if isinstance(names, Sequence) else ():
            assert isinstance(item, Scalar)
            yield key, item.text.value.partition(".")[0], _index(text, item)
    spec = known[name.text.value].module
    params = process.get("params")
    assert spec is not None
    for entry in params.entries if isinstance(params, Mapping) else ():
        param = spec.param(entry.key.text.value)
        if param is not None:
            yield "parameter", param.name, _index(text, entry.key)
            yield from _values(entry.value, param.type, text)


def _values(node: Node, type_: Type, text: str) -> Iterator[tuple[str, str, int]]:
    match type_, node:
        case OneOf(options), _:
            for option in options:
                yield from _values(node, option, text)
        case PerRecord(item), _:
            yield from _values(node, item, text)
        case ListOf(item), Sequence(items):
            for one in items:
                yield from _values(one, item, text)
        case Choice(values), Scalar() if node.value in values and isinstance(node.value, str):
            yield "choice of a parameter", node.value, _index(text, node)
        case Shape(), Mapping(entries):
            for entry in entries:
                field = type_.field(entry.key.text.value)
                if field is not None:
                    yield "key of a parameter", entry.key.text.value, _index(text, entry.key)
                    yield from _values(entry.value, field, text)


def _index(text: str, scalar: Scalar) -> int:
    """Where the scalar's text begins in the file."""
    line, column, *_ = scalar.text.locate(0, 0)
    return sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1


def _in_templates(text: str, plan: Plan) -> Iterator[tuple[str, str, int]]:
    registers = {one.register: one for one in every_workload(plan) if one.register}
    declared = {one.name for one in plan.inputs} | {one.name for one in plan.vars}
    per_record = set(_per_record_lines(plan))
    for action in _ACTION.finditer(text):
        hidden = _QUOTED.sub(lambda found: " " * len(found[0]), action[0])
        for chain in re.finditer(r"(?<![\w.)$])\.(\w+)(?:\.(\w+))?", hidden):
            place = action.start() + chain.start(1)
            if chain[1] in registers:
                yield "register", chain[1], place
                summary = registers[chain[1]]
                spec = summary.module
                fields = spec.summary if spec and not summary.loop else None
                if isinstance(fields, Shape) and chain[2] and fields.field(chain[2]):
                    yield "field", chain[2], action.start() + chain.start(2)
            elif chain[1] in declared and text.count("\n", 0, place) + 1 not in per_record:
                yield "input or var", chain[1], place
        for found in re.finditer(r"\._gxo\.workloads\.([\w-]+)\.(\w+)", hidden):
            yield "workload", found[1], action.start() + found.start(1)
            yield "result", found[2], action.start() + found.start(2)
        for found in re.finditer(r"(?<![\w.$-])[a-z]\w+", hidden):
            if found[0] in functions.names():
                yield "function", found[0], action.start() + found.start()


def _per_record_lines(plan: Plan) -> Iterator[int]:
    """Lines on which an unknown name is a field of the record: nothing is claimed there."""
    for workload in every_workload(plan):
        pending: list[Value] = [argument.value for argument in workload.arguments]
        while pending:
            match pending.pop():
                case ForEach(span=span):
                    yield from range(span.line, span.end_line + 1)
                case Items(values):
                    pending.extend(values)
                case Fields(entries):
                    pending.extend(item for _, item in entries)
