"""Every pair of what a workload can have, on one workload and on two that are connected.

    elements(...)        when true, when false, ..., skip_on_no_input
    playbooks(a, b)      all playbooks of a pair: name and document

An element is a change to a workload, `u` or `v`. Each pair is played with a process that succeeds,
one that fails at first and one that always fails, so that `retry`, `ignore_errors` and `on_failure`
have something to do.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

Document = dict[str, Any]


def when(value: Any) -> Callable[[Document, str], None]:
    def change(document: Document, name: str) -> None:
        workload(document, name)["when"] = value

    return change


def loop(items: list[Any], parallel: int = 1) -> Callable[[Document, str], None]:
    def change(document: Document, name: str) -> None:
        one = workload(document, name)
        one["loop"] = items
        if parallel > 1:
            one["loop_control"] = {"parallel": parallel}
        params = one["process"]["params"]
        params["takes"] = "{{ .item }}"  # so that the first to fail has others to cancel
        if one["process"]["module"] == "probe:call":
            params["value"] = "{{ .item }}"

    return change


def retry(attempts: int) -> Callable[[Document, str], None]:
    def change(document: Document, name: str) -> None:
        workload(document, name)["retry"] = {
            "attempts": attempts,
            "delay": "3us",
            "backoff_factor": 2,
        }

    return change


def timeout(document: Document, name: str) -> None:
    workload(document, name)["timeout"] = "5us"


def ignore_errors(document: Document, name: str) -> None:
    workload(document, name)["ignore_errors"] = True


def on_failure(document: Document, name: str) -> None:
    workload(document, name)["on_failure"] = [
        _child(f"{name}-first", fails=9),
        _child(f"{name}-second", value="{{ ._gxo.failure.workload }}"),
    ]


def cleanup(document: Document, name: str) -> None:
    document["finally"] = [
        _child("finally-first", value="{{ ._gxo.status }}"),
        _child("finally-second", value=f"{{{{ .r{name} | default 0 }}}}"),
    ]


def needs(document: Document, name: str) -> None:
    _before(document)
    workload(document, name)["needs"] = ["before"]


def register_read(document: Document, name: str) -> None:
    """Another workload reads its register."""
    document["workloads"].append(
        _call(f"after-{name}", value=f"{{{{ .r{name} | default 0 }}}}") | {"register": "rafter"}
    )


def stream_in(document: Document, name: str) -> None:
    """It reads a stream: it passes it on if it makes one itself."""
    if not any(one["name"] == "source" for one in document["workloads"]):
        document["workloads"].insert(0, _workload("source", "send", count=2, takes=2))
    one = workload(document, name)
    one["stream_inputs"] = [*one.get("stream_inputs", []), "source"]
    _becomes(one, {"probe:call": "probe:read", "probe:send": "probe:pass"})


def stream_out(document: Document, name: str) -> None:
    """Somebody reads its stream."""
    one = workload(document, name)
    _becomes(one, {"probe:call": "probe:send", "probe:read": "probe:pass"})
    sink = _workload(f"sink-{name}", "read", takes=1)
    document["workloads"].append(sink | {"stream_inputs": [name], "register": f"rsink{name}"})


def skip_on_no_input(document: Document, name: str) -> None:
    """Its input may be empty, and it is to be skipped then."""
    empty = _workload(f"empty-{name}", "send", count=0, takes=1)
    document["workloads"].insert(0, empty)
    one = workload(document, name)
    one["stream_inputs"] = [*one.get("stream_inputs", []), f"empty-{name}"]
    one["workload_policy"] = {"skip_on_no_input": True}
    _becomes(one, {"probe:call": "probe:read", "probe:send": "probe:pass"})


ELEMENTS: dict[str, Callable[[Document, str], None]] = {
    "when true": when("{{ .data.yes }}"),
    "when false": when("{{ .data.no }}"),
    "when error": when("{{ .data.gone }}"),
    "loop of 0": loop([]),
    "loop of 1": loop([1]),
    "loop of n": loop([1, 2, 3]),
    "parallel": loop([1, 2, 3, 4], parallel=2),
    "retry that succeeds": retry(3),
    "retry that fails": retry(2),
    "timeout that ends": timeout,
    "ignore_errors": ignore_errors,
    "on_failure": on_failure,
    "finally": cleanup,
    "needs": needs,
    "register read": register_read,
    "stream in": stream_in,
    "stream out": stream_out,
    "skip_on_no_input": skip_on_no_input,
}

PROCESSES = {"succeeds": {}, "fails twice": {"fails": 2}, "fails": {"fails": 9}}
"""What the process of the workload does: it fails in so many attempts."""

AT_A_RECORD = {"fails at its second record": {"fails_at": 2}}
"""What it may do besides when it handles records."""

ALTERNATIVES = (
    {"when true", "when false", "when error"},
    {"loop of 0", "loop of 1", "loop of n", "parallel"},
    {"retry that succeeds", "retry that fails"},
)
"""Values of one key: a workload has one of each set, so their pairs are on two workloads only."""

LOOPS = {"loop of 0", "loop of 1", "loop of n", "parallel"}
READERS = {"stream in", "skip_on_no_input"}
STREAMS = {*READERS, "stream out"}

FORBIDDEN = {
    frozenset(
        {loops, reader}
    ): "5: \"A looped workload may produce a stream (its instances' records"
    ' as they come) and may not consume one."'
    for loops in LOOPS
    for reader in READERS
}
"""The pairs that the language forbids on one workload, with its sentence. They are compiled too, and
must be refused.
"""

CONNECTIONS = ("needs", "register", "stream")


def playbooks(first: str, second: str) -> Iterator[tuple[str, Document]]:
    """The playbooks of a pair: on one workload, and each on one of two that are connected."""
    if is_possible(first, second):
        streams = {first, second} & STREAMS
        for process, params in (PROCESSES | (AT_A_RECORD if streams else {})).items():
            document = _document([_call("u", takes=4)])
            _apply(document, {first: "u", second: "u"})
            workload(document, "u")["process"]["params"] |= params
            yield f"{first} + {second}, one workload that {process}", document
    for one, other in sorted({(first, second), (second, first)}):
        for connection in CONNECTIONS:
            streams = {one} & STREAMS or connection == "stream"
            for process, params in (PROCESSES | (AT_A_RECORD if streams else {})).items():
                document = connected(one, other, connection, params)
                if document is not None and process != "fails twice":
                    yield f"{one}, {connection}, {other}: the first {process}", document


def is_possible(first: str, second: str) -> bool:
    """Whether one workload can have both: not two values of one key, and nothing forbidden."""
    same_key = any({first, second} <= one for one in ALTERNATIVES)
    return not same_key and frozenset({first, second}) not in FORBIDDEN


def connected(first: str, second: str, connection: str, params: Document) -> Document | None:
    """`u` has the first, `v` the second, and v depends on u; None where v loops over a stream, which
    is in `FORBIDDEN`.
    """
    if connection == "stream" and second in LOOPS:
        return None
    module = "send" if connection == "stream" else "call"
    u = _workload("u", module, takes=4)
    v = _workload("v", "read", takes=6) if connection == "stream" else _call("v", takes=6)
    if connection == "stream":
        u["process"]["params"]["count"] = 2
        v["stream_inputs"] = ["u"]
    elif connection == "needs":
        v["needs"] = ["u"]
    else:
        v["process"]["params"]["value"] = "{{ .ru }}"
    document = _document([u, v])
    _apply(document, {first: "u"})
    _apply(document, {second: "v"})
    workload(document, "u")["process"]["params"] |= params
    return document


def forbidden_playbooks() -> Iterator[tuple[str, Document]]:
    """A playbook for each entry of the table, and for each loop over the stream of another."""
    for pair in sorted(sorted(pair) for pair in FORBIDDEN):
        document = _document([_call("u", takes=4)])
        _apply(document, dict.fromkeys(pair, "u"))
        yield " + ".join(pair), document


def workload(document: Document, name: str) -> Document:
    found: Document = next(one for one in document["workloads"] if one["name"] == name)
    return found


def _apply(document: Document, places: dict[str, str]) -> None:
    """Streams first: what they make of the workload's module decides how others change it."""
    order = ["stream out", "stream in", "skip_on_no_input"]
    for element in sorted(places, key=lambda one: order.index(one) if one in order else len(order)):
        ELEMENTS[element](document, places[element])


def _document(workloads: list[Document]) -> Document:
    for one in workloads:
        one["register"] = f"r{one['name']}"
    data = {"type": "map", "default": {"yes": True, "no": False}}
    return {"inputs": {"data": data}, "workloads": copy.deepcopy(workloads)}


def _workload(name: str, module: str, **params: Any) -> Document:
    process = {"module": f"probe:{module}", "params": params}
    return {"name": name, "lifecycle": {"policy": "run_once"}, "process": process}


def _call(name: str, **params: Any) -> Document:
    return _workload(name, "call", **params)


def _child(name: str, **params: Any) -> Document:
    return {"name": name, "process": {"module": "probe:call", "params": params}}


def _before(document: Document) -> None:
    if not any(one["name"] == "before" for one in document["workloads"]):
        document["workloads"].append(_call("before", takes=3))


def _becomes(one: Document, modules: dict[str, str]) -> None:
    """Change a workload's module, and leave out what the new one does not take."""
    process = one["process"]
    process["module"] = modules.get(process["module"], process["module"])
    if process["module"] != "probe:call":
        process["params"].pop("value", None)
    if process["module"] == "probe:send":
        process["params"]["count"] = 2
    else:
        process["params"].pop("count", None)
