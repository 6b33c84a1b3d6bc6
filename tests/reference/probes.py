"""One call of a workload's module: attempts (language, section 6), and what probes do with records.

begins -> works -> returns
                -> reads -> handles -> parked -> pauses -> handles ... -> returns
begins <- rests <- fails

The rules of the probes are those of their docstrings in `modules/probe.py`.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.reference.playbook import Playbook
from tests.reference.schedule import Schedule
from tests.reference.templates import TemplateError
from tests.reference.values import Values
from tests.reference.world import Call, Noted, Record, World

Step = Callable[[World], None]


class Probes:
    """The steps of one call."""

    def __init__(self, playbook: Playbook, schedule: Schedule, values: Values) -> None:
        self.schedule = schedule
        self.specs = schedule.specs
        self.values = values
        self.has_errors_reader = {
            stream.removesuffix(".errors")
            for one in playbook.workloads
            for stream in one.stream_inputs
            if stream.endswith(".errors")
        }

    def steps(self, world: World, name: str, place: int) -> Iterator[Step]:
        call = world.works[name].calls[place]
        then = partial(partial, name=name, place=place)
        if call.stage == "begins":
            yield then(self._attempt)
        elif call.stage in ("works", "pauses", "rests"):
            if call.until <= world.time:
                yield then(self._go_on)
        elif call.stage == "handles":
            yield then(self._handle)
        elif call.stage == "parked":
            if not self._is_full(world, name):
                yield then(self._after_record)
        elif call.stage == "reads":
            yield from self._read_steps(world, name, place)

    def _attempt(self, world: World, name: str, place: int) -> None:
        """Evaluate the parameters and call the probe, which works before it does anything else."""
        work, spec = world.works[name], self.specs[name]
        call = work.calls[place]
        work.attempts = max(work.attempts, call.attempt)
        try:
            params = self.values.params(world, spec, call)
        except TemplateError:
            self._attempt_failed(world, name, place, "parameter")
            return
        until = world.time + params.get("takes", 0)
        self._set(
            world,
            name,
            place,
            stage="works",
            until=until,
            began=world.time,
            params=json.dumps(params),
        )

    def _go_on(self, world: World, name: str, place: int) -> None:
        """Time that a call takes has passed."""
        call, spec = world.works[name].calls[place], self.specs[name]
        params = json.loads(call.params)
        if call.stage == "rests":
            again = Call(call.item, call.attempt + 1)
            self._set(world, name, place, **again._asdict())
        elif call.stage == "pauses":
            self._set(world, name, place, stage="handles")
        elif call.attempt <= params.get("fails", 0):
            self._attempt_failed(world, name, place, f"attempt {call.attempt} fails")
        elif spec.module == "probe:call":
            self._returned(world, name, place, {"value": params.get("value")})
        elif spec.module == "probe:send":
            path = name if spec.loop is None else f"{name}[{call.item}]"
            hand = tuple((path, n) for n in range(1, params.get("count", 0) + 1))
            self._set(world, name, place, stage="handles", hand=hand)
        else:
            self._set(world, name, place, stage="reads")

    def _read_steps(self, world: World, name: str, place: int) -> Iterator[Step]:
        """5: "Fan-in keeps each producer's order and promises nothing between producers", so any
        input that has something may be read first. The end of each is met when it is empty.
        """
        pipes = {ends: pipe for ends, pipe in world.pipes.items() if ends[1] == name}
        for ends, pipe in pipes.items():
            if pipe.waiting:
                yield partial(self._take, name=name, place=place, ends=ends)
            elif pipe.broken:
                yield partial(self._meet_failure, name=name, place=place, by=pipe.broken)
            elif pipe.finished and pipe.state == "open":
                yield partial(meet_end, ends=ends)
        if all(pipe.state != "open" for pipe in pipes.values()):
            yield partial(self._read_all, name=name, place=place)

    def _take(self, world: World, name: str, place: int, ends: tuple[str, str]) -> None:
        """Records move in batches: whatever waits."""
        pipe = world.pipes[ends]
        world.works[name].records_in += len(pipe.waiting)
        self._set(world, name, place, stage="handles", hand=pipe.waiting, moved=True)
        pipe.waiting, pipe.handed = (), 0

    def _meet_failure(self, world: World, name: str, place: int, by: str) -> None:
        """The module learns of it as an error of its read."""
        work = world.works[name]
        self._note(world, name, work.calls[place], "fails")
        work.calls = ()
        self.schedule.fail_by(world, name, by)

    def _read_all(self, world: World, name: str, place: int) -> None:
        self._returned(world, name, place, {"seen": by_path(world.works[name].calls[place].seen)})

    def _handle(self, world: World, name: str, place: int) -> None:
        """A probe handles the next record of its hand, or has none left."""
        work, spec = world.works[name], self.specs[name]
        call = work.calls[place]
        params = json.loads(call.params)
        if not call.hand:
            if spec.module == "probe:send":
                self._returned(world, name, place, {"sent": params.get("count", 0)})
            else:
                self._set(world, name, place, stage="reads")
            return
        record, number = call.hand[0], call.number + 1
        call = self._set(world, name, place, hand=call.hand[1:], number=number)
        if number == params.get("fails_at", 0):
            self._attempt_failed(world, name, place, f"record {number}")
        elif number in (params.get("bad") or ()):
            self._record_error(world, name, place, number)
        else:
            path, n = record
            if spec.module != "probe:send":
                self._set(world, name, place, seen=(*call.seen, record))
                record = (f"{path}/{name}", n)
            self._send(world, name, place, record)

    def _record_error(self, world: World, name: str, place: int, number: int) -> None:
        """5: "by default the first one fails the workload; with `on_record_error: skip` it is left
        out and the workload goes on; when some workload names `<name>.errors` in its
        `stream_inputs`, it goes there and the workload goes on".
        """
        world.works[name].record_errors += 1
        if name in self.has_errors_reader:
            self._put(world, f"{name}.errors", (f"{name}.errors", number))
            self._park(world, name, place)
        elif self.specs[name].on_record_error == "skip":
            self._after_record(world, name, place)
        else:
            self._attempt_failed(world, name, place, f"record {number} failed: a bad record")

    def _send(self, world: World, name: str, place: int, record: Record) -> None:
        """5: "Each producer-consumer pair has its own bounded channel, so each consumer sees every
        record, in the producer's order"; "A workload with no consumer runs and its records are
        discarded".
        """
        self._put(world, name, record)
        if world.streams_of(name):
            world.works[name].records_out += 1
            self._set(world, name, place, moved=True)
        self._park(world, name, place)

    def _put(self, world: World, stream: str, record: Record) -> None:
        """A consumer that waits for a record is handed it; what it has does not fill its channel."""
        for (name, consumer), pipe in world.pipes.items():
            if name == stream and pipe.state == "open":
                reader = world.works[consumer]
                is_waiting = reader.stage == "awaits" or any(
                    call.stage == "reads" for call in reader.calls
                )
                if is_waiting and not pipe.waiting:
                    pipe.handed = 1
                pipe.waiting = (*pipe.waiting, record)

    def _park(self, world: World, name: str, place: int) -> None:
        """5: "`block` gives back-pressure"."""
        if self._is_full(world, name):
            self._set(world, name, place, stage="parked")
        else:
            self._after_record(world, name, place)

    def _is_full(self, world: World, name: str) -> bool:
        limit = self.specs[name].buffer_size
        pipes = world.streams_of(name) + world.streams_of(f"{name}.errors")
        return any(len(pipe.waiting) - pipe.handed > limit for pipe in pipes)

    def _after_record(self, world: World, name: str, place: int) -> None:
        """A probe may want no more records; it rests for a while after each."""
        call = world.works[name].calls[place]
        params = json.loads(call.params)
        if call.number == params.get("closes_at", 0):
            for pipe in world.inputs_of(name):
                if pipe.state == "open":
                    pipe.state, pipe.waiting = "closed", ()
            self._read_all(world, name, place)
        elif every := params.get("every", 0):
            self._set(world, name, place, stage="pauses", until=world.time + every)
        else:
            self._set(world, name, place, stage="handles")

    def _attempt_failed(self, world: World, name: str, place: int, error: str) -> None:
        """6: "the delay before attempt n+1 is min(max_delay, delay * backoff_factor^(n-1))"; "Once
        records were sent or read the failure is final, noted `not retried`"; of a loop, "the first
        failing instance cancels the others".
        """
        work, spec = world.works[name], self.specs[name]
        call = work.calls[place]
        self._note(world, name, call, "fails")
        if call.attempt < spec.attempts and not call.moved:
            delay = spec.delay * spec.backoff ** (call.attempt - 1)
            if spec.max_delay is not None:
                delay = min(spec.max_delay, delay)
            until = world.time + round(delay)
            self._set(world, name, place, stage="rests", until=until, began=None)
            return
        if call.attempt < spec.attempts:
            work.reason = "not retried"
        work.calls = work.calls[:place] + work.calls[place + 1 :]
        if spec.loop is not None:
            error = f"item {call.item}: {error}"
        work.failing = work.failing or error

    def _returned(self, world: World, name: str, place: int, summary: Any) -> None:
        """6: of a loop, "`register` gets the list of summaries in item order"."""
        work = world.works[name]
        call = work.calls[place]
        self._note(world, name, call, "returns")
        work.summaries = (*work.summaries, (call.item, json.dumps(summary)))
        work.calls = work.calls[:place] + work.calls[place + 1 :]
        assert work.items is not None
        if work.failing is None and work.next_item < len(work.items):
            next_item(world, name)

    def _note(self, world: World, name: str, call: Call, how: str) -> None:
        if call.began is not None:
            item = call.item if self.specs[name].loop is not None else None
            world.works[name].log += (Noted(item, call.attempt, call.began, world.time, how),)

    def _set(self, world: World, name: str, place: int, **fields: Any) -> Call:
        """Change a call, and return it as it is now."""
        calls = world.works[name].calls
        call = calls[place]._replace(**fields)
        world.works[name].calls = (*calls[:place], call, *calls[place + 1 :])
        return call


def next_item(world: World, name: str) -> None:
    """Begin the loop's next instance."""
    work = world.works[name]
    work.calls += (Call(item=work.next_item, attempt=1),)
    work.next_item += 1


def meet_end(world: World, ends: tuple[str, str]) -> None:
    """A consumer has read a stream to its end."""
    world.pipes[ends].state = "ended"


def by_path(seen: tuple[Record, ...]) -> dict[str, list[int]]:
    paths: dict[str, list[int]] = {}
    for path, n in seen:
        paths.setdefault(path, []).append(n)
    return paths
