"""Choose how many records may wait where the playbook does not say (channel sizing).

    before:  first is a data:limit of 5 that reads ticks
    after:   the same, and ticks has "channel 5 block"

A stream whose readers all take only the first records holds no more than the most that one of them
takes. Any other keeps the language's 100 records, because nothing else was found to pay. CPU time
of a source, a loop of filter and map, and a sink, the best of three runs, on CPython 3.11 (in
brackets: the most memory of the process):

    buffer_size                    0       10      100      500     1000     5000
    100,000 records, sent singly   1.13 s  0.39 s  0.26 s   0.28 s  0.35 s   0.38 s
    100,000 records, by 10         0.23 s  0.20 s  0.16 s   0.15 s  0.18 s   0.20 s
    100,000 records, by 100        0.15 s  0.15 s  0.15 s   0.15 s  0.18 s   0.16 s
    200,000, by 500, to 3 files    0.36 s          0.37 s   0.41 s  0.40 s   0.41 s
    30,000 of 10 kB, by 500        0.08 s          0.10 s   0.10 s  0.11 s   0.15 s
                                   (61)            (61)     (71)    (86)     (141 MiB)
    600 of 1 MB, sent singly       0.14 s  0.15 s  0.19 s   (300: 0.37 s)
                                   (48)    (77)    (335)    (300: 615 MiB)

So a sender that waits once a batch loses nothing that can be measured, a larger buffer only leaves
the processor's cache, and the size matters to who sends singly, up to 100. Where records are large,
fewer may wait; that shows while the job runs, and is the runtime's part (`streams/pipes.py`).
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frozen import replace
from gxo.compiler.ir.kernels import LIMIT
from gxo.compiler.ir.nodes import Channel, Constant, Plan, Workload

DEFAULT = 100


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    readers: dict[str, list[Workload]] = {}
    rejects: set[str] = set()
    for reader in plan.workloads:
        for edge in reader.stream_edges:
            if edge.errors:
                rejects.add(edge.source)
            else:
                readers.setdefault(edge.source, []).append(reader)
    inside = {name for loop in plan.fused for name in loop.members[:-1]}

    def sized(workload: Workload) -> Workload:
        reading = readers.get(workload.name)
        if not reading or workload.name in inside:
            return workload
        obstacle = _obstacle(workload, workload.name in rejects)
        most = max(1, *map(_taken, reading))
        if obstacle is None and most < DEFAULT:
            words = f"at most {most} of its records may wait: nobody reads more"
            diagnostics.explain("size_channels", workload.span, words)
            channel = Channel(most, "block")
            return replace(workload, policies=replace(workload.policies, channel=channel))
        reason = obstacle or _reason(reading)
        diagnostics.explain("size_channels", workload.span, f"not sized: {reason}")
        return workload

    return replace(plan, workloads=tuple(sized(one) for one in plan.workloads))


def _obstacle(workload: Workload, has_error_readers: bool) -> str | None:
    """Why the size is not for this pass to choose; None when it is."""
    channel = workload.policies.channel
    if channel.buffer_size is not None:
        return f"the playbook says that {channel.buffer_size} records may wait"
    if channel.overflow != "block":
        return f"the size decides what overflows ({channel.overflow})"
    if has_error_readers:
        return "its record errors share the policy"
    return None


def _reason(reading: list[Workload]) -> str:
    """Why a stream keeps the default size."""
    reader = next(one for one in reading if _taken(one) == DEFAULT)
    return f"'{reader.name}' may read more than {DEFAULT}, and to let more wait gains nothing"


def _taken(reader: Workload) -> int:
    """How many records the reader takes at most; as far as it matters here."""
    if reader.module is None or reader.module.name != LIMIT or not reader.module.is_own:
        return DEFAULT
    for argument in reader.arguments:
        if argument.name == "count" and isinstance(argument.value, Constant):
            count = argument.value.value
            return min(max(count, 0), DEFAULT) if isinstance(count, int) else DEFAULT
    return DEFAULT
