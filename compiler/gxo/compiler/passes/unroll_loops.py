"""Write a small loop's calls out, each with its item in it.

    before:  loop: [web1, web2]     command = text(ping -c 1 {{ .item }}.example.com)
    after:   the same, and "call 0: command = 'ping -c 1 web1.example.com'", and one for web2

The loop stays: the kernel starts an instance an item, with its attempts and its index. Only what an
instance calls is known now. That is done where something need not be computed any more: a text that
was put together, a function, a conversion.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gxo.compiler.diagnostics import Diagnostics
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
from gxo.compiler.ir.walk import computed, map_workloads, rebuild, with_arguments
from gxo.compiler.template import ast
from gxo.compiler.template.constants import NoValueError, value_of
from gxo.compiler.template.items import with_item
from gxo.compiler.template.parse import single_action
from gxo.compiler.template.resolve import references
from gxo.compiler.template.to_python import Want, expression
from gxo.compiler.types import ANY

MOST = 8
"""Items of a loop that is written out: more calls are not read, but skipped."""


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _unrolled(workload, diagnostics))


def _unrolled(workload: Workload, diagnostics: Diagnostics) -> Workload:
    loop = workload.loop
    if loop is None or workload.is_dead:
        return workload
    calls: tuple[tuple[Argument, ...], ...] = ()
    obstacle = _obstacle(workload, loop)
    if not obstacle:
        calls = tuple(_call(workload, values) for values in _instances(loop))
        obstacle = _why_not(workload, calls)
    if obstacle:
        diagnostics.explain("unroll_loops", workload.span, f"not unrolled: {obstacle}")
        return workload
    words = f"unrolled: {len(calls)} calls, each with its item written in"
    diagnostics.explain("unroll_loops", workload.span, words)
    return replace(workload, calls=calls)


def _obstacle(workload: Workload, loop: Loop) -> str:
    """Why its calls cannot be written out; empty when they can."""
    if next(computed(loop.items), None) is not None or not isinstance(loop.items, Items | Fields):
        return "its items are only known when it runs"
    if workload.steps:
        return "it has steps"
    count = len(_python(loop.items))
    if count < 2:
        return "it has less than two items"
    return f"it has {count} items, more than {MOST}" if count > MOST else ""


def _why_not(workload: Workload, calls: tuple[tuple[Argument, ...], ...]) -> str:
    """Why the calls are no better than one call for all items; empty when they are."""
    better = False
    for place, argument in enumerate(workload.arguments):
        made = [call[place].value for call in calls]
        if any(_needs_function(value) for value in made):
            return f"'{argument.name}' would be a function for each item"
        better = better or all(_is_better(argument.value, value) for value in made)
    return "" if better else "nothing would be known that is not known now"


def _needs_function(value: Value) -> bool:
    return any(
        expression(one.template, Want(one.want, one.type)) is None for one in computed(value)
    )


def _is_better(before: Value, after: Value) -> bool:
    """Whether more than names was replaced."""
    left = set(map(id, computed(after)))
    return any(id(one) not in left and not _is_name(one) for one in computed(before))


def _is_name(value: Computed) -> bool:
    """Whether it merely passes on what a name stands for."""
    if not isinstance(value.template, ast.Template) or (value.want, value.type) != ("native", ANY):
        return False
    return isinstance(single_action(value.template), ast.Root | ast.Field)


def _instances(loop: Loop) -> Iterator[Mapping[str, Any]]:
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


def _call(workload: Workload, values: Mapping[str, Any]) -> tuple[Argument, ...]:
    """The arguments for one instance."""

    def change(value: Computed) -> Value:
        return _folded(value, values)

    return with_arguments(workload, lambda one: rebuild(one.value, change)).arguments


def _folded(value: Computed, values: Mapping[str, Any]) -> Value:
    """The value for one instance; itself where nothing of it is known."""
    written = with_item(value.template, values)
    if written == value.template:
        return value
    try:
        constant = value_of(written, Want(value.want, value.type))
    except NoValueError:
        return _with_known_texts(value, written)
    return value if isinstance(constant, list | dict) else Constant(constant, value.span)


def _with_known_texts(value: Computed, written: ast.Template | ast.Expr) -> Value:
    """A text in which what some of its actions print is known."""
    template = value.template
    if value.want != "text" or not isinstance(written, ast.Template):
        return value
    assert isinstance(template, ast.Template)
    pairs = zip(template.nodes, written.nodes, strict=True)
    nodes = tuple(_printed(before, after, written) for before, after in pairs)
    known = replace(template, nodes=nodes)
    return (
        value if known == template else replace(value, template=known, references=references(known))
    )


def _printed(before: ast.Node, after: ast.Node, template: ast.Template) -> ast.Node:
    """The text of an action that is known; else the action as it was."""
    if before == after or not isinstance(after, ast.Action):
        return before
    try:
        alone = replace(template, nodes=(after,), defines=())
        return ast.Text(value_of(alone, Want("text")), after.span)
    except NoValueError:
        return before
