"""A smaller playbook that goes wrong too: leave out workloads, keys and records while it does."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.both_levels import Refused
from tests.topologies.generate import Topology, Workload

OPTIONAL = (
    "channel_policy",
    "finally",
    "ignore_errors",
    "loop_control",
    "on_failure",
    "on_record_error",
    "register",
    "timeout",
    "when",
    "workload_policy",
)


def shrunk(topology: Topology, is_wrong: Callable[[Topology], object]) -> Topology:
    """The smallest topology found for which `is_wrong` holds, as it does for this one."""
    found = True
    while found:
        found = False
        for smaller in _smaller(topology):
            try:
                found = bool(is_wrong(smaller))
            except (Refused, KeyError):  # what was left out is needed
                continue
            if found:
                topology = smaller
                break
    return topology


def _smaller(topology: Topology) -> Iterator[Topology]:
    document, inputs = topology.document, topology.inputs
    for workload in reversed(topology.workloads):
        workloads = _without(topology.workloads, workload["name"])
        if workloads:
            yield Topology(document | {"workloads": workloads}, inputs)
    for key in OPTIONAL:
        if key in document:
            yield Topology(_less(document, key), inputs)
    for place, workload in enumerate(topology.workloads):
        for simpler in _simpler(workload):
            workloads = [*topology.workloads]
            workloads[place] = simpler
            yield Topology(document | {"workloads": workloads}, inputs)
    for name, value in inputs.items():
        if f".{name} " not in repr(topology.workloads):
            declared = _less(document["inputs"], name)
            yield Topology(document | {"inputs": declared}, _less(inputs, name))
        for less in _shorter(value):
            yield Topology(document, inputs | {name: less})


def _without(workloads: list[Workload], name: str) -> list[Workload]:
    """The others; those that read from nobody else go too."""
    gone = {name}
    left = []
    for workload in workloads:
        streams = workload.get("stream_inputs")
        if workload["name"] in gone:
            continue
        if streams:
            kept = [one for one in streams if one.removesuffix(".errors") not in gone]
            if not kept:
                gone.add(workload["name"])
                continue
            workload = workload | {"stream_inputs": kept}
        left.append(workload)
    return left


def _simpler(workload: Workload) -> Iterator[Workload]:
    for key in OPTIONAL:
        if key in workload:
            yield _less(workload, key)
    streams = workload.get("stream_inputs", [])
    for one in streams if len(streams) > 1 else ():
        yield workload | {"stream_inputs": [other for other in streams if other != one]}
    if streams and workload["process"]["module"] not in ("passthrough", "data:collect"):
        yield workload | {"process": {"module": "passthrough"}}


def _shorter(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield from map("".join, _shorter(value.splitlines(keepends=True)))
    elif isinstance(value, list) and value:
        half = len(value) // 2
        yield from (part for part in (value[half:], value[:half]) if len(part) < len(value))
        for place in range(len(value) if len(value) < 30 else 0):
            yield value[:place] + value[place + 1 :]


def _less(of: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name != key}
