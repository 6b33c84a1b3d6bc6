"""What starts and ends what (language, sections 5 and 6): groups, failures, blocks, the job's end."""

from collections.abc import Callable, Iterator

from tests.reference.playbook import Playbook, Workload, groups, needed, observed, producer
from tests.reference.world import Noted, Pipe, Work, World

DRAIN = 5_000_000
CLEANUP = 30_000_000


class Schedule:
    """What the playbook says about order, and what an end means for the others."""

    def __init__(self, playbook: Playbook, compensates_first: bool) -> None:
        self.playbook = playbook
        self.compensates_first = compensates_first
        self.specs = {one.name: one for one in playbook.every()}
        self.groups = groups(playbook)
        self.needed = {one.name: needed(one, playbook) for one in playbook.workloads}
        self.observed = {one.name: observed(one) for one in playbook.workloads}
        self.sources = {
            one.name: {producer(stream) for stream in one.stream_inputs}
            for one in playbook.workloads
        }

    # What may happen, and when

    def steps(self, world: World) -> Iterator[Callable[[World], None]]:
        """What the job as a whole does: it ends what runs, after a failure or at a time limit."""
        if world.fatal and world.phase == "workloads" and not world.swept:
            yield self.sweep
        if world.limit == world.time:
            yield self.reach_limit

    def moments(self, world: World) -> Iterator[int]:
        if world.limit is not None:
            yield world.limit

    # Starting

    def settle(self, world: World) -> None:
        """Start what can start now, and go on to the next phase when this one is over."""
        while (
            self._start_groups(world) or self._go_on_with_blocks(world) or self._next_phase(world)
        ):
            pass

    def _start_groups(self, world: World) -> bool:
        """6: "A workload is eligible when all it depends on has ended Completed or Skipped", those
        whose status its `when` reads after any end. 5: a group "starts whole when everything
        outside it that any member depends on has ended".

        6, of a fatal failure: "nothing new starts".
        """
        if world.fatal or world.phase != "workloads":
            return False
        changed = False
        for group in self.groups:
            waiting = [name for name in group if world.works[name].stage == "waits"]
            for name in waiting:
                if self._never_can(world, name):
                    world.works[name].stage = "over"  # and stays Pending
                    changed = True
            outside = {
                other for name in waiting for other in self.needed[name] | self.observed[name]
            }
            if waiting and not changed and all(self.has_ended(world, one) for one in outside):
                self._start(world, waiting)
                changed = True
        return changed

    def _never_can(self, world: World, name: str) -> bool:
        """6: "One that can no longer become eligible counts as ended and stays `Pending`"."""
        for other in self.needed[name]:
            if self.has_ended(world, other) and not is_passed(world.works[other]):
                return True
        return any(self._is_blocked(world, other) for other in self.sources[name])

    def _is_blocked(self, world: World, name: str) -> bool:
        work = world.works[name]
        return work.stage == "over" and work.status == "Pending"

    def has_ended(self, world: World, name: str) -> bool:
        """Whether a workload has ended for those that depend on it."""
        compensating = any(owner == name for owner, _ in world.blocks)
        return world.works[name].stage == "over" and not (self.compensates_first and compensating)

    def _start(self, world: World, names: list[str]) -> None:
        """Start workloads together, with the streams between them (5: each producer-consumer pair
        has its own channel). 2: `timeout` is "for the whole workload".
        """
        for name in names:
            work, spec = world.works[name], self.specs[name]
            work.stage = "begins"
            if spec.timeout is not None:
                work.deadline = world.time + spec.timeout
            for stream in spec.stream_inputs:
                world.pipes[stream, name] = Pipe()

    # Ending

    def complete(self, world: World, name: str, summary: str | None) -> None:
        world.works[name].summary = summary
        self._end(world, name, "Completed")

    def skip(self, world: World, name: str, reason: str) -> None:
        world.works[name].reason = reason
        self._end(world, name, "Skipped")

    def cancel(self, world: World, name: str) -> None:
        self._end(world, name, "Cancelled")

    def fail(self, world: World, name: str, error: str) -> None:
        """6: "A failure without `ignore_errors` is fatal"; with it, it is `ignored`. What reads from
        a workload that has failed before fails with that one's failure, see below.
        """
        broken = [
            pipe.broken for pipe in world.inputs_of(name) if pipe.broken and pipe.state == "open"
        ]
        if broken:
            self.fail_by(world, name, min(broken, key=lambda by: world.works[by].ignored))
            return
        world.works[name].error = error
        world.works[name].ignored = self.specs[name].ignore_errors
        self._failed(world, name)

    def fail_by(self, world: World, name: str, by: str) -> None:
        """A stream broke. The one that failed first is the cause; one that was cancelled is none."""
        cause = world.works[by].cause or by
        if world.works[cause].status != "Failed":
            cause = self.failed_ancestors(world, name)[0]
        self.fail_upstream(world, name, cause)

    def fail_upstream(self, world: World, name: str, cause: str) -> None:
        """5: "Stream descendants of a failed workload are Failed with `upstream 'x' failed`, after
        the records already sent, ignored exactly when x's failure is".
        """
        work = world.works[name]
        work.error = f"upstream '{cause}' failed"
        work.cause = cause
        work.ignored = world.works[cause].ignored
        self._failed(world, name)

    def _failed(self, world: World, name: str) -> None:
        self._end(world, name, "Failed")
        ignored, block = world.works[name].ignored, self.specs[name].block
        if block == "finally" and not ignored:  # "a failure in `finally` makes the job Failed"
            world.failed_cleanup += (name,)
        elif block is None and not ignored:
            world.fatal += (name,)
        elif block is None and self.specs[name].on_failure and not world.fatal:
            world.blocks += ((name, names_of(self.specs[name].on_failure)),)

    def _end(self, world: World, name: str, status: str) -> None:
        """The workload is over: calls that still run are cancelled, streams end as it ended.

        5: "a Skipped consumer discards; a Skipped producer is an empty stream. When a consumer ends
        early its channel is closed".
        """
        work = world.works[name]
        for call in work.calls:
            if call.began is not None:
                item = call.item if self.specs[name].loop is not None else None
                note = Noted(item, call.attempt, call.began, world.time, "is cancelled")
                work.log += (note,)
        work.calls, work.status, work.stage, work.ended = (), status, "over", world.time
        for pipe in world.inputs_of(name):
            if pipe.state == "open":
                pipe.state = "discarding" if status == "Skipped" else "closed"
                pipe.waiting = ()
        for stream in (name, f"{name}.errors"):
            for pipe in world.streams_of(stream):
                if not pipe.finished:
                    pipe.finished = True
                    if status in ("Failed", "Cancelled"):
                        pipe.broken = work.cause or name

    # After a fatal failure

    def sweep(self, world: World) -> None:
        """6: "stream descendants get 5 s to drain, everything else running is cancelled"."""
        world.swept = True
        spared = self.descendants(set(world.fatal))
        for name, work in world.works.items():
            if work.is_running and name not in spared:
                self.cancel(world, name)
        world.limit = world.time + DRAIN

    def reach_limit(self, world: World) -> None:
        """The 5 s to drain, or the 30 s of `finally`, are over."""
        world.limit = None
        for name, work in world.works.items():
            if work.is_running and world.phase == "workloads":
                self.fail_upstream(world, name, self.failed_ancestors(world, name)[0])
            elif work.is_running:
                self.cancel(world, name)
        if world.phase == "finally":
            world.failed_cleanup += ("finally",)
            world.blocks = (("finally", ()),)

    def descendants(self, of: set[str]) -> set[str]:
        """The workloads that read from some, directly or not."""
        found: set[str] = set()
        while (
            fresh := {name for name, sources in self.sources.items() if sources & (of | found)}
            - found
        ):
            found |= fresh
        return found

    def failed_ancestors(self, world: World, name: str) -> list[str]:
        """Those that it reads from, directly or not, and that failed by themselves."""
        return [
            other
            for other, work in world.works.items()
            if work.status == "Failed" and work.cause is None and name in self.descendants({other})
        ]

    # Blocks and the end of the job

    def _go_on_with_blocks(self, world: World) -> bool:
        """6: "`on_failure` and `finally` blocks run their workloads in order; one that fails does
        not stop the next".
        """
        for place, (owner, left) in enumerate(world.blocks):
            if any(
                self._is_in(owner, name) for name, work in world.works.items() if work.is_running
            ):
                continue
            stopped = bool(world.fatal) and world.phase == "workloads"  # "nothing new starts"
            rest: tuple[tuple[str, tuple[str, ...]], ...] = ()
            if left and not stopped:
                self._start(world, [left[0]])
                rest = ((owner, left[1:]),)
            world.blocks = world.blocks[:place] + rest + world.blocks[place + 1 :]
            return True
        return False

    def _is_in(self, owner: str, name: str) -> bool:
        return self.specs[name].block is not None and owner in (
            self.specs[name].block,
            "on_failure",
        )

    def _next_phase(self, world: World) -> bool:
        """6: after a fatal failure all that runs is ended, "then `on_failure` of the failed
        workload, then `finally`"; `finally` "runs in every ending, for at most 30 s".
        """
        if world.blocks or any(work.is_running for work in world.works.values()):
            return False
        if world.phase == "workloads":
            if world.fatal and not world.swept:
                return False
            children = [names_of(self.specs[name].on_failure) for name in world.fatal]
            world.phase, world.limit = "on_failure", None
            world.blocks = (("on_failure", sum(children, ())),)
        elif world.phase == "on_failure":
            world.phase, world.limit = "finally", world.time + CLEANUP
            world.blocks = (("finally", names_of(self.playbook.cleanup)),)
        elif world.phase == "finally":
            world.phase, world.limit = "done", None
        else:
            return False
        return True


def is_passed(work: Work) -> bool:
    return work.status in ("Completed", "Skipped")


def names_of(specs: tuple[Workload, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in specs)
