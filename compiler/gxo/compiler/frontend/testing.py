"""Test playbooks, `NAME.test.gxo.yaml` (language, section 10): what they may leave out, and the
keys that only they have.

    before:  workloads:                    after:  name: kv.test
               - name: server                      schemaVersion: v1.0.0
                 process: {...}                    workloads:
                                                     - name: server
                                                       lifecycle: {policy: run_once}
                                                       process: {...}

    before:  include: ../kv.gxo.yaml       after:   workloads:
             vars: {port: 8080}                        - name: included
                                                         register: included
                                                         process:
                                                           module: test:include
                                                           params:
                                                             playbook: ../kv.gxo.yaml
                                                             vars: {port: 8080}

The tree gets what is missing, so that no later stage knows of the difference.
"""

from collections.abc import Mapping as Values
from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics, Note, Span, nearest, one_slip_away
from gxo.compiler.frontend.yaml import Entry, Mapping, Node, Scalar, Sequence
from gxo.compiler.source import unwritten

ENDING = ".test.gxo.yaml"
KEYS = ("include", "secrets", "allow", "expect")
INCLUDE, INCLUDED, MOCKS = "test:include", "included", "test:mock_"
"""The module of the workload that `include` becomes; its name, and that of its result; and how the
names of the modules begin that stand in for something."""


def is_test(file: str) -> bool:
    """Whether a file is a test playbook, by its name."""
    return file.endswith(ENDING)


def check_no_keys(tree: Mapping, diags: Diagnostics) -> None:
    """Report what only test playbooks have in the tree of another playbook."""
    reported = {item.span for item in diags.items}  # a slip is told of already
    for key in filter(None, map(tree.key, KEYS)):
        if key.span not in reported:
            message = f'the key "{key.text.value}" is for test playbooks only'
            hint = f"a test playbook's name ends in {ENDING}"
            diags.error("GXO0550", key.span, message, hint)


def completed(tree: Mapping, name: str, version: str, diags: Diagnostics) -> Mapping:
    """The tree of a test playbook with the name, version and lifecycles that it leaves out."""
    entries = [_with_lifecycles(entry) for entry in tree.entries]
    for key, value in {"schemaVersion": version, "name": name}.items():
        if tree.key(key) is None:
            entries.insert(0, Entry(_scalar(key, tree.span), _scalar(value, tree.span)))
    return _with_included(replace(tree, entries=tuple(entries)), diags)


def _with_included(tree: Mapping, diags: Diagnostics) -> Mapping:
    """The tree with `include` as a workload, before the first one that is no mock.

    The `vars` are that workload's then. Where one of these is no text, map or list, which is an
    error, the tree stays as it is.
    """
    include, vars_, listed = (_entry(tree, name) for name in ("include", "vars", "workloads"))
    workloads = listed.value if listed else Sequence((), tree.span)
    if include is None or not isinstance(workloads, Sequence):
        return tree
    if not isinstance(include.value, Scalar) or not isinstance(include.value.value, str):
        return tree
    if vars_ and not isinstance(vars_.value, Mapping):
        return tree
    others = (_no_namesake(one, include.key.span, diags) for one in workloads.items)
    items = [one for one in others if one is not None]
    place = next((n for n, one in enumerate(items) if not _is_mock(one)), len(items))
    added = _included(include, vars_)
    workloads = replace(workloads, items=(*items[:place], added, *items[place:]))
    entries = [one for one in tree.entries if one is not listed and one is not vars_]
    entries.append(Entry(listed.key if listed else _scalar("workloads", added.span), workloads))
    if vars_:  # the key stays, as it may be misspelt
        entries.append(Entry(vars_.key, _map({}, vars_.value.span)))
    return replace(tree, entries=tuple(entries))


def _no_namesake(item: Node, include: Span, diags: Diagnostics) -> Node | None:
    """The item, without what has the name that `include` takes: that is one mistake, and what reads
    `.included` means the playbook.
    """
    if not isinstance(item, Mapping):
        return item
    for key in ("name", "register"):
        name = item.get(key)
        if isinstance(name, Scalar) and name.value == INCLUDED:
            what = "a workload is named" if key == "name" else "a result is registered as"
            note = Note(include, "the playbook under test has this name")
            message = f'{what} "{INCLUDED}" in a test that includes a playbook'
            code = "GXO0310" if key == "name" else "GXO0311"
            diags.error(code, name.span, message, "choose another name", [note])
            rest = tuple(entry for entry in item.entries if entry.value is not name)
            return None if key == "name" else replace(item, entries=rest)
    return item


def _entry(tree: Mapping, name: str) -> Entry | None:
    """The entry with the key, or with one that is a slip away from it: that is one mistake."""
    known = {one.key.text.value: one for one in tree.entries}
    return known.get(name) or next(
        (entry for word, entry in known.items() if one_slip_away(word, (name,))), None
    )


def _included(include: Entry, vars_: Entry | None) -> Mapping:
    span = include.key.span
    path = include.value
    if isinstance(path, Scalar) and "{{" in path.text.value:
        path = _scalar("", span)  # which is told of as what it is
    params = {"playbook": path}
    if vars_:
        params["vars"] = vars_.value
    process = _map({"module": _scalar(INCLUDE, span), "params": _map(params, span)}, span)
    lifecycle = _map({"policy": _scalar("run_once", span)}, span)
    name = _scalar(INCLUDED, span)
    return _map({"name": name, "register": name, "lifecycle": lifecycle, "process": process}, span)


def _is_mock(item: Node) -> bool:
    process = item.get("process") if isinstance(item, Mapping) else None
    module = process.get("module") if isinstance(process, Mapping) else None
    return isinstance(module, Scalar) and module.text.value.startswith(MOCKS)


def _map(entries: Values[str, Node], span: Span) -> Mapping:
    return Mapping(tuple(Entry(_scalar(key, span), value) for key, value in entries.items()), span)


def _with_lifecycles(entry: Entry) -> Entry:
    meant = nearest(entry.key.text.value, ("workloads", "finally"))  # a slip is one mistake
    if meant != "workloads" or not isinstance(entry.value, Sequence):
        return entry
    items = tuple(_with_lifecycle(item) for item in entry.value.items)
    return Entry(entry.key, replace(entry.value, items=items))


def _with_lifecycle(item: Node) -> Node:
    if not isinstance(item, Mapping) or item.key("lifecycle") is not None:
        return item
    policy = _map({"policy": _scalar("run_once", item.span)}, item.span)
    lifecycle = Entry(_scalar("lifecycle", item.span), policy)
    return replace(item, entries=(*item.entries, lifecycle))


def _scalar(value: str, span: Span) -> Scalar:
    return Scalar(value, span, unwritten(value, span), True)
