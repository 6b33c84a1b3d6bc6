"""`make proof`: what takes long, run by hand, and a table of its figures at the end.

    python -m tests.proof.run                  every proof
    python -m tests.proof.run soak --scale 0.1  one, at a tenth of its size

A proof is a module of this folder with a function `prove(scale) -> Iterator[Figure]`; its docstring's
first line says what is proven. Name it in PROOFS, and keep the last table in docs/proof.md.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module

from tests.proof.figure import Figure

PROOFS = (
    "bad_input",
    "commands",
    "connections",
    "database",
    "encryption",
    "fuzz",
    "http",
    "listing",
    "mutation",
    "objects",
    "playbooks",
    "providers",
    "reference",
    "soak",
    "sort",
    "ssh",
    "topologies",
    "transfers",
    "workspace",
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Run what takes too long for every change.")
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=f"of {', '.join(PROOFS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="how much of it (1 is all)")
    given = parser.parse_args(arguments)
    if unknown := set(given.proofs) - set(PROOFS):
        parser.error(f"no proof is called {', '.join(sorted(unknown))}")
    lines = ["| proof | what | figure | at most | | seconds |", "|---|---|--:|--:|---|--:|"]
    held = True
    for name in given.proofs or PROOFS:
        for figure, seconds in timed(name, given.scale):
            held &= figure.holds
            lines.append(figure.row(name, seconds))
            print(lines[-1], flush=True)
    print(f"\n{machine(given.scale)}\n\n" + "\n".join(lines))
    return 0 if held else 1


def timed(name: str, scale: float) -> Iterator[tuple[Figure, float]]:
    """The figures of a proof, and the seconds that each took."""
    started = time.monotonic()
    for figure in import_module(f"tests.proof.{name}").prove(scale):
        yield figure, time.monotonic() - started
        started = time.monotonic()


def machine(scale: float) -> str:
    """When and on what: nothing of it names a place."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, scale {scale:g}: Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
