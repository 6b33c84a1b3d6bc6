"""Runs the contestants of a data job in turn and holds what they wrote against each other.

    by hand      1.90 s   cpu 1.88 s        one process each, start-up included
    gxo          2.05 s   cpu 2.01 s
    Miller       5.20 s   cpu 6.10 s        more than one core took part

Each contestant has a folder with the job's inputs, in which it starts and writes. A round runs all of
them once, so that a slow moment of the machine hits all; the medians of the rounds count. The first
round's outputs must be equal: nobody wins by doing less.
"""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.outputs import Digest, digest


@dataclass(frozen=True)
class Contestant:
    """A command that does the job in its working directory."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Time:
    """The medians in seconds: on the clock, and of all processors together."""

    wall: float
    cpu: float


class WrongOutputError(Exception):
    """A contestant failed, or wrote something else than the first one."""


def run(
    contestants: Sequence[Contestant],
    inputs: Sequence[Path],
    outputs: Sequence[str],
    rounds: int,
    folder: Path,
    environment: Mapping[str, str],
) -> dict[str, Time]:
    """Time each contestant; the first one's outputs are what all others must write.

    inputs: files and folders that lie beside each contestant's outputs, by their own names. outputs:
    the names to compare. Raises WrongOutputError.
    """
    places = {one.name: _place(folder, one.name, inputs) for one in contestants}
    taken: dict[str, list[Time]] = {one.name: [] for one in contestants}
    expected: list[Digest] = []
    for number in range(rounds):
        for one in contestants:
            taken[one.name].append(_timed(one, places[one.name], environment))
            if number == 0:
                written = [digest(places[one.name] / name) for name in outputs]
                expected = expected or written
                _compare(one.name, contestants[0].name, outputs, written, expected)
            for name in outputs:
                _remove(places[one.name] / name)
    return {name: _median(times) for name, times in taken.items()}


def _place(folder: Path, name: str, inputs: Sequence[Path]) -> Path:
    """A folder for the contestant; the inputs are hard links, so that nothing is copied."""
    place = folder / "".join(letter if letter.isalnum() else "-" for letter in name)
    place.mkdir()
    for one in inputs:
        if one.is_dir():
            shutil.copytree(one, place / one.name, copy_function=os.link)
        else:
            os.link(one, place / one.name)
    return place


def _timed(one: Contestant, place: Path, environment: Mapping[str, str]) -> Time:
    log = place / "log.txt"
    started = time.perf_counter()
    with log.open("wb") as said:
        child = subprocess.Popen(
            one.command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for already
    if status:
        raise WrongOutputError(f"{one.name} failed:\n{log.read_text(errors='replace')[-2000:]}")
    return Time(wall, usage.ru_utime + usage.ru_stime)


def _compare(
    name: str,
    first: str,
    outputs: Sequence[str],
    written: Sequence[Digest],
    expected: Sequence[Digest],
) -> None:
    for output, one, other in zip(outputs, written, expected, strict=True):
        if one != other:
            raise WrongOutputError(f"{output}: {name} wrote {one}, {first} {other}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _median(times: Sequence[Time]) -> Time:
    return Time(
        statistics.median(one.wall for one in times), statistics.median(one.cpu for one in times)
    )
