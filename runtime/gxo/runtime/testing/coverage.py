"""Notices which steps of a `stream:pipeline` a test reaches, and how each one's `when` turns out.

    before:  Step("stored", ..., when=lambda record: record["size"] > 0)
    after:   the same, whose `when` also says so, the first time it is true and the first time false

A step without a `when` gets one that is always true: it is asked just when a record comes this way.
Workloads need none of this, as whoever watches a run is told of each (`reporting.watchers`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from gxo.runtime.pipelines.steps import Step, When

Told = Callable[[str, bool], None]
"""Is told a step's name and whether it is to work on a record."""


def observed(steps: Mapping[str, Step], tell: Told) -> dict[str, Step]:
    """The steps, which tell what is decided about them: each thing once."""
    return {name: _observed(step, tell) for name, step in steps.items()}


def _observed(step: Step, tell: Told) -> Step:
    when = _telling(step.when, lambda wanted: tell(step.name, wanted))
    copy = Step(step.name, step.kind, step.function, step.needs, step.origin, when)
    copy.asked = step.asked
    return copy


def _telling(when: When | None, tell: Callable[[bool], None]) -> When:
    told: set[bool] = set()

    def decide(**given: Any) -> bool:
        wanted = when is None or bool(when(**given))
        if wanted not in told:
            told.add(wanted)
            tell(wanted)
        return wanted

    return decide
