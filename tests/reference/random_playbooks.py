"""Random playbooks of everything that the reference interpreter knows, by hypothesis.

Durations are mostly different powers of two, so that few things happen at the same moment and the
interpreter has few orders of events to follow; some are zero, so that some do.
"""

from typing import Any

from hypothesis import strategies as st

from tests.reference.playbook import read, refusals

Document = dict[str, Any]
Draw = st.DrawFn

WHENS = (True, False, "{{ .data.yes }}", "{{ .data.no }}", "{{ .data.gone }}")


class Times:
    """Gives out durations in microseconds: each power of two once, or nothing, or long ones."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.power = 0

    def next(self) -> int:
        kind = self.draw(st.sampled_from(["some", "some", "some", "some", "none", "long"]))
        if kind == "none":
            return 0
        self.power += 1
        return 2**self.power + (3_000_000 if kind == "long" else 0)


NUMBERS: list[Any] = [[1], [1, 2], [0, 64, 7], "{{ .data.list }}"]


@st.composite
def playbooks(draw: Draw) -> Document:
    """A playbook that the language accepts."""
    times = Times(draw)
    names = [f"w{number}" for number in range(draw(st.integers(1, 6)))]
    workloads: list[Document] = []
    for name in names:
        workloads.append(_workload(draw, name, workloads, times))
    document: Document = {
        "inputs": {"data": {"type": "map", "default": {"yes": 1, "no": 0, "list": [1, 2, 3]}}},
        "workloads": draw(st.permutations(workloads)),
    }
    if draw(st.integers(0, 3)) == 0:
        document["finally"] = _block(draw, "f", workloads, times)
    if draw(st.integers(0, 5)) == 0:
        document["workload_policy"] = {"skip_on_no_input": True}
    return document


def _workload(draw: Draw, name: str, earlier: list[Document], times: Times) -> Document:
    module = draw(st.sampled_from(["call", "call", "send", "send", "pass", "read"]))
    made: Document = {"name": name, "lifecycle": {"policy": "run_once"}}
    if module in ("pass", "read"):
        streams = _streams(draw, made, earlier)
        if not streams:
            module = "call"
    params = _params(draw, module, times)
    made["process"] = {"module": f"probe:{module}", "params": params}
    if draw(st.booleans()):
        made["register"] = f"r{name}"
    if module in ("call", "send"):
        _loop(draw, made, earlier)
    _dependencies(draw, made, earlier)
    _policies(draw, made, times)
    if module in ("send", "pass") and draw(st.integers(0, 2)) == 0:
        made["channel_policy"] = {"buffer_size": draw(st.integers(0, 2))}
    if module in ("pass", "read"):
        if draw(st.integers(0, 3)) == 0:
            made["workload_policy"] = {"skip_on_no_input": draw(st.booleans())}
        if draw(st.integers(0, 3)) == 0 and not _has_errors_reader(name, earlier):
            made["on_record_error"] = draw(st.sampled_from(["fail", "skip"]))
    if draw(st.integers(0, 4)) == 0:
        made["on_failure"] = _block(draw, f"{name}f", earlier, times)
    return made


def _streams(draw: Draw, made: Document, earlier: list[Document]) -> list[str]:
    """One or two streams of earlier workloads, as far as the language accepts them."""
    sources = [one["name"] for one in earlier if one["process"]["module"] in SENDERS]
    sources += [
        f"{one['name']}.errors"
        for one in earlier
        if "stream_inputs" in one and one.get("on_record_error", "skip") != "fail"
    ]
    if not sources:
        return []
    wanted = draw(st.lists(st.sampled_from(sources), min_size=1, max_size=2, unique=True))
    candidate = made | {"process": {"module": "probe:read"}}
    for stream in wanted:
        streams = [*made.get("stream_inputs", []), stream]
        if _is_accepted([*earlier, candidate | {"stream_inputs": streams}]):
            made["stream_inputs"] = streams
    return made.get("stream_inputs", [])


SENDERS = ("probe:send", "probe:pass")


def _has_errors_reader(name: str, workloads: list[Document]) -> bool:
    return any(f"{name}.errors" in one.get("stream_inputs", []) for one in workloads)


def _params(draw: Draw, module: str, times: Times) -> Document:
    params: Document = {"takes": times.next()}
    if draw(st.integers(0, 2)) == 0:
        params["fails"] = draw(st.integers(1, 3))
    if module == "call":
        params["value"] = draw(st.sampled_from([7, "text", [1, 2], [3, 4, 5], {"a": 1, "b": 2}]))
        return params
    if draw(st.booleans()):
        params["every"] = times.next()
    if draw(st.integers(0, 4)) == 0:
        params["fails_at"] = draw(st.integers(1, 3))
    if module == "send":
        params["count"] = draw(st.integers(0, 3))
    else:
        if draw(st.integers(0, 4)) == 0:
            params["closes_at"] = draw(st.integers(1, 3))
        if draw(st.integers(0, 3)) == 0:
            params["bad"] = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True))
    return params


def _loop(draw: Draw, made: Document, earlier: list[Document]) -> None:
    if draw(st.booleans()):
        return
    registers = [chain for one in earlier for chain in _chains(one) if not chain.endswith(".sent")]
    literal = st.sampled_from([[], {"b": 1, "a": 2}, {"z": 3, "y": 4}, *NUMBERS])
    options = [literal]
    if registers:
        options += [st.sampled_from(registers).map(lambda chain: f"{{{{ .{chain} }}}}")]
    made["loop"] = draw(st.one_of(options))
    control: Document = {}
    if draw(st.integers(0, 2)):
        control["parallel"] = draw(st.integers(1, 3))
    item, place = "item", None
    if draw(st.integers(0, 3)) == 0:
        item, place = "one", "place"
        control |= {"loop_var": item, "index_var": place}
        if draw(st.booleans()):
            made["process"]["params"]["fails"] = "{{ .place }}"
    if made["loop"] in NUMBERS and draw(st.booleans()):
        made["process"]["params"]["takes"] = f"{{{{ .{item} }}}}"
    if made["process"]["module"] == "probe:call" and draw(st.booleans()):
        values = [f"{{{{ .{item} }}}}", {"x": f"{{{{ .{item} }}}}"}]
        values += [f"{{{{ .{place} }}}}"] if place else []
        made["process"]["params"]["value"] = draw(st.sampled_from(values))
    if control:
        made["loop_control"] = control


def _dependencies(draw: Draw, made: Document, earlier: list[Document]) -> None:
    """`needs`, a register or a status, of earlier workloads, as far as the language accepts."""
    for other in earlier:
        kind = draw(st.sampled_from(["needs", "param", "when", "status", "", "", "", ""]))
        candidate = _with_dependency(draw, made, other, kind)
        if kind and _is_accepted([*earlier, candidate]):
            made.update(candidate)


def _with_dependency(draw: Draw, made: Document, other: Document, kind: str) -> Document:
    name = other["name"]
    if kind == "needs":
        return made | {"needs": [*made.get("needs", []), name]}
    if kind == "status":
        status = draw(st.sampled_from(["Completed", "Failed", "Skipped", "Pending"]))
        return made | {"when": f'{{{{ ._gxo.workloads.{name}.status == "{status}" }}}}'}
    if not (chains := _chains(other)):
        return made
    chain = draw(st.sampled_from(chains)) + draw(st.sampled_from(["", " | default 5"]))
    if kind == "when":
        return made | {"when": f"{{{{ .{chain} }}}}"}
    if made["process"]["module"] != "probe:call":
        return made
    params = made["process"]["params"] | {"value": f"{{{{ .{chain} }}}}"}
    return made | {"process": made["process"] | {"params": params}}


FIELDS = {"probe:call": "value", "probe:send": "sent", "probe:pass": "seen", "probe:read": "seen"}


def _chains(workload: Document) -> list[str]:
    """What templates can read of a workload: its register, and the field that its summary has."""
    register = workload.get("register")
    if register is None:
        return []
    field = FIELDS[workload["process"]["module"]]
    return [register] if "loop" in workload else [register, f"{register}.{field}"]


def _policies(draw: Draw, made: Document, times: Times) -> None:
    if "when" not in made and draw(st.integers(0, 3)) == 0:
        made["when"] = draw(st.sampled_from(WHENS))
    if draw(st.integers(0, 2)) == 0:
        retry: Document = {"attempts": draw(st.integers(2, 4)), "delay": f"{times.next()}us"}
        if draw(st.integers(0, 3)) == 0:
            retry["backoff_factor"] = draw(st.sampled_from([1.5, 2, 3]))
        if draw(st.integers(0, 3)) == 0:
            retry["max_delay"] = retry["delay"]
        if draw(st.integers(0, 9)) == 0:
            retry["on_error"] = False
        made["retry"] = retry
    if draw(st.integers(0, 4)) == 0:
        made["timeout"] = f"{max(times.next(), 1)}us"
    if draw(st.integers(0, 2)) == 0:
        made["ignore_errors"] = draw(st.booleans())


def _block(draw: Draw, prefix: str, readable: list[Document], times: Times) -> list[Document]:
    """The workloads of an `on_failure` or of `finally`."""
    made: list[Document] = []
    for number in range(draw(st.integers(1, 2))):
        params = _params(draw, "call", times)
        if draw(st.integers(0, 2)) == 0:
            params["value"] = "{{ ._gxo.failure.workload | default 0 }}"
        one: Document = {
            "name": f"{prefix}{number}",
            "process": {"module": "probe:call", "params": params},
        }
        if draw(st.booleans()):
            one["register"] = f"r{prefix}{number}"
        _policies(draw, one, times)
        made.append(one)
    return made


def _is_accepted(workloads: list[Document]) -> bool:
    return not refusals(read({"workloads": workloads}))
