"""The order in which values move: each reader after what it reads. Circles are cut anywhere; they
have their own findings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from gxo.compiler.ir.nodes import VarDef, Workload
from gxo.compiler.ir.walk import computed, workload_templates

T = TypeVar("T", VarDef, Workload)


def var_order(vars_: Sequence[VarDef]) -> Iterator[VarDef]:
    """The vars, each after those that it reads."""
    return _after({var.name: var for var in vars_}, _vars_read)


def _vars_read(var: VarDef) -> Iterator[str]:
    for template in computed(var.value):
        yield from sorted(template.references.vars)


def in_order(workloads: Sequence[Workload]) -> Iterator[Workload]:
    """The workloads, each after those whose registers, summaries and records it reads."""
    owners = {one.register: one.name for one in workloads if one.register}

    def read(workload: Workload) -> Iterator[str]:
        for stream in workload.decl.stream_inputs:
            yield stream.text.partition(".")[0]
        for template in workload_templates(workload):
            for register in sorted(template.references.registers):
                yield owners.get(register, "")
            yield from sorted(template.references.summaries)

    return _after({workload.name: workload for workload in workloads}, read)


def _after(nodes: dict[str, T], read: Callable[[T], Iterable[str]]) -> Iterator[T]:
    """Depth first without recursion: chains may be longer than Python's stack."""
    entered: set[str] = set()
    for root in nodes:
        if root in entered:
            continue
        entered.add(root)
        path = [(nodes[root], iter(list(read(nodes[root]))))]
        while path:
            node, waiting = path[-1]
            name = next((name for name in waiting if name in nodes and name not in entered), None)
            if name is None:
                path.pop()
                yield node
            else:
                entered.add(name)
                path.append((nodes[name], iter(list(read(nodes[name])))))
