"""How workloads can have ended at a place of a template: what is known because it was asked.

    {{ if .build }} here {{ end }}                                build is Completed
    {{ if ne ._gxo.workloads.build.status "Skipped" }} here       build is not Skipped
    when: "{{ .deploy }}", as build has it too                    build is not Skipped

A result is there exactly when its workload is Completed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from gxo.compiler.frozen import replace
from gxo.compiler.template import ast
from gxo.compiler.template.infer import infer, kinds
from gxo.compiler.template.parse import single_action

Ends = frozenset[str]
COMPLETED: Ends = frozenset(("Completed",))
FAILED: Ends = frozenset(("Failed",))
SKIPPED: Ends = frozenset(("Skipped",))
PENDING: Ends = frozenset(("Pending",))
ANY_END = COMPLETED | FAILED | SKIPPED | PENDING | frozenset(("Cancelled",))
_ENDS = tuple(sorted(ANY_END))
JOB = ""
"""The name under which the job's own status is kept (`_gxo.status`, in `finally`)."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """never: for each of `_ENDS`, the workloads that did not end so; held: what is true.

    Sets of workloads and of conditions are numbers, by `Bits`: what a long chain of workloads
    implies is then as good as free to keep and to put together.
    """

    never: tuple[int, ...] = (0,) * len(_ENDS)
    held: int = 0


NOTHING = Knowledge()


class Bits(dict[str | ast.Expr, int]):
    """A bit for each workload and each condition that is asked for."""

    def __missing__(self, key: str | ast.Expr) -> int:
        bit = self[key] = 1 << len(self)
        return bit

    def of(self, keys: Iterable[str | ast.Expr]) -> int:
        """The set of these."""
        return reduce(or_, (self[key] for key in keys), 0)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is known of the workloads before a reader asks for anything.

    bits: those of all `Knowledge` here. registers: register to its workload. possible: how a
    workload can have ended when the reader looks, given what it knows. runs_if: the conditions
    under which a workload is not skipped, for those that nothing else skips. implied: what is known
    once a workload is Completed.
    """

    bits: Bits
    registers: Mapping[str, str]
    possible: Callable[[str, Knowledge], Ends]
    runs_if: Mapping[str, int]
    implied: Mapping[str, Knowledge]

    def ends(self, workload: str, known: Knowledge) -> Ends:
        """How the workload can have ended, given what is known; in no way where nothing gets."""
        bit = self.bits[workload]
        ends = self.possible(workload, known)
        ends -= {end for end, never in zip(_ENDS, known.never, strict=True) if never & bit}
        conditions = self.runs_if.get(workload)
        if conditions is not None and conditions & known.held == conditions:
            return ends - SKIPPED
        return ends

    def narrowed(self, known: Knowledge, workload: str, ends: Ends) -> Knowledge | None:
        """With the workload's end among these; None when it cannot be."""
        left = self.ends(workload, known) & ends
        if not left:
            return None
        bit = self.bits[workload]
        never = tuple(0 if end in left else bit for end in _ENDS)
        known = _both(known, Knowledge(never))
        return _both(known, self.implied.get(workload, NOTHING)) if left == COMPLETED else known

    def result_of(self, expression: ast.Expr) -> str | None:
        """The workload whose result the expression is, or begins with."""
        base = expression.base if isinstance(expression, ast.Field) else expression
        if not isinstance(base, ast.Root):
            return None
        if base.kind == "register":
            return self.registers.get(base.name)
        if base.kind == "step":
            return result_key(base.name)
        return base.name if base.kind == "workload" and base.attribute == "summary" else None


def result_key(step: str) -> str:
    """The name under which the end of a pipeline's step is kept; no workload's begins so."""
    return f".{step}"


def _both(one: Knowledge, other: Knowledge) -> Knowledge:
    return Knowledge(tuple(map(or_, one.never, other.never)), one.held | other.held)


def _either(one: Knowledge | None, other: Knowledge | None) -> Knowledge | None:
    """What holds in both cases; a case that cannot be says nothing."""
    if one is None or other is None:
        return one or other
    return Knowledge(tuple(map(and_, one.never, other.never)), one.held & other.held)


def condition_of(template: ast.Template | ast.Expr) -> ast.Expr | None:
    """The condition that a template is, as one expression; None when no expression says it all."""
    if not isinstance(template, ast.Template):
        return template
    match template.nodes:
        case [ast.If([ast.Branch(asked, [ast.Text(then)])], otherwise)]:
            return asked if _is_true(then) and _is_false(otherwise) else None
        case [ast.With(asked, [ast.Text(then)], otherwise)]:
            return asked if _is_true(then) and _is_false(otherwise) else None
    return single_action(template)


def _is_true(text: str) -> bool:
    return text.strip() == "true"


def _is_false(nodes: tuple[ast.Node, ...]) -> bool:
    """Whether a block gives no text, or `false`."""
    match nodes:
        case [ast.Text(value)]:
            return value.strip() in ("", "false")
    return not nodes


def conditions(condition: ast.Expr) -> frozenset[ast.Expr]:
    """The parts that are all true exactly when the condition is."""
    if isinstance(condition, ast.And) and all(map(_is_bool, condition.operands)):
        return frozenset().union(*map(conditions, condition.operands))
    return frozenset((condition,))


