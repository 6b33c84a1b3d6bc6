"""What of each playbook the tests have reached, over all of them.

    what tests have told               by playbook
    fetch, notify:false         ->     deploy.gxo.yaml  50.0%
                                           12: workload 'notify' never ran
                                           13: `when` of 'notify' was never true

Of a test that includes a playbook, that one is looked at; one that includes none is looked at
itself. A playbook that lies among the tests, and that none includes, has nothing reached.
"""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gxo.testrun.results import INCLUDED, Account

_KINDS = {
    "workload": "workload '{}' never ran",
    "step": "step '{}' never had a record",
    "on_failure": "'{}' of `on_failure` never ran",
    "finally": "'{}' of `finally` never ran",
}


@dataclass(frozen=True, slots=True)
class Point:
    """kind: `workload`, `step`, `on_failure`, `finally` or `when`. line, end: the first, the last
    one.
    """

    name: str
    kind: str
    line: int
    end: int
    reached: bool

    def missed(self) -> str:
        """What has not happened."""
        if self.kind == "when":
            name, _, branch = self.name.partition(":")
            return f"`when` of '{name}' was never {branch}"
        return _KINDS[self.kind].format(self.name)


@dataclass(frozen=True, slots=True)
class Covered:
    """One playbook. path: as people know it. One that does not compile has no points."""

    path: str
    points: tuple[Point, ...]
    compiles: bool = True

    @property
    def reached(self) -> int:
        return sum(point.reached for point in self.points)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.reached / len(self.points) if self.points else 1.0


def cover(accounts: Iterable[Account], listed: Iterable[Account]) -> list[Covered]:
    """All playbooks, by path. listed: accounts of those that were only compiled, not run."""
    points: dict[str, Sequence[Mapping[str, Any]]] = {}
    reached: dict[str, set[str]] = {}
    for account in accounts:
        of = INCLUDED if INCLUDED in account.programs else ""
        if of in account.programs:
            path = _shown(account.programs[of].path)
            points[path] = account.points[account.programs[of].path]
            reached.setdefault(path, set()).update(account.reached.get(of, ()))
    broken = set()
    for account in listed:
        path = _shown(account.path)
        points.setdefault(path, account.points.get(account.path, ()))
        if not account.compiled:
            broken.add(path)
    return [
        _covered(path, points[path], reached.get(path, set()), path in broken)
        for path in sorted(points)
    ]


def _covered(
    path: str, points: Sequence[Mapping[str, Any]], reached: Container[str], broken: bool
) -> Covered:
    found = tuple(Point(**one, reached=one["name"] in reached) for one in points)
    return Covered(path, found, not broken)


def _shown(path: str) -> str:
    """The path as seen from here, if it lies below; the same whichever way led to it."""
    real, here = os.path.realpath(path), os.path.realpath(".")
    return os.path.relpath(real, here) if real.startswith(here + os.sep) else real


def total(covered: Sequence[Covered]) -> str:
    """The share of all points that was reached, as `61.5%`."""
    count = sum(len(one.points) for one in covered)
    return percent(sum(one.reached for one in covered) / count if count else 1.0)


def percent(share: float) -> str:
    """Never `100.0%` for less than all."""
    return f"{min(share * 100, 99.9) if share < 1 else 100:.1f}%"


def as_text(covered: Sequence[Covered]) -> str:
    """The table, with the lines of what was missed."""
    lines = [f"coverage: {total(covered)} of workloads and their branches"]
    for one in covered:
        if not one.compiles:
            lines.append(f"       ?  {one.path} does not compile")
            continue
        lines.append(f"  {percent(one.share):>6}  {one.path}")
        if not one.reached:
            continue  # each line would say the same
        lines += [
            f"{point.line:>14}: {point.missed()}" for point in one.points if not point.reached
        ]
    return "".join(f"{line}\n" for line in lines)


def as_data(covered: Sequence[Covered]) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {
            "path": one.path,
            "compiles": one.compiles,
            "reached": one.reached,
            "points": [
                {
                    "name": point.name,
                    "kind": point.kind,
                    "line": point.line,
                    "reached": point.reached,
                }
                for point in one.points
            ],
        }
        for one in covered
    ]
