"""What differs between two jobs: first what they mean, then the code that is made of it.

workloads    ~ keep is now store
parameters   ~ fetch url: "https://a.example" -> "https://b.example"
edges        + store after check (needs)
settings     ~ fetch timeout: 30s -> 60s
effects      + secrets API_TOKEN (fetch)
code         a unified diff
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gxo.compiler.compare.doubts import doubts
from gxo.compiler.compare.facts import SECTIONS, Fact, Section, constants, facts
from gxo.compiler.compare.hidden import HIDDEN, without_users
from gxo.compiler.compare.jobs import Compiled, with_header
from gxo.compiler.compare.names import moved, renamed
from gxo.compiler.ir.effects import effects
from gxo.compiler.ir.nodes import Constant
from gxo.compiler.python_source import literal
from gxo.compiler.textdiff import unified

Kind = Literal["added", "removed", "changed", "renamed", "moved"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. workload: by its new name, "" for the job as a whole. old, new: as shown.

    file, line: where it is in the new playbook, or in the old one where it was removed.
    """

    section: Section
    kind: Kind
    workload: str
    what: str
    old: str = ""
    new: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs. doubts: what could not be relied on, by the name of the job's file."""

    changes: tuple[Change, ...]
    code: tuple[str, ...]
    doubts: tuple[tuple[str, str], ...]
    same_program: bool

    @property
    def differs(self) -> bool:
        return bool(self.changes) or not self.same_program


def compare(old: Compiled, new: Compiled) -> Comparison:
    """What is another in the new job than in the old one."""
    names = renamed(old.meaning, new.meaning)
    linked = _linked(old, new)
    before, after = _facts(old, names, linked[0]), _facts(new, {}, linked[1])
    found = [*_renamed(names, after), *_moved(old, new, names)]
    found += _changes(before, after)
    found.sort(key=lambda one: SECTIONS.index(one.section))
    return Comparison(
        tuple(_placed(one, old if one.kind == "removed" else new) for one in found),
        tuple(_code(old, new)),
        tuple((str(one.job.name), doubt) for one in (old, new) for doubt in doubts(one)),
        _programs(old) == _programs(new),
    )


_Key = tuple[Section, str, str]


def _facts(
    compiled: Compiled, names: Mapping[str, str], distributions: Mapping[str, str]
) -> dict[_Key, Fact]:
    said = facts(compiled.meaning, effects(compiled.plan), names)
    found = {(one.section, one.workload, one.what): one for one in said}
    for name, version in distributions.items():
        what = f"distribution {name}"
        found["effects", "", what] = Fact("effects", "", what, version, version, None)
    for name, digest in _assets(compiled).items():
        what = f"assets {name}"
        found["parameters", "", what] = Fact("parameters", "", what, "", digest, None)
    return found


def _linked(old: Compiled, new: Compiled) -> list[dict[str, str]]:
    """What is linked into each of two artifacts; of a playbook that is not known."""
    artifacts = [one.job.artifact for one in (old, new) if one.job.artifact]
    if len(artifacts) < 2:
        return [{}, {}]
    return [{one.name: one.version for one in of.manifest.distributions} for of in artifacts]


def _assets(compiled: Compiled) -> dict[str, str]:
    """The hash of each asset's content."""
    if compiled.job.artifact:
        return {one.path: one.sha256 for one in compiled.job.artifact.manifest.assets}
    return {
        one.name: hashlib.sha256(Path(one.path).read_bytes()).hexdigest()
        for one in compiled.compilation.assets
    }


