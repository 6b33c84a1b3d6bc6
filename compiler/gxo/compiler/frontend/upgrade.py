"""A playbook's text in the v0.1 form to its text in the current one: what `gxo migrate` prints.

ruamel.yaml reads and writes the text, so comments, order, anchors, quotes and blocks stay. Values
without quotes are not resolved: `0644`, `yes` and `0x50` go through as they are written, and mean
to gxo's own loader what they meant before (language, section 1). The result is read again, and
given out only if it is the playbook that `migrate.py` makes in memory, with every comment there.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import FoldedScalarString, ScalarString
from ruamel.yaml.tokens import CommentToken

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.comments import comments
from gxo.compiler.frontend.migrate import (
    BLOCKS,
    LIFECYCLE,
    MODULES,
    PROCESS_KEYS,
    aliases,
    migrate,
)
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence, compose

_NO_WRAPPING = 1_000_000_000
_START = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*---[ \t]*(?:#[^\n]*)?\n")
"""The line that starts a document, and the comments above it, which ruamel.yaml does not keep."""
_FIRST_ITEM = re.compile(r"^tasks:.*?\n( *)(- *)", re.MULTILINE | re.DOTALL)
_COMMENT_LINE = re.compile(r"^ *(?=#)", re.MULTILINE)
_STEP = 2
"""The indentation of a map in a map, as it is printed."""
_LONGER = len("workloads") - len("tasks")
_KEYS = {"tasks": "workloads", "task_policy": "workload_policy"}


class UpgradeError(Exception):
    """A text that cannot be rewritten without changing or losing something; said for the user."""


def upgrade(text: str, tree: Mapping, file: str) -> str:
    """The text, which `decode` accepted and whose tree has the v0.1 form, in the current form.

    Raises UpgradeError.
    """
    line_break = "\r\n" if "\r\n" in text else "\n"
    try:
        written = _rewritten(text.replace("\r\n", "\n"))
    except (YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UpgradeError(f"ruamel.yaml cannot read it: {reason}") from error
    written = written.replace("\n", line_break)
    _check_meaning(tree, written, file)
    _check_comments(text, written)
    return written


def _rewritten(text: str) -> str:
    start = found[0] if (found := _START.match(text)) else ""
    printer = _printer(text)
    playbook = printer.load(text.removeprefix(start))
    upgraded: set[int] = set()
    for key in list(playbook):
        value = playbook[key]
        if key == "tasks" or key in BLOCKS:
            _upgrade_tasks(value, key in BLOCKS, upgraded)
        if key in _KEYS:
            _move(playbook, key, playbook, _KEYS[key])
    _rename_aliases(playbook, {})
    written = io.StringIO()
    printer.dump(playbook, written)
    return start + written.getvalue()


class _AsWritten(VersionedResolver):
    """Takes every unquoted value for a text, and a merge key for a key: nothing is interpreted."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and value:
            return self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)


def _printer(text: str) -> YAML:
    """ruamel.yaml, set to indent as the text does."""
    printer = YAML()
    printer.Resolver = _AsWritten
    printer.preserve_quotes = True
    printer.width = _NO_WRAPPING
    printer.composer.warn_double_anchors = False  # YAML allows them
    printer.brace_single_entry_mapping_in_flow_sequence = True
    item = _FIRST_ITEM.search(text)
    offset, dash = (len(item[1]), len(item[2])) if item else (2, 2)
    printer.indent(mapping=_STEP, sequence=offset + dash, offset=offset)
    return printer


def _upgrade_tasks(tasks: Any, in_block: bool, upgraded: set[int]) -> None:
    for task in tasks:
        if id(task) not in upgraded:
            upgraded.add(id(task))
            _upgrade_task(task, in_block)
            _upgrade_tasks(task.get("on_failure") or (), True, upgraded)


def _upgrade_task(task: CommentedMap, in_block: bool) -> None:
    if "task_policy" in task:
        _move(task, "task_policy", task, _KEYS["task_policy"])
    own = [key for key in task if key in PROCESS_KEYS]
    if not own:
        return
    place, below = list(task).index(own[0]), None
    if len(own) > 1 and list(task).index(own[1]) - place > 1:
        place = list(task).index("type")
        below = None if in_block else _take_below(task, "type")
        _bring_together(task, own)
    elif own[0] == "params" and place and not in_block:
        below = _take_below(task, list(task)[place - 1])  # what stands above `params` goes with it
    first = list(task).index(own[0])
    task.insert(first, "process", _process(task, own))
    if not in_block:
        lifecycle = CommentedMap([LIFECYCLE])
        lifecycle.fa.set_flow_style()
        task.insert(place, "lifecycle", lifecycle)
        if below:
            task.ca.items["lifecycle"] = [None, None, below, None]


def _process(task: CommentedMap, own: list[str]) -> CommentedMap:
    """The process of a task, made of the task's own keys, which leave it, and of merged ones."""
    process = CommentedMap()
    for key in PROCESS_KEYS:
        if key not in own and (inherited := _inherited(task, PROCESS_KEYS[key])) is not None:
            process[PROCESS_KEYS[key]] = inherited
    for key in own:
        _indent_comments(task, key, task.lc.col + (key == own[-1]))
        _move(task, key, process, PROCESS_KEYS[key])
    if new := MODULES.get(process.get("module")):
        process["module"] = _like(process["module"], new)
    if task.fa.flow_style():
        process.fa.set_flow_style()
    return process


