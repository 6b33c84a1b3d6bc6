"""What must come of a topology, computed with lists: no channels, no tasks, no compiler.

    expect(topology)["t3"]    Expected(status="Completed", records_in=8, records_out=5, ...)

What a reader that ends early, a failure or an overflow leaves to chance is None: not known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.topologies.generate import Topology, Workload
from tests.topologies.model_modules import MODULES, Flow, Made, Unclear, merged
from tests.topologies.parameters import SECRETS

COMPLETED, FAILED, SKIPPED, PENDING = "Completed", "Failed", "Skipped", "Pending"


@dataclass
class Expected:
    """One workload's end. status None: chance decides. counted: its counts are known.
    ordered: so are the order of its records, their numbers and its words. kept: what a sink keeps.
    called: how often its module was is known. drops: its streams that lose records, nobody knows how
    many.
    """

    status: str | None = COMPLETED
    ignored: bool = False
    cause: str | None = None
    counted: bool = True
    ordered: bool = True
    records_in: int = 0
    records_out: int = 0
    record_errors: int = 0
    kept: Flow | None = None
    called: bool = True
    drops: frozenset[str] = frozenset()


@dataclass
class _Work:
    """One workload while the model computes. pool: all that it can read."""

    spec: Workload
    group: int
    expected: Expected
    made: Made
    read: Flow
    fails: bool = False
    fails_late: bool = False
    attempts: int = 1


def expect(topology: Topology) -> dict[str, Expected] | None:
    """How each workload ends; None when chance decides too much."""
    try:
        return _Model(topology).expect()
    except Unclear:
        return None


class _Model:
    def __init__(self, topology: Topology) -> None:
        self.document = topology.document
        self.inputs = topology.inputs
        self.specs = {one["name"]: one for one in topology.workloads}
        self.group_of = groups(self.specs)
        self.works: dict[str, _Work] = {}
        self.needed = {name: set(_needs(self.specs, one)) for name, one in self.specs.items()}

    def expect(self) -> dict[str, Expected]:
        for name, spec in self.specs.items():
            self.works[name] = self._work(spec)
        for name, work in self.works.items():
            if all(self.works[one].expected.status == PENDING for one in self._readers(name)):
                work.expected.records_out = 0  # nobody who was started reads it
        self._end_early()
        self._stop()
        return {name: work.expected for name, work in self.works.items()}

    # One workload, when all before it are known

    def _work(self, spec: Workload) -> _Work:
        name, group = spec["name"], self.group_of[spec["name"]]
        work = _Work(spec, group, Expected(), Made(), Flow())
        streams = spec.get("stream_inputs", [])
        if self._is_blocked(name):
            work.expected.status = PENDING
            return work
        producers = [self.works[_producer(one)] for one in streams]
        if not self._is_wanted(spec):
            work.expected.status = SKIPPED
            return work
        broken = [one.expected for one in producers if one.expected.status == FAILED]
        flows = [self._flow(one) for one in streams]
        work.read = merged(flows)
        no_input = self._policy(spec, "workload_policy", "skip_on_no_input")
        if streams and no_input and not broken:
            if not work.read.records:
                work.expected.status = SKIPPED
                return work
            if not work.read.exact:
                raise Unclear
        self._call(work, flows)
        if broken:
            if work.fails or work.made.stops or len({one.cause for one in broken}) > 1:
                raise Unclear
            ignored = all(one.ignored for one in broken)
            cause = broken[0].cause
            work.expected = Expected(FAILED, ignored, cause, ordered=len(broken) < 2)
            work.expected.counted, work.expected.called = False, False
        return work

    def _call(self, work: _Work, flows: list[Flow]) -> None:
        """What the module makes, and whether it fails."""
        spec, read = work.spec, work.read
        made = work.made = self._made(spec, flows)
        if made.out.lasts > 0 and not work.spec.get("stream_inputs"):
            read = work.read = Flow(lasts=made.out.lasts)
        errors = [one for strand in made.bad for one in strand]
        if errors and not read.exact:
            raise Unclear
        tried = len(read.records) if flows else len(made.out.records) + len(errors)
        keeps_on = self._keeps_on(spec)
        work.fails_late = bool(errors) and keeps_on and len(errors) >= tried
        work.fails = made.fails or work.fails_late or (bool(errors) and not keeps_on)
        work.fails |= self._runs_out_of_time(spec, max(read.lasts, made.out.lasts))
        if spec["process"]["params"].get("fails_first", 0) if "params" in spec["process"] else 0:
            work.fails |= spec["process"]["params"]["fails_first"] >= spec["retry"]["attempts"]
        expected = work.expected
        expected.counted = read.exact
        expected.ordered = all(flow.is_ordered for flow in (read, *flows))
        expected.ordered &= all(map(is_numbered, read.records))
        expected.records_in = len(read.records) if flows else 0
        expected.record_errors = len(errors)
        expected.records_out = len(made.out.records)
        expected.kept = made.out
        sent = {spec["name"]: len(made.out.records), f"{spec['name']}.errors": len(errors)}
        expected.drops = frozenset(one for one in sent if self._overflows(spec, one, sent[one]))
        if not made.out.exact:
            expected.counted = False
        if made.stops:
            expected.counted = False
        if work.fails:
            expected.status, expected.cause = FAILED, spec["name"]
            expected.ignored = bool(spec.get("ignore_errors"))
            expected.counted &= work.fails_late

    def _made(self, spec: Workload, flows: list[Flow]) -> Made:
        call = spec["process"]
        if call["module"] == "control:identity":
            template = call["params"]["number"]
            owner = self._owner(template)
            if owner is None or owner.expected.kept is None:
                return Made(fails=owner is not None)
            return Made(
                Flow(exact=owner.expected.kept.exact), fails=owner.expected.status == SKIPPED
            )
        params, model = call.get("params", {}), MODULES[call["module"]]
        if "loop" not in spec:
            known = {name: self._value(value) for name, value in params.items()}
            if None in [known.get("items", ""), known.get("content", ""), known.get("path", "")]:
                return Made(fails=True)
            return model(known, flows)
        runs = [model({"items": item}, flows) for item in self._value(spec["loop"])]
        outs = [one.out for one in runs]
        if spec.get("loop_control", {}).get("parallel", 1) == 1:
            return Made(Flow((tuple(record for out in outs for record in out.records),)))
        return Made(merged(outs))

    def _value(self, value: Any) -> Any:
        """A parameter's value; None for what a workload that was skipped has not left."""
        if match := re.fullmatch(r"\{\{ concat (\S+) \1 \}\}", str(value)):
            return _twice(self._value(f"{{{{ {match[1]} }}}}"))
        match = re.fullmatch(r"\{\{ \.(\w+)(\.\w+)? \}\}", str(value))
        if match is None:
            return value
        if match[2] is None:
            return self.inputs.get(match[1], value)
        owner = self._owner(value)
        assert owner is not None
        if owner.expected.status == SKIPPED:
            return None
        kept = owner.expected.kept
        assert kept is not None
        return Flow(kept.strands, kept.exact)

    def _is_wanted(self, spec: Workload) -> bool:
        when = spec.get("when", True)
        if not isinstance(when, str):
            return bool(when)
        if when in SECRETS:
            return SECRETS[when]
        if when.startswith("{{ len "):
            owner = self._owner(when)
            assert owner is not None
            if owner.expected.status == SKIPPED:
                return False
            flow = owner.expected.kept
            assert flow is not None
            if not flow.exact:
                raise Unclear
            return len(flow.records) > 2
        return bool(self.inputs[when[4:-3]])

    def _runs_out_of_time(self, spec: Workload, lasts: float) -> bool:
        if spec.get("timeout", "1h") == "1h":
            return False
        group = self.group_of[spec["name"]]
        pauses = any(
            one["process"].get("params", {}).get("every", "1ms") != "1ms"
            for name, one in self.specs.items()
            if self.group_of[name] == group
        )
        if pauses and lasts < 7:
            raise Unclear  # a slow reader holds up those that it reads from
        return lasts > 0 and pauses

    # Who is connected to whom

    def _flow(self, stream: str) -> Flow:
        """What can be read of `x` or `x.errors`."""
        producer = self.works[_producer(stream)]
        if stream == producer.spec["name"]:
            flow = producer.made.out
            return replace(flow, exact=not self._loses(stream) and flow.exact)
        name, single = producer.spec["name"], len(producer.made.bad) < 2
        strands = tuple(
            tuple(
                {"record": record, "workload": name} | ({"number": number} if single else {})
                for number, record in strand
            )
            for strand in producer.made.bad
        )
        exact = not self._loses(stream) and producer.read.exact
        return Flow(strands or ((),), exact, producer.read.lasts)

    def _loses(self, stream: str) -> bool:
        return stream in self.works[_producer(stream)].expected.drops

    def _overflows(self, spec: Workload, stream: str, records: int) -> bool:
        """Whether some of so many may be dropped."""
        policy = {"buffer_size": 100, "overflow_strategy": "block"}
        policy |= self.document.get("channel_policy", {}) | spec.get("channel_policy", {})
        if records <= policy["buffer_size"] or policy["overflow_strategy"] == "block":
            return False
        if not any(map(self._begins, self._readers(stream))):
            return False
        if policy["overflow_strategy"] == "error":
            raise Unclear
        return True

    def _policy(self, spec: Workload, key: str, name: str) -> bool:
        return bool((self.document.get(key, {}) | spec.get(key, {})).get(name, False))

    def _keeps_on(self, spec: Workload) -> bool:
        errors = f"{spec['name']}.errors"
        is_read = any(errors in one.get("stream_inputs", []) for one in self.specs.values())
        return is_read or spec.get("on_record_error") == "skip"

    def _readers(self, name: str) -> list[str]:
        return [one["name"] for one in self.specs.values() if name in one.get("stream_inputs", [])]

    def _owner(self, template: str) -> _Work | None:
        for match in re.finditer(r"\.(x\d+)\b", template):
            for work in self.works.values():
                if work.spec.get("register") == match[1]:
                    return work
        return None

    def _begins(self, name: str) -> bool:
        """Whether it is to run, and not skipped for its `when`."""
        return not self._is_blocked(name) and self._is_wanted(self.specs[name])

    def _is_blocked(self, name: str) -> bool:
        """Whether something that it waits for, or that one does that it reads from, did not complete."""
        ended = [self.works[other].expected.status for other in self.needed[name]]
        if None in ended:
            raise Unclear
        streams = self.specs[name].get("stream_inputs", [])
        did_not = not {FAILED, PENDING}.isdisjoint(ended)
        return did_not or any(self._is_blocked(_producer(one)) for one in streams)

    # What an end means for others

    def _end_early(self) -> None:
        """Producers whose readers all end early do so too."""
        cut: set[str] = set()
        for name, work in reversed(self.works.items()):
            readers = [self.works[one] for one in self._readers(name)]
            started = [one for one in readers if one.expected.status not in (SKIPPED, PENDING)]
            before = _ancestors(self.specs, name)
            if not started or not all(self._stops(one, cut, before) for one in started):
                continue
            if work.expected.status == SKIPPED and "stream_inputs" in work.spec:
                raise Unclear  # it may end early before it knows that it has no input
            if work.expected.status in (SKIPPED, PENDING):
                continue
            cut.add(name)
            late = work.fails_late and not work.made.fails
            if work.expected.status == FAILED or late:
                raise Unclear
            if any(work.made.bad) and self._reads_errors(name):
                raise Unclear
            if "register" in work.spec:
                raise Unclear
            work.expected.counted, work.expected.called = False, False

    def _reads_errors(self, name: str) -> bool:
        return bool(self._readers(f"{name}.errors"))

    def _stops(self, work: _Work, cut: set[str], before: set[str]) -> bool:
        """Whether it ends early for those before it, not because of them."""
        ends_late = work.fails_late and work.expected.ignored and work.expected.counted
        is_failed = work.expected.status == FAILED and work.expected.cause not in before
        return work.made.stops or (is_failed and not ends_late) or work.spec["name"] in cut

    def _stop(self) -> None:
        """A failure that is not ignored ends the job: what had not ended by then is uncertain."""
        works = self.works
        origins = [one for one in works.values() if one.fails and not one.expected.ignored]
        if len(origins) > 1:
            raise Unclear
        if not origins:
            return
        origin = origins[0]
        before = self._ended_before(origin)
        for name, work in works.items():
            expected = work.expected
            if work is origin or name in before:
                continue
            if expected.status == PENDING or self._waits_for_failed(work, origin):
                work.expected = Expected(PENDING, counted=False)  # which end came first is open
            elif expected.cause == origin.spec["name"] and not expected.ignored:
                expected.counted = False
            else:
                expected.status, expected.counted, expected.ordered = None, False, False

    def _ended_before(self, origin: _Work) -> set[str]:
        """The workloads that must have ended before the stream group of `origin` starts."""
        found: set[str] = set()
        waiting = [origin.group]
        while waiting:
            group = waiting.pop()
            for name, work in self.works.items():
                if work.group == group:
                    waiting += [self.group_of[one] for one in self.needed[name] - found]
                    found |= self.needed[name]
        return found

    def _waits_for_failed(self, work: _Work, origin: _Work) -> bool:
        """Whether its stream group waits for the failure, or for what can no longer run."""
        cause = origin.spec["name"]
        members = [one for one, other in self.works.items() if other.group == work.group]
        ends = [self.works[other].expected for one in members for other in self.needed[one]]
        return any(
            one.status == PENDING or (one.cause == cause and not one.ignored) for one in ends
        )


