"""A record written as a text with actions, built directly instead of being printed and parsed.

    before:  {"ip": "{{ .addr }}", "hits": {{ .n }}}
    after:   Fields(ip: text of .addr, hits: native .n)

If the text parses as JSON once its actions are replaced by values, it is a JSON template: an action
inside a string is text, one in value position keeps its native value, so no value can change the
structure. Any other text becomes `{"value": text}` (catalogue, `data:map`).
"""

import json
import re
from collections.abc import Iterator

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import MAX_DEPTH
from gxo.compiler.ir.nodes import NO_REFERENCES, Computed, Constant, Fields, Items, Value
from gxo.compiler.template import ast
from gxo.compiler.types import ANY, TEXT

ACTION_IN_KEY, BLOCK, TOO_DEEP = "GXO0509", "GXO0511", "GXO0413"

# Private-use characters that mark where the action with that number stands.
_MARK = re.compile("\ue000([0-9]+)\ue001")


def read_record_template(template: ast.Template, diagnostics: Diagnostics) -> Value | None:
    """The record that the template describes."""
    try:
        tree = json.loads("".join(_with_marks(template.nodes)))
        too_deep = isinstance(tree, dict) and _is_too_deep(tree)
    except ValueError:
        tree, too_deep = None, False
    except RecursionError:
        too_deep = True
    if too_deep:
        message = f"the JSON template is nested more than {MAX_DEPTH} deep"
        diagnostics.error(
            TOO_DEEP, template.span, message, "make it with `fields`, or in more than one step"
        )
        return None
    if not isinstance(tree, dict) or _marks(tree) != _actions(template):
        whole = Computed(template, "text", TEXT, NO_REFERENCES, template.span)
        return Fields((("value", whole),), template.span)
    for node in template.nodes:
        if not isinstance(node, ast.Text | ast.Action):
            message = "a JSON template holds single actions only, no blocks and no variables"
            diagnostics.error(BLOCK, node.span, message, "use `fields`, whose values may be blocks")
            return None
    if any(_MARK.search(key) for key in _keys(tree)):
        message = "a key of a JSON template cannot hold an action"
        diagnostics.error(ACTION_IN_KEY, template.span, message, "use `fields` or a fixed key")
        return None
    return _value(tree, template)


def _is_too_deep(tree: object) -> bool:
    """Whether maps and lists nest deeper than a playbook's own may; what follows walks by calls."""
    level, depth = [tree], 0
    while level:
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        level, depth = inner, depth + 1
    return depth - 1 > MAX_DEPTH


def _marks(tree: object) -> list[int]:
    """The numbers of all marks; a text that holds a mark's own characters makes them too many."""
    match tree:
        case dict():
            return sorted(_in_text("".join(tree)) + [m for v in tree.values() for m in _marks(v)])
        case list():
            return sorted(mark for value in tree for mark in _marks(value))
        case str():
            return _in_text(tree)
    return []


def _in_text(text: str) -> list[int]:
    return [int(mark[1]) for mark in _MARK.finditer(text)]


def _actions(template: ast.Template) -> list[int]:
    nodes = enumerate(template.nodes)
    return [number for number, node in nodes if not isinstance(node, ast.Text)]


def _with_marks(nodes: tuple[ast.Node, ...]) -> Iterator[str]:
    """The template's text with a mark for each action, quoted where it is not inside a string."""
    in_string = False
    for number, node in enumerate(nodes):
        if isinstance(node, ast.Text):
            yield node.value
            in_string = _string_open(node.value, in_string)
        else:
            mark = f"\ue000{number}\ue001"
            yield mark if in_string else f'"\ue002{mark}"'


def _string_open(text: str, in_string: bool) -> bool:
    """Whether a JSON string is open after the text."""
    for part in re.findall(r'\\.|"', text, re.DOTALL):
        if part == '"':
            in_string = not in_string
    return in_string


def _keys(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from _keys(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _keys(value)


def _value(tree: object, template: ast.Template) -> Value:
    match tree:
        case dict():
            entries = tuple((key, _value(value, template)) for key, value in tree.items())
            return Fields(entries, template.span)
        case list():
            return Items(tuple(_value(value, template) for value in tree), template.span)
        case str():
            return _text(tree, template)
        case bool() | int() | float() | None:
            return Constant(tree, template.span)
    raise AssertionError(tree)


def _text(text: str, template: ast.Template) -> Value:
    if text.startswith("\ue002") and _MARK.fullmatch(text, 1):
        node = template.nodes[int(text[2:-1])]
        return _computed((node,), "native", template, node.span)
    nodes: list[ast.Node] = []
    position = 0
    for mark in _MARK.finditer(text):
        if mark.start() > position:
            nodes.append(ast.Text(text[position : mark.start()], template.span))
        nodes.append(template.nodes[int(mark[1])])
        position = mark.end()
    if not nodes:
        return Constant(text, template.span)
    if position < len(text):
        nodes.append(ast.Text(text[position:], template.span))
    return _computed(tuple(nodes), "text", template, template.span)


def _computed(
    nodes: tuple[ast.Node, ...], want: str, template: ast.Template, span: Span
) -> Computed:
    part = ast.Template(nodes, template.defines, span, template.source)
    if want == "text":
        return Computed(part, "text", TEXT, NO_REFERENCES, span)
    return Computed(part, "native", ANY, NO_REFERENCES, span)
