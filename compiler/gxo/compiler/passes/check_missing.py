"""Warn where a workload can meet the result of another one that did not complete.

    build:   when: "{{ .changed }}"                       can be skipped
    deploy:  {{ .build.stdout }}                          warning: may be missing
             {{ .build.stdout | default "" }}             fine: asked for
             when: status of build == "Completed"         fine: then it is there
             when: "{{ .changed }}"                       fine: then build was not skipped either

What a reader knows when it starts: how each workload can have ended (language, section 6), its own
`when`, and the `when` of each workload that it knows to be Completed. The rest is the template's
flow of control (`template/unguarded.py`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.frozen import replace
from gxo.compiler.ir.groups import stream_groups, waits
from gxo.compiler.ir.nodes import Computed, Constant, Plan, Workload
from gxo.compiler.ir.order import Before, reading_order
from gxo.compiler.ir.walk import workload_templates
from gxo.compiler.template import ast, walk
from gxo.compiler.template.knowledge import (
    ANY_END,
    COMPLETED,
    FAILED,
    JOB,
    NOTHING,
    PENDING,
    SKIPPED,
    Bits,
    Ends,
    Knowledge,
    Outcomes,
    assume,
    condition_of,
    conditions,
)
from gxo.compiler.template.resolve import references
from gxo.compiler.template.unguarded import Use, unguarded

MAY_BE_MISSING = "GXO0323"
SETTLED = COMPLETED | SKIPPED


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    by_name = {workload.name: workload for workload in plan.workloads}
    playbook = _Playbook(by_name, waits(plan.workloads))
    if not playbook.learn(plan.cleanup) or _lacks_edges(diagnostics):
        return plan
    for workload in plan.workloads:
        _check(workload, NOTHING, playbook.reader(workload), playbook, diagnostics)
        before = playbook.implied[workload.name]
        block: dict[str, Ends] = {}
        for unit in _units(workload.on_failure):
            outcomes = playbook.compensation(workload, block)
            for child in unit:
                _check(child, before, outcomes, playbook, diagnostics)
            block = block | {child.name: _in_block(child) for child in unit}
    block = {}
    for unit in _units(plan.cleanup):
        outcomes = playbook.cleanup(block)
        for child in unit:
            _check(child, NOTHING, outcomes, playbook, diagnostics)
        block = block | {child.name: _in_block(child) for child in unit}
    return plan


def _units(block: tuple[Workload, ...]) -> Iterator[list[Workload]]:
    """What of a block runs together: each workload, or those that streams connect, in order."""
    group_of = stream_groups(block)
    units: dict[str, list[Workload]] = {}
    for child in block:
        units.setdefault(group_of[child.name], []).append(child)
    yield from units.values()


def _in_block(child: Workload) -> Ends:
    """How an earlier workload of a block has ended: one that fails does not stop the next."""
    return COMPLETED | FAILED | (SKIPPED if isinstance(child.when, Computed) else frozenset())


def _lacks_edges(diagnostics: Diagnostics) -> bool:
    """Whether somebody waits for a workload that is not found, so that who has ended is unknown."""
    return any(item.code in ("GXO0304", "GXO0310") for item in diagnostics.items)


def _check(
    workload: Workload,
    known: Knowledge | None,
    outcomes: Outcomes,
    playbook: "_Playbook",
    diagnostics: Diagnostics,
) -> None:
    """Report the uses of results that may be missing; `known` is so before its `when` is asked."""
    reported: set[str] = set()
    if _is_broken(workload):
        return
    for template in workload_templates(workload):
        if known is None:
            return  # its `when` is never true
        for use in unguarded(template.template, known, outcomes):
            if use.workload not in reported:
                reported.add(use.workload)
                playbook.report(use, diagnostics)
        if template is workload.when:
            known = _when(workload, known, outcomes)


def _is_broken(workload: Workload) -> bool:
    """Whether its `when` has an error, so that nothing is known of what it asks."""
    if workload.when is None:
        return workload.decl.when is not None
    condition = _condition(workload)
    parts = [] if condition is None else walk.expressions(condition)
    return any(isinstance(part, ast.Dot) for part in parts)  # a name that was not found


def _when(workload: Workload, known: Knowledge, outcomes: Outcomes) -> Knowledge | None:
    """What is known behind the workload's `when`."""
    condition = _condition(workload)
    if condition is None:
        return known
    held = outcomes.bits.of(conditions(condition))
    return assume(condition, True, replace(known, held=known.held | held), outcomes)


def _condition(workload: Workload) -> ast.Expr | None:
    """The `when` as one expression; None when there is none, or none that says it all."""
    return condition_of(workload.when.template) if isinstance(workload.when, Computed) else None


