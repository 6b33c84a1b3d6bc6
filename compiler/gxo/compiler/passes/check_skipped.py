"""Warn where a step of a pipeline can meet the result of another one that its `when` skipped.

    say:   when: "{{ .n }} > 1"                      can be skipped
    both:  needs: [say, parts]
           {{ .say.stdout }}                         warning: may be missing
           {{ .say.stdout | default "" }}            fine: asked for
    after: needs: [say]
           {{ .say.stdout }}                         fine: it is skipped together with `say`

A step that needs one other runs only after that has run. One that needs several waits for all of
them and runs in any case (language, section 7). The rest is the template's flow of control.
"""

from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.ir.nodes import Computed, Constant, Plan, Workload
from gxo.compiler.ir.steps import kind
from gxo.compiler.ir.walk import computed, every_workload
from gxo.compiler.template import ast
from gxo.compiler.template.knowledge import (
    COMPLETED,
    NOTHING,
    SKIPPED,
    Bits,
    Ends,
    Knowledge,
    Outcomes,
    assume,
    condition_of,
    result_key,
)
from gxo.compiler.template.unguarded import unguarded

MAY_BE_MISSING = "GXO0323"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for pipeline in every_workload(plan):
        steps = {step.name: step for step in pipeline.steps}
        skips = _Skips(steps)
        for step in pipeline.steps:
            missing = skips.place(step)
            if missing:
                _check(step, missing, skips, diagnostics)
    return plan


def _check(
    step: Workload, missing: frozenset[str], skips: "_Skips", diagnostics: Diagnostics
) -> None:
    keys = {result_key(name): name for name in missing}

    def possible(key: str, _: Knowledge) -> Ends:
        return COMPLETED | SKIPPED if key in keys else COMPLETED

    outcomes = Outcomes(Bits(), {}, possible, {}, {})
    known: Knowledge | None = NOTHING
    reported: set[str] = set()
    for template in _templates(step):
        if known is None:
            return  # its `when` is never true
        for use in unguarded(template.template, known, outcomes):
            if use.workload not in reported:
                reported.add(use.workload)
                skips.report(keys[use.workload], use.expression, diagnostics)
        if template is step.when:
            known = _when(template, outcomes)


def _templates(step: Workload) -> Iterator[Computed]:
    yield from computed(step.when)
    for argument in step.arguments:
        yield from computed(argument.value)


def _when(when: Computed, outcomes: Outcomes) -> Knowledge | None:
    """What is known behind the step's `when`."""
    condition = condition_of(when.template)
    return NOTHING if condition is None else assume(condition, True, NOTHING, outcomes)


class _Skips:
    """Which steps of a pipeline can be skipped, and whose results can be missing behind each."""

    def __init__(self, steps: dict[str, Workload]) -> None:
        self._steps = steps
        self._can_skip: dict[str, bool] = {}
        self._ran: dict[str, frozenset[str]] = {}
        self._behind: dict[str, frozenset[str]] = {}

    def place(self, step: Workload) -> frozenset[str]:
        """The results that can be missing when the step runs; those that it needs are placed."""
        needs = [edge.source for edge in step.state_edges]
        nothing: frozenset[str] = frozenset()
        behind = nothing.union(*(self._behind.get(need, nothing) for need in needs))
        with_need = len(needs) == 1 and self._can_skip.get(needs[0], False)
        ran = (
            behind if len(needs) > 1 else nothing.union(*(self._ran.get(n, nothing) for n in needs))
        )
        if kind(step) == "join":  # what it sends is another event
            ran = behind = nothing
            self._can_skip[step.name] = False
        else:
            own_when = step.when is not None and not _is_true(step.when)
            self._can_skip[step.name] = own_when or with_need
            if self._can_skip[step.name]:
                behind |= {step.name}
        self._ran[step.name], self._behind[step.name] = ran, behind
        return ran

    def report(self, name: str, expression: ast.Root | ast.Field, diagnostics: Diagnostics) -> None:
        assert expression.span is not None
        message = f"`.{name}` may be missing: step '{name}' can be skipped"
        hint = "ask first, with `if`, or give a value with `default`"
        notes = list(self._notes(name))
        diagnostics.warning(MAY_BE_MISSING, expression.span, message, hint, notes)

    def _notes(self, name: str) -> Iterator[Note]:
        """What skips it: its own `when`, or that of the step that it needs alone."""
        entered: set[str] = set()
        while name not in entered:
            entered.add(name)
            step = self._steps[name]
            if isinstance(step.when, Computed):
                yield Note(step.when.span, f"'{name}' is skipped when this is false")
            if len(step.state_edges) == 1:
                name = step.state_edges[0].source


def _is_true(when: Constant | Computed) -> bool:
    return isinstance(when, Constant) and bool(when.value)
