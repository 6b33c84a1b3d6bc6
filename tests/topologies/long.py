"""Random topologies in any number: `python -m tests.topologies.long 50000`.

Each has a seed of its own, from the second argument on (default 1000000), so that one can be repeated
alone. Of the first that goes wrong the smallest playbook found is printed.
"""

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import yaml

from tests.topologies.compare import problems
from tests.topologies.generate import Topology, generate
from tests.topologies.model import expect
from tests.topologies.shrink import shrunk


class Disagreement(AssertionError):
    """A topology goes wrong, or its levels differ."""


@dataclass
class Checked:
    """topologies: how many. known: of how many the model says all."""

    topologies: int = 0
    known: int = 0


def check(seeds: Iterable[int]) -> Checked:
    """Check the topologies of these seeds. Raises Disagreement, with a playbook to read."""
    checked = Checked()
    for seed in seeds:
        topology = generate(Random(seed))
        if found := problems(topology):
            smallest = shrunk(topology, problems)
            raise Disagreement("\n".join([*found, told(seed, smallest)]))
        checked.topologies += 1
        checked.known += expect(topology) is not None
    return checked


def told(seed: int, topology: Topology) -> str:
    """A topology that goes wrong, for people."""
    return "\n".join(
        [
            f"seed {seed}: generate(Random({seed})), made smaller",
            yaml.safe_dump(topology.document, sort_keys=False, width=120),
            *(f"{name}: {value}" for name, value in topology.inputs.items()),
            *problems(topology),
        ]
    )


def main(count: int, first: int = 1_000_000) -> Checked:
    """Check so many, and say how far it is."""
    total, start = Checked(), time.monotonic()
    for begin in range(first, first + count, 500):
        part = check(range(begin, min(begin + 500, first + count)))
        total.topologies += part.topologies
        total.known += part.known
        seconds = time.monotonic() - start
        print(f"{total.topologies} topologies, {total.known} known, {seconds:.0f} s", flush=True)
    return total


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
