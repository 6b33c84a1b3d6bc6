"""One workload from its `when` to its summary (language, sections 2, 4, 5 and 6).

begins -> awaits a record -> calls its module, see `probes.py` -> drains its streams -> over
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.reference.playbook import Playbook
from tests.reference.probes import Probes, meet_end, next_item
from tests.reference.schedule import Schedule
from tests.reference.templates import TemplateError, is_truthy
from tests.reference.values import Values
from tests.reference.world import World

Step = Callable[[World], None]


class Calls:
    """The steps of a workload that has started."""

    def __init__(self, playbook: Playbook, schedule: Schedule) -> None:
        self.schedule = schedule
        self.specs = schedule.specs
        self.values = Values(playbook)
        self.probes = Probes(playbook, schedule, self.values)

    def steps(self, world: World, name: str) -> Iterator[Step]:
        """What the workload can do at this moment."""
        work = world.works[name]
        if work.stage == "drains":
            if self._is_drained(world, name):
                yield partial(self._finish, name=name)
            return
        if work.failing is not None:
            yield partial(self._fail, name=name)
        elif work.stage == "calls" and not work.calls:
            yield partial(self._module_over, name=name)
        if work.deadline == world.time:
            yield partial(self._time_out, name=name)
        if self._is_abandoned(world, name):
            yield partial(self._end_early, name=name)
        if work.stage == "begins":
            yield partial(self._begin, name=name)
        elif work.stage == "awaits":
            yield from self._await_steps(world, name)
        for place in range(len(work.calls)):
            yield from self.probes.steps(world, name, place)

    def moments(self, world: World) -> Iterator[int]:
        """When waiting workloads go on."""
        for work in world.works.values():
            if work.stage in ("begins", "awaits", "calls") and work.deadline is not None:
                yield work.deadline
            for call in work.calls:
                if call.stage in ("works", "pauses", "rests"):
                    yield call.until

    def _begin(self, world: World, name: str) -> None:
        """2: `when` is "evaluated once, before a loop". 4: if that fails, "the workload is Skipped
        with the error as its reason".
        """
        spec = self.specs[name]
        try:
            wanted = is_truthy(self.values.of(world, spec, spec.when))
        except TemplateError:
            self.schedule.skip(world, name, "when failed")
            return
        if not wanted:
            self.schedule.skip(world, name, "when is false")
        elif spec.skip_on_no_input and spec.stream_inputs:
            world.works[name].stage = "awaits"
        else:
            self._open(world, name)

    def _await_steps(self, world: World, name: str) -> Iterator[Step]:
        """5: with `skip_on_no_input`, "a workload whose inputs all ended without a record is Skipped
        and its module is not called".
        """
        pipes = {ends: pipe for ends, pipe in world.pipes.items() if ends[1] == name}
        if any(pipe.waiting for pipe in pipes.values()):
            yield partial(self._open, name=name)
        elif all(pipe.state == "ended" for pipe in pipes.values()):
            yield partial(self.schedule.skip, name=name, reason="no input")
        for ends, pipe in pipes.items():
            if pipe.broken and not pipe.waiting:
                yield partial(self.schedule.fail_by, name=name, by=pipe.broken)
            elif pipe.finished and not pipe.waiting and pipe.state == "open":
                yield partial(meet_end, ends=ends)

    def _open(self, world: World, name: str) -> None:
        """6: `loop`: "one instance an item, at most `parallel` at once, started in order"; over a
        map "items are `{key, value}` by sorted key"; "zero items is Completed with an empty list".
        """
        work, spec = world.works[name], self.specs[name]
        work.stage, work.started = "calls", world.time
        items: Any = [None]
        if spec.loop is not None:
            try:
                items = self.values.of(world, spec, spec.loop)
                if isinstance(items, dict):
                    items = [{"key": key, "value": items[key]} for key in sorted(items)]
                elif not isinstance(items, list):
                    raise TemplateError("no list or map")
            except TemplateError:
                self.schedule.fail(world, name, "loop")
                return
        work.items = tuple(json.dumps(item) for item in items)
        for _ in items[: spec.parallel]:
            next_item(world, name)

    def _module_over(self, world: World, name: str) -> None:
        """The module has returned for all items. 5: "A workload whose every record failed, and at
        least one did, is Failed".
        """
        work, spec = world.works[name], self.specs[name]
        if work.record_errors and work.record_errors == work.records_in:
            self.schedule.fail(world, name, "every record failed")
            return
        summaries = [json.loads(text) for _, text in sorted(work.summaries)]
        work.summary = json.dumps(summaries if spec.loop is not None else summaries[0])
        work.calls, work.stage = (), "drains"
        for pipe in world.streams_of(name) + world.streams_of(f"{name}.errors"):
            pipe.finished = True  # the errors too: their reader may come to the records after them
        if self._is_drained(world, name):
            self._finish(world, name)

    def _is_drained(self, world: World, name: str) -> bool:
        """5: "A producer is Completed when all its started consumers have drained its stream or
        closed it"; "`.errors` readers do not count for this".
        """
        return all(pipe.state != "open" for pipe in world.streams_of(name))

    def _finish(self, world: World, name: str) -> None:
        self.schedule.complete(world, name, world.works[name].summary)

    def _is_abandoned(self, world: World, name: str) -> bool:
        """5: "when all its started consumers have closed, it ends early and is Completed"."""
        started = [pipe for pipe in world.streams_of(name) if pipe.state != "discarding"]
        return bool(started) and all(pipe.state == "closed" for pipe in started)

    def _end_early(self, world: World, name: str) -> None:
        """What reads from a failed workload does not complete, see `Schedule.fail_upstream`."""
        if failed := self.schedule.failed_ancestors(world, name):
            self.schedule.fail_upstream(world, name, failed[0])
            return
        self.schedule.complete(world, name, None)

    def _time_out(self, world: World, name: str) -> None:
        """2: `timeout` is "for the whole workload, all attempts and iterations"."""
        self.schedule.fail(world, name, "timeout")

    def _fail(self, world: World, name: str) -> None:
        work = world.works[name]
        assert work.failing is not None
        self.schedule.fail(world, name, work.failing)
