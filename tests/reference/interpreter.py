"""What running a playbook means: the reference interpreter, written from the language page.

    outcomes(read(document))    every way the run may end that the page allows

It is a machine of small steps. At each moment several workloads may have a step to take; the page
does not say in which order, so every order is followed, and worlds that come out equal are followed
once. When nobody has a step to take, time moves to the next moment at which somebody has.

`Interpreter.steps` is who may do what now; `schedule.py` says what starts and ends what, `calls.py`
what one workload does from its `when` to its summary. Sections are the page's.
"""

from collections.abc import Callable

from tests.reference.calls import Calls
from tests.reference.outcome import Outcome, outcome
from tests.reference.playbook import Playbook
from tests.reference.schedule import Schedule
from tests.reference.world import World

Step = Callable[[World], None]

MOST_WORLDS = 30_000


class TooManyWorlds(Exception):
    """The playbook has more orders of events than the interpreter is willing to follow."""


class Interpreter:
    """Follows all orders of events of one playbook.

    compensates_first: whether `on_failure` of an ignored failure is over before the workload has
    ended for those that ask for its status. The page does not say, so both are allowed.
    """

    def __init__(self, playbook: Playbook, compensates_first: bool) -> None:
        self.playbook = playbook
        self.schedule = Schedule(playbook, compensates_first)
        self.calls = Calls(playbook, self.schedule)

    def outcomes(self) -> set[Outcome]:
        """Follow every order of events to its end."""
        first = World([one.name for one in self.playbook.every()])
        self.schedule.settle(first)
        waiting, known, found = [first], {first.key()}, set()
        while waiting:
            world = waiting.pop()
            if world.phase == "done":
                found.add(outcome(self.playbook, world))
                continue
            for step in self.steps(world):
                after = world.copy()
                step(after)
                self.schedule.settle(after)
                if (key := after.key()) not in known:
                    known.add(key)
                    waiting.append(after)
            if len(known) > MOST_WORLDS:
                raise TooManyWorlds
        return found

    def steps(self, world: World) -> list[Step]:
        """Everything that may happen next; when nothing may now, the passing of time."""
        found: list[Step] = list(self.schedule.steps(world))
        for name, work in world.works.items():
            if work.is_running:
                found += self.calls.steps(world, name)
        return found or [self.pass_time]

    def pass_time(self, world: World) -> None:
        """Nothing can happen now: go on to the next moment at which something can."""
        moments = list(self.schedule.moments(world)) + list(self.calls.moments(world))
        world.time = min(moment for moment in moments if moment > world.time)


def outcomes(playbook: Playbook) -> set[Outcome]:
    """Every outcome that the language page allows.

    Raises TooManyWorlds where there are more orders of events than can be followed.
    """
    found = Interpreter(playbook, compensates_first=True).outcomes()
    if any(one.ignore_errors and one.on_failure for one in playbook.workloads):
        found |= Interpreter(playbook, compensates_first=False).outcomes()
    return found
