"""The order in which values move: each reader after what it reads. Circles are cut anywhere; they
have their own findings."""

from collections.abc import Iterator, Sequence

from gxo.compiler.ir.nodes import VarDef, Workload
from gxo.compiler.ir.order import reading_order
from gxo.compiler.ir.walk import computed, workload_templates


def var_order(vars_: Sequence[VarDef]) -> list[VarDef]:
    """The vars, each after those that it reads."""
    by_name = {var.name: var for var in vars_}
    reads = {name: _vars_read(var) for name, var in by_name.items()}
    return [by_name[name] for name in reading_order(reads)]


def _vars_read(var: VarDef) -> list[str]:
    return [name for one in computed(var.value) for name in sorted(one.references.vars)]


def in_order(workloads: Sequence[Workload]) -> list[Workload]:
    """The workloads, each after those whose registers, summaries and records it reads."""
    owners = {one.register: one.name for one in workloads if one.register}

    def read(workload: Workload) -> Iterator[str]:
        for stream in workload.decl.reads:
            yield stream.text.partition(".")[0]
        for template in workload_templates(workload):
            for register in sorted(template.references.registers):
                yield owners.get(register, "")
            yield from sorted(template.references.summaries)

    by_name = {workload.name: workload for workload in workloads}
    order = reading_order({name: list(read(workload)) for name, workload in by_name.items()})
    return [by_name[name] for name in order]
