"""Test playbooks, `NAME.test.gxo.yaml` (language, section 10): what they may leave out, and the
keys that only they have.

    before:  workloads:                    after:  name: kv.test
               - name: server                      schemaVersion: v1.0.0
                 process: {...}                    workloads:
                                                     - name: server
                                                       lifecycle: {policy: run_once}
                                                       process: {...}

The tree gets what is missing, so that no later stage knows of the difference.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics, Span, nearest
from gxo.compiler.frontend.yaml import Entry, Mapping, Node, Scalar, Sequence
from gxo.compiler.source import unwritten

ENDING = ".test.gxo.yaml"
KEYS = ("secrets", "allow", "expect")


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


def completed(tree: Mapping, name: str, version: str) -> Mapping:
    """The tree of a test playbook with the name, version and lifecycles that it leaves out."""
    entries = [_with_lifecycles(entry) for entry in tree.entries]
    for key, value in {"schemaVersion": version, "name": name}.items():
        if tree.key(key) is None:
            entries.insert(0, Entry(_scalar(key, tree.span), _scalar(value, tree.span)))
    return replace(tree, entries=tuple(entries))


def _with_lifecycles(entry: Entry) -> Entry:
    meant = nearest(entry.key.text.value, ("workloads", "finally"))  # a slip is one mistake
    if meant != "workloads" or not isinstance(entry.value, Sequence):
        return entry
    items = tuple(_with_lifecycle(item) for item in entry.value.items)
    return Entry(entry.key, replace(entry.value, items=items))


def _with_lifecycle(item: Node) -> Node:
    if not isinstance(item, Mapping) or item.key("lifecycle") is not None:
        return item
    policy = Entry(_scalar("policy", item.span), _scalar("run_once", item.span))
    lifecycle = Entry(_scalar("lifecycle", item.span), Mapping((policy,), item.span))
    return replace(item, entries=(*item.entries, lifecycle))


def _scalar(value: str, span: Span) -> Scalar:
    return Scalar(value, span, unwritten(value, span), True)