def is_numbered(record: Any) -> bool:
    """Whether its number is known, if it stands for a record that failed."""
    if not isinstance(record, dict) or "workload" not in record:
        return True
    return "number" in record and is_numbered(record["record"])


def _twice(items: Any) -> Any:
    """A list's elements, and then again."""
    if not isinstance(items, Flow):
        return items and [*items, *items]
    strands = (tuple(items.records * 2),) if items.is_ordered else items.strands * 2
    return Flow(strands, items.exact)


def _producer(stream: str) -> str:
    return stream.removesuffix(".errors")


def groups(specs: dict[str, Workload]) -> dict[str, int]:
    """The number of each workload's stream group."""
    group = {name: place for place, name in enumerate(specs)}
    for name, spec in specs.items():
        for stream in spec.get("stream_inputs", []):
            old, new = group[_producer(stream)], group[name]
            group = {one: new if at == old else at for one, at in group.items()}
    return group


def _needs(specs: dict[str, Workload], spec: Workload) -> Iterator[str]:
    """Workloads of other groups that one waits for."""
    yield from spec.get("needs", [])
    text = repr([spec["process"], spec.get("when"), spec.get("loop")])
    registers = {one.get("register"): name for name, one in specs.items()}
    for match in re.finditer(r"\.(x\d+)\b", text):
        yield registers[match[1]]


def _ancestors(specs: dict[str, Workload], name: str) -> set[str]:
    """The workload, and all that it reads from, directly or not."""
    found = {name}
    for stream in specs[name].get("stream_inputs", []):
        found |= _ancestors(specs, _producer(stream))
    return found
