"""Whether a real run is one that the language allows; and both sides in words when it is not."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.reference.interpreter import outcomes
from tests.reference.outcome import Outcome, Result
from tests.reference.playbook import Playbook, needed, observed, read
from tests.reference.real import compiled, run

FIELDS = tuple(Result.__dataclass_fields__)


class Disagreement(AssertionError):
    """The real run is none that the page allows."""


def check(document: dict[str, Any], name_of_case: str = "") -> int:
    """Interpret, compile at -O0 and -O1, run, compare. Returns the number of allowed outcomes.

    Raises Disagreement with the playbook and both sides' outcomes, and TooManyWorlds.
    """
    playbook = read(document)
    allowed = outcomes(playbook)
    levels: dict[str, str] = {}
    for level, text in enumerate(compiled(document)):  # where both are the same, it is run once
        levels[text] = f"{levels.get(text, '')} -O{level}"
    for text, named in levels.items():
        real, order = run(text)
        problems = list(differences(real, allowed)) + list(wrong_order(playbook, order))
        if problems:
            raise Disagreement(
                f"{name_of_case}\n{yaml.safe_dump(document, sort_keys=False)}\n"
                f"with{named}: {shown(real)}\n"
                f"the nearest of {len(allowed)} that are allowed: {shown(nearest(real, allowed))}\n"
                + "\n".join(problems)
            )
    return len(allowed)


def differences(real: Outcome, allowed: set[Outcome]) -> Iterator[str]:
    """Nothing when the outcome is allowed; else how it differs from the nearest that is."""
    yield from differ(real, nearest(real, allowed))


def nearest(real: Outcome, allowed: set[Outcome]) -> Outcome:
    """The allowed outcome that a real one differs from least."""
    return min(allowed, key=lambda one: len(list(differ(real, one))))


def shown(outcome: Outcome) -> str:
    """An outcome in full."""
    lines = [f"{outcome.status}, exit code {outcome.exit_code}, error: {outcome.error}"]
    return "\n  ".join(lines + [f"{name}: {result}" for name, result in outcome.results])


def differ(real: Outcome, allowed: Outcome) -> Iterator[str]:
    """How a real outcome differs from an allowed one."""
    if (real.status, real.exit_code) != (allowed.status, allowed.exit_code):
        yield f"job: {real.status} {real.exit_code}, not {allowed.status} {allowed.exit_code}"
    if not _names(real.error, allowed.error):
        yield f"job: error {real.error!r}, which should name {allowed.error!r}"
    ours, theirs = dict(real.results), dict(allowed.results)
    if ours.keys() != theirs.keys():
        yield f"job: reports {sorted(ours)}, not {sorted(theirs)}"
        return
    for name, expected in theirs.items():
        for field in FIELDS:
            found, wanted = getattr(ours[name], field), getattr(expected, field)
            if field == "error":
                same = (found is None) == (wanted is None) and _says(found, wanted)
            elif field == "reason":
                same = wanted is None or _gives_reason(found, wanted)
            else:
                same = found == wanted
            if not same:
                yield f"{name}: {field} is {found!r}, not {wanted!r}"


def _names(error: str | None, workload: str | None) -> bool:
    if workload is None or error is None:
        return error is None and workload is None
    return f"'{workload}'" in error or f"`{workload}`" in error


def _says(error: str | None, wanted: str | None) -> bool:
    """The probes' errors and the page's are texts; other errors are only asked for. Of a loop
    they begin with the failing item's index; what the item is called is left to the runtime.
    """
    item, told = _of_item(error)
    wanted_item, words = _of_item(wanted)
    has_words = words.startswith(("upstream", "attempt"))
    return item == wanted_item and (not has_words or told.startswith(words))


def _of_item(error: str | None) -> tuple[str | None, str]:
    """The item that an error is about, if any, and what it says."""
    found = re.match(r"item (\d+)(?: \(.*?\))?: ", error or "")
    return (found[1], (error or "")[found.end() :]) if found else (None, error or "")


def _gives_reason(reason: str | None, wanted: str) -> bool:
    words = {"not retried": "not retried", "when failed": "when"}
    return reason is not None and words.get(wanted, "") in reason


def wrong_order(playbook: Playbook, order: list[tuple[str, str]]) -> Iterator[str]:
    """Nobody is called before all calls of those that it depends on are over."""
    for one in playbook.workloads:
        began = [place for place, (name, what) in enumerate(order) if name == one.name]
        for other in needed(one, playbook) | observed(one):
            theirs = [place for place, (name, what) in enumerate(order) if name == other]
            if began and theirs and min(began) < max(theirs):
                yield f"{one.name} was called before {other} had ended"