def _changes(before: Mapping[_Key, Fact], after: Mapping[_Key, Fact]) -> Iterator[Change]:
    """Each fact that is another, without what a new or removed workload is in itself."""
    olds, news = _workloads(before), _workloads(after)
    for key in _in_order(list(before), list(after)):
        old, new = before.get(key), after.get(key)
        fact = new or old
        assert fact
        if old and new and old.meant == new.meant:
            continue
        is_new, is_gone = fact.workload not in olds, fact.workload not in news
        if fact.workload and is_new != is_gone and not _tells(fact, is_new=is_new):
            continue
        kind: Kind = "changed" if old and new else "added" if new else "removed"
        file, line = (fact.span.file, fact.span.line) if fact.span else ("", 0)
        was, is_ = old.shown if old else "", new.shown if new else ""
        yield Change(fact.section, kind, fact.workload, fact.what, was, is_, file, line)


def _in_order(before: Sequence[_Key], after: Sequence[_Key]) -> list[_Key]:
    """All keys in the order of those after; one that is gone follows the one that it followed."""
    place = {key: (number, 0) for number, key in enumerate(after)}
    last = -1
    for number, key in enumerate(before, 1):
        last = place.setdefault(key, (last, number))[0]
    return sorted(place, key=place.__getitem__)


def _workloads(of: Mapping[_Key, Fact]) -> set[str]:
    return {fact.workload for fact in of.values() if fact.section == "workloads"}


def _tells(fact: Fact, *, is_new: bool) -> bool:
    """Whether a fact of a new or removed workload says more than that it is new or removed."""
    if fact.section == "workloads":
        return fact.what == "module"
    return fact.section == "effects" or (fact.section == "edges" and is_new)


def _renamed(names: Mapping[str, str], after: Mapping[_Key, Fact]) -> Iterator[Change]:
    for old, new in names.items():
        span = after["workloads", new, "module"].span
        assert span
        yield Change("workloads", "renamed", new, "", old, new, span.file, span.line)


def _moved(old: Compiled, new: Compiled, names: Mapping[str, str]) -> Iterator[Change]:
    before = [names.get(one.name, one.name) for one in old.meaning.workloads]
    after = [one.name for one in new.meaning.workloads]
    spans = {one.name: one.span for one in new.meaning.workloads}
    for name in moved(before, after):
        places = (_place_in(before, name), _place_in(after, name))
        yield Change("workloads", "moved", name, "", *places, spans[name].file, spans[name].line)


def _place_in(order: Sequence[str], name: str) -> str:
    place = order.index(name)
    return f"after {order[place - 1]}" if place else "first"


def _placed(change: Change, compiled: Compiled) -> Change:
    """The change with the file as people know it: an artifact's playbook lies in no folder."""
    if not compiled.job.artifact or not change.file:
        return change
    return replace(change, file=Path(change.file).name)


def _programs(compiled: Compiled) -> dict[str, str]:
    """The program without what says which gxo made it, and of which file."""
    return {path: with_header(text) for path, text in compiled.program.items()}


def _code(old: Compiled, new: Compiled) -> Iterator[str]:
    """The lines of the unified diff of each file, without what is not for everybody."""
    hidden = {**_hidden(old), **_hidden(new)}
    for path in sorted(old.program.keys() | new.program.keys()):
        after = new.program.get(path, "")
        before = with_header(old.program.get(path, ""), after)
        was, is_ = _without(hidden, before), _without(hidden, after)
        yield from unified(was, is_, f"{old.job.name}/{path}", f"{new.job.name}/{path}")


def _hidden(compiled: Compiled) -> dict[str, str]:
    """Literals of the code, and what is shown in their place."""
    found = {
        literal(leaf.value.value): literal(
            json.loads(leaf.shown) if leaf.shown[0] == '"' else leaf.shown
        )
        for leaf in constants(compiled.meaning)
        if isinstance(leaf.value, Constant) and isinstance(leaf.value.value, str)
    }
    test = compiled.meaning.test
    found |= {literal(value): literal(HIDDEN) for _, value in (test.secrets if test else ())}
    return {code: shown for code, shown in found.items() if code != shown}


def _without(hidden: Mapping[str, str], text: str) -> str:
    for code, shown in hidden.items():
        text = text.replace(code, shown)
    return without_users(text)
