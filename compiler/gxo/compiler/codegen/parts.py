"""Which workloads stand in which file of the generated program.

    up to 500 functions       gxo_job.py
    more                      gxo_job.py              imports the parts, in the playbook's order
                              gxo_parts/job.py        the job: inputs, vars, secrets
                              gxo_parts/fetch_1.py    fetch_1, and the workloads that follow it
                              gxo_parts/notify_9.py   ...

A part begins at a workload whose name says so by its digest, and is called after it. So where it
begins depends on no number: a workload more or less changes the part that it is in, and no other.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.python_source import Names, identifier

ONE_FILE = 500
"""Functions that one file may have: a change compiles no more of them to byte code again."""
LEAST, MOST, ONE_IN = 100, 500, 64
"""Functions of a part: so many at least, then one name in so many ends it, and so many at most."""
LONGEST = 60  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a program is in an archive: the file that is loaded, and the folder of the parts."""

    job: str
    folder: str


JOB = Layout("gxo_job.py", "gxo_parts")
INCLUDED = Layout("gxo_included/__init__.py", "gxo_included")
"""Of the playbook that a test includes: it travels with the test's own program."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the program with workloads in it, and what it is called in the archive."""

    path: str
    workloads: tuple[Workload, ...]
    cleanup: tuple[Workload, ...]

    @property
    def module(self) -> str:
        """Its name when it is imported."""
        return self.path.removesuffix(".py").replace("/", ".")


def split(plan: Plan, layout: Layout) -> list[Part]:
    """The parts in the playbook's order; one alone when all fits into one file."""
    cleanup = frozenset(one.name for one in plan.cleanup)
    workloads = (*plan.workloads, *plan.cleanup)
    if sum(map(_functions, workloads)) <= ONE_FILE:
        return [Part(layout.job, plan.workloads, plan.cleanup)]
    names = Names(taken=["__init__", "job"])
    return [
        Part(
            f"{layout.folder}/{names.fresh(identifier(group[0].name).lower()[:LONGEST])}.py",
            tuple(one for one in group if one.name not in cleanup),
            tuple(one for one in group if one.name in cleanup),
        )
        for group in _groups(workloads)
    ]


def _groups(workloads: tuple[Workload, ...]) -> Iterator[list[Workload]]:
    group: list[Workload] = []
    functions = 0
    for workload in workloads:
        more = _functions(workload)
        if functions + more > MOST or (functions >= LEAST and _begins(workload)):
            if group:
                yield group
            group, functions = [], 0
        group.append(workload)
        functions += more
    yield group


def _functions(workload: Workload) -> int:
    """How many stand together: its own, those of its steps and of its block."""
    return 1 + len(workload.steps) + len(workload.on_failure)


def _begins(workload: Workload) -> bool:
    return hashlib.sha256(workload.name.encode()).digest()[0] % ONE_IN == 0
