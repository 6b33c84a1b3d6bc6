"""What a contestant wrote, made comparable: records as parsed, in any order.

{"amount": 24899628.140000083}      one tool's sum
{"amount": 24899628.14}             another's: the same to twelve digits, of sums of whole cents
"479.90"   and   479.9              a number is a number, in CSV too
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BITS = (1 << 64) - 1


@dataclass(frozen=True)
class Digest:
    """How many records there are, and the sum of their check sums: equal for equal records in any
    order. Only digests of one process compare.
    """

    records: int
    checksum: int

    def __str__(self) -> str:
        return f"{self.records:,} records ({self.checksum:016x})"


def digest(path: Path) -> Digest:
    """Of a file, or of all files in a folder with their names."""
    if path.is_dir():
        members = [
            {"file": one.name, **record} for one in path.iterdir() for record in _records(one)
        ]
        return _sum(members)
    return _sum(_records(path))


def _sum(records: Iterable[Mapping[str, Any]]) -> Digest:
    count = total = 0
    for record in records:
        count += 1
        total += hash(tuple((name, _comparable(record[name])) for name in sorted(record)))
    return Digest(count, total & _BITS)


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            yield from csv.DictReader(file)
        elif path.suffix == ".jsonl":
            yield from map(json.loads, file)
        else:
            found = json.load(file)
            yield from found if isinstance(found, list) else [found]


def _comparable(value: Any) -> Any:
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        return repr(value)
