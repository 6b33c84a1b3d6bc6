"""What a reader finds one by one, as the slices that `data:parse` takes.

before:  {"a": 1}, 2, Unfit("NaN is no JSON")
after:   [{"a": 1}, {"value": 2}] and the fault `element 3: NaN is no JSON`
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gxo.runtime.spec import Record
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.data._json import PAUSE, Unfit
from gxo.stdlib.data._text import NOT_UTF8, Fault, Slice, blocks, is_damaged, lines


def sliced(values: Iterable[Any], noun: str) -> Iterator[Slice]:
    """Slices of the values, each of which the errors call a `noun`.

    A ValueError of theirs comes after the slice with what was found before it.
    """
    records: list[Record] = []
    faults: list[Fault] = []
    number = 0
    try:
        for value in values:
            if value is PAUSE:
                yield records, faults
                records, faults = [], []
                continue
            number += 1
            if value.__class__ is dict:
                records.append(value)
            elif value.__class__ is Unfit:
                faults.append(Fault({"number": number}, f"{noun} {number}: {value}"))
            else:
                records.append({"value": value})
            if number % BATCH == 0:
                yield records, faults
                records, faults = [], []
    except ValueError:
        yield records, faults
        raise
    yield records, faults


def by_line(pieces: Iterator[bytes], read: Callable[[str], Record | None]) -> Iterator[Slice]:
    """Slices of the records that `read` makes of the lines, few enough for a slow pattern.

    It gives None where it finds nothing, which is all right in a blank line only, and raises
    ValueError where it finds a mistake.
    """
    number = 0
    for block in blocks(pieces):
        damaged = is_damaged(block)
        found = lines(block)
        for start in range(0, len(found), BATCH):
            records: list[Record] = []
            faults: list[Fault] = []
            for line in found[start : start + BATCH]:
                number += 1
                if damaged and is_damaged(line):
                    faults.append(Fault.line(number, line, NOT_UTF8))
                    continue
                try:
                    record = read(line)
                except ValueError as error:
                    faults.append(Fault.line(number, line, str(error)))
                    continue
                if record is not None:
                    records.append(record)
                elif line.strip():
                    faults.append(Fault.line(number, line, "does not match the pattern"))
            yield records, faults