@dataclass(slots=True)
class _Playbook:
    """How the workloads outside blocks can end. The mappings are filled by `learn`."""

    workloads: Mapping[str, Workload]
    waits: Before
    ends: dict[str, Ends] = field(default_factory=dict)
    runs_if: dict[str, int] = field(default_factory=dict)
    implied: dict[str, Knowledge] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)
    bits: Bits = field(default_factory=Bits)

    def learn(self, cleanup: Iterable[Workload]) -> bool:
        """Work out each workload after those that it depends on; whether there is such an order."""
        circles: list[list[str]] = []
        self.registers.update({one.register: one.name for one in cleanup if one.register})
        for workload in self.workloads.values():
            for one in (workload, *workload.on_failure):
                if one.register:
                    self.registers[one.register] = one.name
        order = reading_order(
            {one.name: one.sources for one in self.workloads.values()}, circles.append
        )
        for workload in (self.workloads[name] for name in order):
            self.ends[workload.name] = self._own_ends(workload)
            self._learn_condition(workload)
            known = _when(workload, NOTHING, self.reader(workload))
            self.implied[workload.name] = known or NOTHING
        return not circles

    def _learn_condition(self, workload: Workload) -> None:
        """Two workloads with one condition are skipped together, unless it can change."""
        condition = _condition(workload)
        if condition is None or self._skips_otherwise(workload):
            return
        if not references(condition).impure:
            self.runs_if[workload.name] = self.bits.of(conditions(condition))

    def _own_ends(self, workload: Workload) -> Ends:
        if isinstance(workload.when, Constant) and not workload.when.value:
            return SKIPPED
        ends = COMPLETED
        if isinstance(workload.when, Computed) or self._skips_otherwise(workload):
            ends |= SKIPPED
        if workload.ignore_errors:
            ends |= FAILED
        for source in (edge.source for edge in workload.stream_edges):
            ends |= self.ends.get(source, COMPLETED) & FAILED
        for edge in workload.state_edges:
            if not edge.observes and self.ends.get(edge.source, COMPLETED) & (FAILED | PENDING):
                ends |= PENDING
        return ends

    def _skips_otherwise(self, workload: Workload) -> bool:
        return workload.policies.skip_on_no_input and bool(workload.stream_edges)

    # What readers know when they start

    def reader(self, workload: Workload) -> Outcomes:
        """A workload starts when what it depends on has ended; a failure that counts stops all."""
        observed = {edge.source for edge in workload.state_edges if edge.observes}

        def possible(name: str, _: Knowledge) -> Ends:
            ends = self.ends.get(name, COMPLETED)
            return ends if name in observed else ends - PENDING

        return Outcomes(self.bits, self.registers, possible, self.runs_if, self.implied)

    def compensation(self, failed: Workload, block: Mapping[str, Ends]) -> Outcomes:
        """`on_failure` runs when its workload has failed: what that depended on had ended."""

        def possible(name: str, _: Knowledge) -> Ends:
            if name in block:
                return block[name]
            if name == failed.name:
                return FAILED
            settled = self.waits.among([failed.name], [name])
            return SETTLED & self.ends[name] if settled else ANY_END

        return Outcomes(self.bits, self.registers, possible, {}, self.implied)

    def cleanup(self, block: Mapping[str, Ends]) -> Outcomes:
        """`finally` runs in every ending, after any part of the playbook."""

        def possible(name: str, known: Knowledge) -> Ends:
            if name == JOB:
                return ANY_END
            if name in block:
                return block[name]
            completed = outcomes.ends(JOB, known) == COMPLETED
            return self.ends.get(name, ANY_END) if completed else ANY_END

        outcomes = Outcomes(self.bits, self.registers, possible, {}, self.implied)
        return outcomes

    # Findings

    def report(self, use: Use, diagnostics: Diagnostics) -> None:
        name = use.workload
        root = use.expression.base if isinstance(use.expression, ast.Field) else use.expression
        assert isinstance(root, ast.Root) and use.expression.span is not None
        what = f"`.{root.name}`" if root.kind == "register" else f"the summary of '{name}'"
        if COMPLETED & use.ends:
            message = f"{what} may be missing: {self._why(name, use.ends)}"
        else:
            message = f"{what} is missing here: workload '{name}' has not completed"
        hint = (
            f"ask first, with `when: '{{{{ ._gxo.workloads.{name}.status == \"Completed\" }}}}'`"
            " or `if`, or give a value with `default`"
        )
        diagnostics.warning(MAY_BE_MISSING, use.expression.span, message, hint, self._notes(name))

    def _why(self, name: str, ends: Ends) -> str:
        if ends == ANY_END:
            return f"this also runs when workload '{name}' did not complete"
        ignored = "which is ignored" if name in self.workloads else "which does not stop this one"
        reasons = {
            "Skipped": "can be skipped",
            "Failed": f"can fail, {ignored}",
            "Pending": "may not have run",
        }
        return f"workload '{name}' " + " or ".join(
            reason for end, reason in reasons.items() if end in ends
        )

    def _notes(self, name: str) -> Iterable[Note]:
        workload = self.workloads.get(name)
        if workload is None:
            return
        if isinstance(workload.when, Computed):
            yield Note(workload.when.span, f"'{name}' is skipped when this is false")
        if workload.ignore_errors:
            yield Note(workload.span, f"a failure of '{name}' is ignored")
