"""A playbook as the reference interpreter reads it: keys with their defaults, and who needs whom.

Times are whole microseconds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.reference.templates import chain_of, is_template

UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}


@dataclass(frozen=True)
class Workload:
    """One workload (language, section 2). block: the workload whose `on_failure` it is in, or
    "finally"; None for one of `workloads`.
    """

    name: str
    module: str
    params: dict[str, Any]
    register: str | None
    stream_inputs: tuple[str, ...]
    needs: tuple[str, ...]
    when: Any
    loop: Any
    loop_var: str
    index_var: str | None
    parallel: int
    attempts: int
    delay: int
    max_delay: int | None
    backoff: float
    timeout: int | None
    ignore_errors: bool
    on_record_error: str
    skip_on_no_input: bool
    buffer_size: int
    on_failure: tuple["Workload", ...]
    block: str | None


@dataclass(frozen=True)
class Playbook:
    inputs: dict[str, Any]
    workloads: tuple[Workload, ...]
    cleanup: tuple[Workload, ...]

    def every(self) -> Iterator[Workload]:
        """All workloads, those of blocks after their owner, `finally` last."""
        for one in self.workloads:
            yield one
            yield from one.on_failure
        yield from self.cleanup


def read(document: dict[str, Any]) -> Playbook:
    """Read a playbook from its parsed YAML."""
    return Playbook(
        {name: given["default"] for name, given in document.get("inputs", {}).items()},
        tuple(_workload(given, document, None) for given in document["workloads"]),
        tuple(_workload(given, document, "finally") for given in document.get("finally", [])),
    )


def _workload(given: dict[str, Any], document: dict[str, Any], block: str | None) -> Workload:
    loop_control, retry = given.get("loop_control", {}), given.get("retry", {})
    channel = document.get("channel_policy", {}) | given.get("channel_policy", {})
    policy = document.get("workload_policy", {}) | given.get("workload_policy", {})
    return Workload(
        name=given["name"],
        module=given["process"]["module"],
        params=given["process"].get("params", {}),
        register=given.get("register"),
        stream_inputs=tuple(given.get("stream_inputs", ())),
        needs=tuple(given.get("needs", ())),
        when=given.get("when", True),
        loop=given.get("loop"),
        loop_var=loop_control.get("loop_var", "item"),
        index_var=loop_control.get("index_var"),
        parallel=loop_control.get("parallel", 1),
        attempts=retry.get("attempts", 1) if retry.get("on_error", True) else 1,
        delay=duration(retry.get("delay", "1s")),
        max_delay=duration(retry["max_delay"]) if "max_delay" in retry else None,
        backoff=retry.get("backoff_factor", 1),
        timeout=duration(given["timeout"]) if "timeout" in given else None,
        ignore_errors=given.get("ignore_errors", False),
        on_record_error=given.get("on_record_error", "fail"),
        skip_on_no_input=policy.get("skip_on_no_input", False),
        buffer_size=channel.get("buffer_size", 100),
        on_failure=tuple(
            _workload(child, document, given["name"]) for child in given.get("on_failure", ())
        ),
        block=block,
    )


def duration(text: str) -> int:
    """Microseconds of a Go duration with whole numbers."""
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)(us|ms|s|m)", text))


def producer(stream: str) -> str:
    """The workload that a name in `stream_inputs` is of."""
    return stream.removesuffix(".errors")


def observed(workload: Workload) -> set[str]:
    """Section 6: those whose status or error its `when` reads; it runs after any end of them."""
    return {
        chain[2]
        for chain in _chains(workload.when)
        if chain[:2] == ("_gxo", "workloads") and chain[3:4] in (("status",), ("error",))
    }


def needed(workload: Workload, playbook: Playbook) -> set[str]:
    """Section 2: "A workload depends on another when one of its templates reads the other's
    register key or `_gxo.workloads.<name>.*`, or when it names it in `needs`." Streams apart, and
    those apart that are only `observed`. Section 6: references of blocks add no edges.
    """
    if workload.block is not None:
        return set()
    registers = {one.register: one.name for one in playbook.workloads if one.register}
    found = set(workload.needs)
    for part in (workload.params, workload.when, workload.loop):
        for chain in _chains(part):
            if chain[:2] == ("_gxo", "workloads"):
                found.add(chain[2])
            elif chain[0] in registers and chain[0] not in (workload.loop_var, workload.index_var):
                found.add(registers[chain[0]])
    return found - observed(workload)


def groups(playbook: Playbook) -> list[tuple[str, ...]]:
    """Section 5: the connected components of stream edges, in playbook order."""
    group = {one.name: {one.name} for one in playbook.workloads}
    for one in playbook.workloads:
        for stream in one.stream_inputs:
            joined = group[one.name] | group[producer(stream)]
            group |= dict.fromkeys(joined, joined)
    order = [one.name for one in playbook.workloads]
    found = {tuple(sorted(members, key=order.index)) for members in group.values()}
    return sorted(found, key=lambda members: order.index(members[0]))


def refusals(playbook: Playbook) -> list[str]:
    """Why the language refuses the playbook: the sentences of the page that it breaks."""
    found = []
    for one in playbook.every():
        if one.loop is not None and one.stream_inputs:
            found.append('5: "A looped workload may produce a stream and may not consume one."')
        if one.block is not None and one.needs:
            found.append('6: in blocks, "references add no edges": order is that of the block')
    if _has_cycle(playbook):
        found.append(
            '5: "A state edge or `needs` between two members, direct or through outside workloads,'
            ' is a compile error"; 2: "cycles are compile errors"'
        )
    return found


def _has_cycle(playbook: Playbook) -> bool:
    """Whether groups, each taken as one, or workloads wait for each other."""
    group_of = {name: members for members in groups(playbook) for name in members}
    waits_for: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for one in playbook.workloads:
        before = {group_of[name] for name in needed(one, playbook) | observed(one)}
        waits_for.setdefault(group_of[one.name], set()).update(before)
    ready: set[tuple[str, ...]] = set()
    while fresh := {one for one, before in waits_for.items() if before <= ready} - ready:
        ready |= fresh
    return len(ready) < len(waits_for) or _streams_circle(playbook)


def _streams_circle(playbook: Playbook) -> bool:
    sources = {
        one.name: {producer(name) for name in one.stream_inputs} for one in playbook.workloads
    }
    done: set[str] = set()
    while fresh := {one for one, before in sources.items() if before <= done} - done:
        done |= fresh
    return len(done) < len(sources)


def _chains(part: Any) -> Iterator[tuple[str, ...]]:
    """The field chains of all templates in a part of the playbook, at any depth."""
    if is_template(part):
        yield chain_of(part)
    elif isinstance(part, dict):
        for value in part.values():
            yield from _chains(value)
    elif isinstance(part, list):
        for value in part:
            yield from _chains(value)
