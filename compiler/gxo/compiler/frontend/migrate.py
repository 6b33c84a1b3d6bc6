"""The deprecated v0.1 form of a playbook to the current one, on the tree (language, section 9).

    tasks:                          workloads:
      - name: pair                    - name: pair
        type: stream:join               lifecycle: {policy: run_once}
        params: {on: id}                process: {module: data:join, params: {on: id}}

Every node that the file has keeps its place, so what later stages find points into the user's own
text; what is new here (`lifecycle`, `process`) has the place of the `type` that it stands for. What
is only another word for something (`task_policy`, `_gxo.tasks`) is left to the stages that read it.
`upgrade.py` makes the same steps on the file's text; the tables below are for both.
"""

import re
import shlex
from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics, Note, Span
from gxo.compiler.frontend.yaml import Entry, Mapping, Node, Scalar, Sequence
from gxo.compiler.source import unwritten

DEPRECATED = "GXO0219"
LIFECYCLE = ("policy", "run_once")
MODULES = {"generate:from_list": "data:generate_from_list", "stream:join": "data:join"}
PROCESS_KEYS = {"type": "module", "params": "params"}
"""The keys of a task that belong into its `process`, and what they are called there."""
BLOCKS = ("on_failure", "finally")
"""Lists whose tasks get no lifecycle; what is written there in the current form stays as it is."""
_NEWER_KEYS = ("lifecycle", "process")

_QUOTED = r'"(?:\\.|[^"\\])*"|`[^`]*`|' + r"'(?:\\.|[^'\\])*'|/\*.*?\*/"
_ACTION = re.compile(rf"\{{\{{(?>(?:{_QUOTED}|(?!\}}\}}).)*)\}}\}}", re.DOTALL)
_ALIAS = re.compile(rf"{_QUOTED}|(?<![\w).])\._gxo\.(?P<alias>tasks)(?![\w-])", re.DOTALL)


def is_deprecated(tree: Mapping) -> bool:
    """Whether a playbook has the v0.1 form: its key `tasks` decides."""
    return tree.key("tasks") is not None


def migrate(tree: Mapping, file: str, diags: Diagnostics) -> Mapping:
    """The tree in the current form, after one warning; the same tree if that is its form already.

    A part that no task can have is reported here, in the words of the v0.1 form; a list of tasks
    that is none stays in the tree for the schema to report.
    """
    tasks, workloads = tree.key("tasks"), tree.key("workloads")
    if tasks is None:
        return tree
    if workloads is not None:
        message = "a playbook has workloads or the older tasks, not both"
        note = Note(workloads.span, "the workloads are here")
        diags.error("GXO0207", tasks.span, message, "write the tasks as workloads", [note])
        return replace(tree, entries=tuple(one for one in tree.entries if one.key is not tasks))
    message = "the playbook uses the deprecated 'tasks' key; it is migrated in memory"
    hint = f"`gxo migrate -f {shlex.quote(file)}` upgrades it"
    diags.warning(DEPRECATED, tasks.span, message, hint)
    return _Migration(diags).playbook(tree)


def aliases(text: str) -> list[int]:
    """Where the word `tasks` of a reference `._gxo.tasks` stands in a text's template actions."""
    if "_gxo.tasks" not in text:
        return []
    return [
        action.start() + found.start("alias")
        for action in _ACTION.finditer(text)
        for found in _ALIAS.finditer(action.group())
        if found["alias"]
    ]


class _Migration:
    """Migrates the maps of one playbook; one that aliases share is migrated, and reported, once."""

    def __init__(self, diags: Diagnostics) -> None:
        self._diags = diags
        self._done: dict[tuple[int, bool], Node] = {}

    def playbook(self, tree: Mapping) -> Mapping:
        entries: list[Entry] = []
        for entry in tree.entries:
            name = entry.key.text.value
            if name == "tasks":
                entries += self._tasks(entry)
            elif name in BLOCKS:
                entries.append(Entry(entry.key, self._block(entry.value)))
            else:
                entries.append(entry)
        return replace(tree, entries=tuple(entries))

    def _tasks(self, entry: Entry) -> list[Entry]:
        tasks = entry.value
        if not isinstance(tasks, Sequence) or not tasks.items:
            return [entry]
        maps = [item for item in tasks.items if isinstance(item, Mapping)]
        workloads = replace(tasks, items=tuple(self._workload(task, False) for task in maps))
        migrated = Entry(_scalar("workloads", entry.key.span), workloads)
        return [migrated] if len(maps) == len(tasks.items) else [entry, migrated]

    def _block(self, block: Node) -> Node:
        if not isinstance(block, Sequence):
            return block
        items = [
            self._workload(item, True)
            if isinstance(item, Mapping) and item.key("process") is None
            else item
            for item in block.items
        ]
        return replace(block, items=tuple(items))

    def _workload(self, task: Mapping, in_block: bool) -> Node:
        known = self._done.get((id(task), in_block))
        if known is None:
            known = self._done[id(task), in_block] = self._migrated(task, in_block)
        return known

    def _migrated(self, task: Mapping, in_block: bool) -> Mapping:
        place = self._place(task)
        entries: list[Entry] = []
        if not in_block:
            policy = Entry(_scalar(LIFECYCLE[0], place), _scalar(LIFECYCLE[1], place))
            entries.append(Entry(_scalar("lifecycle", place), Mapping((policy,), place)))
        entries.append(Entry(_scalar("process", place), _process(task, place)))
        for entry in task.entries:
            name = entry.key.text.value
            if name in _NEWER_KEYS:
                self._report_newer(entry.key)
            elif name == "on_failure":
                entries.append(Entry(entry.key, self._block(entry.value)))
            elif name not in PROCESS_KEYS:
                entries.append(entry)
        return replace(task, entries=tuple(entries))

    def _place(self, task: Mapping) -> Span:
        """The place of a task's `type`, or of what stands for it: then that is reported."""
        key, kind = task.key("type"), task.get("type")
        hint = "for example: type: exec"
        if key is None and (process := task.key("process")):
            return process.span
        if key is None or kind is None:
            place = task.entries[0].key.span if task.entries else task.span
            self._diags.error("GXO0202", place, 'a task needs the key "type"', hint)
            return place
        if not (isinstance(kind, Scalar) and isinstance(kind.value, str) and kind.value):
            message = '"type" must be the name of a module'
            self._diags.error("GXO0203", kind.span, message, hint)
        return key.span

    def _report_newer(self, key: Scalar) -> None:
        message = f'unknown key "{key.text.value}" in a task'
        hint = "a task has type and params; with a lifecycle and a process, write workloads"
        self._diags.error("GXO0201", key.span, message, hint)


def _process(task: Mapping, place: Span) -> Mapping:
    entries = [
        Entry(_scalar(PROCESS_KEYS[entry.key.text.value], entry.key.span), _renamed(entry))
        for entry in task.entries
        if entry.key.text.value in PROCESS_KEYS
    ]
    return Mapping(tuple(entries), place)


def _renamed(entry: Entry) -> Node:
    kind = entry.value
    if entry.key.text.value != "type" or not isinstance(kind, Scalar):
        return kind
    name = MODULES.get(kind.text.value)
    return replace(kind, value=name, text=unwritten(name, kind.span)) if name else kind


def _scalar(value: str, span: Span) -> Scalar:
    return Scalar(value, span, unwritten(value, span), True)