def _inherited(task: CommentedMap, key: str) -> Any:
    """What the maps that a task merges, upgraded already, give its process."""
    merged = task.get("<<", ())
    for one in [merged] if isinstance(merged, CommentedMap) else merged:
        found = one.get("process", {}).get(key)
        found = _inherited(one, key) if found is None else found
        if found is not None:
            return found
    return None


def _move(task: CommentedMap, key: str, target: CommentedMap, new: str) -> None:
    """Put an entry with its comments into another map, or under another name into the same."""
    place = list(task).index(key) if target is task else len(target)
    value, comments = task[key], task.ca.items.pop(key, None)
    del task[key]
    target.insert(place, new, value)
    if comments is not None:
        target.ca.items[new] = comments


def _take_below(task: CommentedMap, key: str) -> CommentToken | None:
    """Take away the comment lines that stand below an entry's own line, if there are some."""
    comments = task.ca.items.get(key)
    if not comments or not comments[2]:
        return None
    first, _, below = comments[2].value.partition("\n")
    comments[2].value = f"{first}\n"
    return CommentToken(f"\n{below}", CommentMark(0)) if below else None


def _bring_together(task: CommentedMap, own: list[str]) -> None:
    """Let `type` stand beside `params`, on the side where it was."""
    kind, comments = task.pop("type"), task.ca.items.pop("type", None)
    task.insert(list(task).index("params") + (own[0] == "params"), "type", kind)
    if comments:
        task.ca.items["type"] = comments


def _indent_comments(task: CommentedMap, key: str, least: int) -> None:
    """Move the comment lines of an entry, those in column `least` or right of it, with it."""

    def deeper(line: re.Match[str]) -> str:
        return line[0] + " " * (_STEP if len(line[0]) >= least else 0)

    tokens = {id(token): token for token in _comments(task.ca.items.get(key))}
    tokens |= {id(token): token for token in _comments(task[key])}
    for token in tokens.values():
        first, line_break, below = token.value.partition("\n")
        token.value = first + line_break + _COMMENT_LINE.sub(deeper, below)
        if token.start_mark.column >= least:
            token.start_mark.column += _STEP


def _comments(node: Any) -> Iterator[CommentToken]:
    """The comments at and below a node, or in one of ruamel.yaml's lists of them."""
    if isinstance(node, CommentToken):
        yield node
    elif isinstance(node, CommentedMap | CommentedSeq):
        yield from _comments([node.ca.comment, *node.ca.items.values(), node.ca.end])
        yield from _comments(list(node.values() if isinstance(node, CommentedMap) else node))
    elif isinstance(node, list):
        for part in node:
            yield from _comments(part)


def _rename_aliases(node: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The node, or the text in its place, with `_gxo.workloads` for `_gxo.tasks` in templates.

    `done` has each node, kept so that its id stays its own, and what it became: an alias must stay
    one.
    """
    if id(node) not in done:
        done[id(node)] = node, node
        if isinstance(node, CommentedMap | CommentedSeq):
            for key in list(node) if isinstance(node, CommentedMap) else range(len(node)):
                node[key] = _rename_aliases(node[key], done)
        elif isinstance(node, str) and (places := aliases(node)):
            done[id(node)] = node, _without_alias(node, places)
    return done[id(node)][1]


def _without_alias(old: str, places: list[int]) -> Any:
    text = _like(old, _renamed(old, places))
    if isinstance(old, FoldedScalarString):
        # where its lines break in the file, counted in the text
        text.fold_pos = [
            fold + _LONGER * sum(place < fold for place in places)
            for fold in getattr(old, "fold_pos", ())
        ]
    return text


def _renamed(text: str, places: list[int]) -> str:
    for place in reversed(places):
        text = text[:place] + _KEYS["tasks"] + text[place + len("tasks") :]
    return text


def _like(old: str, new: str) -> Any:
    """A text in the quotes, and with the anchor and comment, of another."""
    if not isinstance(old, ScalarString):
        return new
    text = type(old)(new)
    if anchor := old.yaml_anchor():
        text.yaml_set_anchor(anchor.value, always_dump=True)
    if hasattr(old, "comment"):
        text.comment = old.comment
    return text


def _check_meaning(tree: Mapping, written: str, file: str) -> None:
    """Hold what the new text means against what the tree is in memory."""
    diags = Diagnostics()
    result = compose(written, file, diags)
    expected = migrate(tree, file, Diagnostics())
    if result is None or diags.has_errors or _meaning(result, {}) != _meaning(expected, {}):
        message = (
            "written anew it would mean something else, which anchors and merge keys can cause"
        )
        raise UpgradeError(f"{message}; write out what they stand for, then migrate")


def _meaning(node: Node, seen: dict[int, Any]) -> Any:
    """What a tree says, whatever the order of keys; a node that aliases share is read once."""
    if isinstance(node, Scalar):
        text = _renamed(node.text.value, aliases(node.text.value))
        return text if isinstance(node.value, str) else node.value, text
    if id(node) not in seen:
        seen[id(node)] = (
            [_meaning(item, seen) for item in node.items]
            if isinstance(node, Sequence)
            else {
                _KEYS.get(entry.key.text.value, entry.key.text.value): _meaning(entry.value, seen)
                for entry in node.entries
            }
        )
    return seen[id(node)]


def _check_comments(before: str, after: str) -> None:
    lost = Counter(_texts(before)) - Counter(_texts(after))
    if lost:
        hint = "give it a line of its own, outside of brackets"
        raise UpgradeError(f"the comment {next(iter(lost))!r} would be lost; {hint}")


def _texts(text: str) -> Iterator[str]:
    return (comment for _, comment in comments(text))