def _is_bool(expression: ast.Expr) -> bool:
    return kinds(infer(expression).type) == {"bool"}


def assume(
    expression: ast.Expr, truth: bool, known: Knowledge | None, outcomes: Outcomes
) -> Knowledge | None:
    """What is known once the expression turned out true, or false; None when it cannot."""
    if known is None:
        return None
    if truth and _is_bool(expression):
        known = replace(known, held=known.held | outcomes.bits.of(conditions(expression)))
    match expression:
        case ast.Literal(value):
            return known if bool(value) == truth else None
        case ast.Not(operand):
            return assume(operand, not truth, known, outcomes)
        case ast.And(operands):
            return _chain(operands, truth, True, known, outcomes)
        case ast.Or(operands):
            return _chain(operands, truth, False, known, outcomes)
        case ast.Binary("==" | "!=" as sign, left, right):
            equal = (sign == "==") == truth
            return _compared(
                left, right, equal, _compared(right, left, equal, known, outcomes), outcomes
            )
        case ast.Call(function, args):
            return _called(function, args, truth, known, outcomes)
        case ast.Root() | ast.Field():
            return _found(expression, truth, known, outcomes)
    return known


def _chain(
    operands: tuple[ast.Expr, ...],
    truth: bool,
    until: bool,
    known: Knowledge | None,
    outcomes: Outcomes,
) -> Knowledge | None:
    """`and` (until=True) is true when all operands are; `or`, mirrored, false when all are."""
    outcome: Knowledge | None = None
    for operand in operands:
        if truth != until:
            outcome = _either(outcome, assume(operand, not until, known, outcomes))
        known = assume(operand, until, known, outcomes)
    return known if truth == until else outcome


def _compared(
    one: ast.Expr, other: ast.Expr, equal: bool, known: Knowledge | None, outcomes: Outcomes
) -> Knowledge | None:
    """`one` turned out equal, or unequal, to `other`."""
    if known is None:
        return None
    match one, other:
        case ast.Root() | ast.Field(), ast.Nil():
            return known if equal else _found(one, True, known, outcomes)
        case ast.Root(kind="workload" | "system"), ast.Literal(str(status)):
            return _status(one, frozenset((status,)), equal, known, outcomes)
        case ast.Root() | ast.Field(), ast.Literal() if equal:
            return _found(one, True, known, outcomes)
        case ast.Call("default", (ast.Literal(fallback), given)), ast.Literal(value):
            if (value == fallback) != equal:  # so it is not the fallback
                return _found(given, True, known, outcomes)
    return known


def _status(
    root: ast.Root, ends: Ends, among: bool, known: Knowledge, outcomes: Outcomes
) -> Knowledge | None:
    """A workload's status, or the job's, is among these ends, or is not."""
    if root.kind == "workload" and root.attribute == "status":
        workload = root.name
    elif root.kind == "system" and root.name == "status":
        workload = JOB
    else:
        return known
    if among:
        return outcomes.narrowed(known, workload, ends)
    return outcomes.narrowed(known, workload, outcomes.ends(workload, known) - ends)


def _found(
    expression: ast.Expr, truth: bool, known: Knowledge, outcomes: Outcomes
) -> Knowledge | None:
    """A reference turned out to be something, or to be empty."""
    if isinstance(expression, ast.Root) and expression.attribute == "error":
        return _error(expression, truth, known, outcomes)
    workload = outcomes.result_of(expression)
    if workload is None or not truth:
        return known
    return outcomes.narrowed(known, workload, COMPLETED)


def _error(root: ast.Root, truth: bool, known: Knowledge, outcomes: Outcomes) -> Knowledge | None:
    ends = outcomes.ends(root.name, known)
    return outcomes.narrowed(known, root.name, ends - COMPLETED if truth else ends - FAILED)


def _called(
    function: str,
    args: tuple[ast.Expr, ...],
    truth: bool,
    known: Knowledge,
    outcomes: Outcomes,
) -> Knowledge | None:
    """What the outcome of a function that asks for something says about its arguments."""
    match function, args:
        case "default", (ast.Literal(value), given) if not value:
            return assume(given, truth, known, outcomes)
        case "default", (_, given) if not truth:
            return assume(given, False, known, outcomes)
        case "empty", (given,):
            return assume(given, not truth, known, outcomes)
        case "hasKey", (given, _) if truth:
            return _found(given, True, known, outcomes)
        case "eq", (ast.Root() as root, *options):
            return _one_of(root, options, truth, known, outcomes)
        case "has", (ast.Root() as root, ast.Call("list" | "tuple", options)):
            return _one_of(root, list(options), truth, known, outcomes)
    return known


def _one_of(
    root: ast.Root,
    options: list[ast.Expr],
    truth: bool,
    known: Knowledge,
    outcomes: Outcomes,
) -> Knowledge | None:
    texts = [str(option.value) for option in options if isinstance(option, ast.Literal)]
    if len(texts) < len(options):
        return known
    return _status(root, frozenset(texts), truth, known, outcomes)
