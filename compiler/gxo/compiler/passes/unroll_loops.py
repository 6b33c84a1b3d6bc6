"""Write a small loop's calls out, each with its item in it.

    before:  loop: [web1, web2]     command = text(ping -c 1 {{ .item }}.example.com)
    after:   the same, and "call 0: command = 'ping -c 1 web1.example.com'", and one for web2

The loop stays: the kernel starts an instance an item, with its attempts and its index. Only what an
instance calls is known now. That is done where something need not be computed any more: a text that
was put together, a function, a conversion.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import (
    Argument,
    Computed,
    Constant,
    Fields,
    Items,
    Loop,
    Plan,
    Value,
    Workload,
)
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import computed, map_workloads, rebuild, with_arguments
from gxo.compiler.template import ast
from gxo.compiler.template.constants import NoValueError, value_of
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.resolve import references
from gxo.compiler.template.to_python import Want, needs_function
from gxo.compiler.template.walk import expressions
from gxo.compiler.types import ANY

MOST, LONGEST = 8, 2000
"""Items, and characters of all calls, of a loop that is written out: more is not read, but
skipped."""

Given = Mapping[str, Any]
"""What the loop's variables are in one instance, by their names."""


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _unrolled(workload, diagnostics))


def _unrolled(workload: Workload, diagnostics: Diagnostics) -> Workload:
    loop = workload.loop
    if loop is None or workload.is_dead:
        return workload
    calls: tuple[tuple[Argument, ...], ...] = ()
    obstacle = _obstacle(workload, loop)
    if not obstacle:
        calls = tuple(_call(workload, given) for given in _instances(loop))
        obstacle = _why_not(workload, calls)
    if obstacle:
        diagnostics.explain("unroll_loops", workload.span, f"not unrolled: {obstacle}")
        return workload
    words = f"unrolled: {len(calls)} calls, each with its item written in"
    diagnostics.explain("unroll_loops", workload.span, words)
    return replace(workload, calls=calls)


def _obstacle(workload: Workload, loop: Loop) -> str:
    """Why its calls cannot be written out; empty when they can."""
    if computed(loop.items) or not isinstance(loop.items, Items | Fields):
        return "its items are only known when it runs"
    if workload.steps:
        return "it has steps"
    items = [given[loop.variable] for given in _instances(loop)]
    if len(items) < 2:
        return "it has less than two items"
    if len(items) > MOST:
        return f"it has {len(items)} items, more than {MOST}"
    if not _is_own(workload) and any(isinstance(item, list | dict) for item in items):
        return "it calls a module of yours, which could change an item"
    return ""


def _is_own(workload: Workload) -> bool:
    return workload.module is not None and workload.module.is_own


def _why_not(workload: Workload, calls: tuple[tuple[Argument, ...], ...]) -> str:
    """Why the calls are no better than one call for all items; empty when they are."""
    better = False
    for place, argument in enumerate(workload.arguments):
        made = [call[place].value for call in calls]
        if any(_is_function(one) for value in made for one in computed(value)):
            return f"'{argument.name}' would be a function for each item"
        before = _work(argument.value)
        better = better or all(_work(value) < before for value in made)
    if not better:
        return "nothing would be known that is not known now"
    length = sum(len(print_value(one.value)) for call in calls for one in call)
    return f"its calls would take {length} characters" if length > LONGEST else ""


def _is_function(value: Computed) -> bool:
    return needs_function(value.template, Want(value.want, value.type))


def _work(value: Value) -> int:
    """How much is computed: expressions, but for names whose values are merely passed on."""
    return sum(len(list(expressions(one.template))) for one in computed(value) if not _is_name(one))


def _is_name(value: Computed) -> bool:
    """Whether it merely passes on what a name stands for."""
    if not isinstance(value.template, ast.Template) or (value.want, value.type) != ("native", ANY):
        return False
    return isinstance(single_action(value.template), ast.Root | ast.Field)


def _instances(loop: Loop) -> Iterator[Given]:
    """The loop's variables in each instance, in the order in which they start."""
    items = _python(loop.items)
    if isinstance(items, dict):
        items = [{"key": key, "value": items[key]} for key in sorted(items)]
    for index, item in enumerate(items):
        yield {loop.variable: item} | ({loop.index: index} if loop.index else {})


def _python(value: Value) -> Any:
    match value:
        case Constant(constant):
            return constant
        case Items(values):
            return [_python(item) for item in values]
        case Fields(entries):
            return {name: _python(item) for name, item in entries}
    raise AssertionError(value)


def _call(workload: Workload, given: Given) -> tuple[Argument, ...]:
    """The arguments for one instance."""

    def change(value: Computed) -> Value:
        return _known(value, given)

    return with_arguments(workload, lambda one: rebuild(one.value, change)).arguments


def _known(value: Computed, given: Given) -> Value:
    """The value for one instance; itself where nothing of it is known.

    A list or a map stays what it is: a module may keep it, and each call makes its own.
    """
    if not any(_is_loop(part) for part in expressions(value.template)):
        return value
    try:
        constant = value_of(value.template, Want(value.want, value.type), given)
    except NoValueError:
        return _with_known_texts(value, given)
    return value if isinstance(constant, list | dict) else Constant(constant, value.span)


def _is_loop(part: ast.Expr) -> bool:
    return isinstance(part, ast.Root) and part.kind == "loop"


def _with_known_texts(value: Computed, given: Given) -> Value:
    """A text in which what some of its parts print is known."""
    template = value.template
    if value.want != "text" or not isinstance(template, ast.Template):
        return value
    nodes = tuple(_printed(node, template, given) for node in template.nodes)
    known = replace(template, nodes=nodes)
    if known == template:
        return value
    return replace(value, template=known, references=references(known))


def _printed(node: ast.Node, template: ast.Template, given: Given) -> ast.Node:
    """The text of a part that is known; else the part as it was."""
    if not isinstance(node, ast.Action | ast.If):
        return node
    try:
        alone = replace(template, nodes=(node,), defines=())
        return ast.Text(value_of(alone, Want("text"), given), node.span)
    except NoValueError:
        return node
