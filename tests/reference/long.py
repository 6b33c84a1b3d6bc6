"""Random playbooks in any number: `python -m tests.reference.long 50000`.

Each hundred has its own seed, from the second argument on (default 1000), so that a failure can be
repeated alone. A failure prints the smallest playbook found, and both sides' outcomes.
"""

import sys
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import seed as with_seed

from tests.reference.compare import check
from tests.reference.interpreter import TooManyWorlds
from tests.reference.random_playbooks import Document, playbooks

CHUNK = 100


@dataclass
class Checked:
    """playbooks: how many agreed. certain: how many of them can end in one way only. set_aside:
    those with more orders of events than the interpreter follows; others took their place.
    """

    playbooks: int = 0
    certain: int = 0
    set_aside: int = 0


def check_random(count: int, seed: int) -> Checked:
    """Check so many random playbooks. Raises Disagreement for the smallest that is found."""
    checked = Checked()

    @with_seed(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(playbooks())
    def agree(document: Document) -> None:
        try:
            allowed = check(document)
        except TooManyWorlds:
            checked.set_aside += 1
            reject()
        checked.playbooks += 1
        checked.certain += allowed == 1

    agree()
    return checked


def main(count: int, seed: int = 1000) -> Checked:
    """Check `count` playbooks, a hundred at a time, and say how far it is."""
    total, start = Checked(), time.monotonic()
    for number in range(-(-count // CHUNK)):
        chunk = check_random(CHUNK, seed + number)
        total.playbooks += chunk.playbooks
        total.certain += chunk.certain
        total.set_aside += chunk.set_aside
        if number % 10 == 9 or total.playbooks >= count:
            print(
                f"{total.playbooks} random playbooks agree, {total.certain} of them with one outcome,"
                f" {total.set_aside} set aside, {time.monotonic() - start:.0f} s",
                flush=True,
            )
    return total


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
