"""The inputs of the data jobs: the same bytes each time, made once.

rows.jsonl        1,000,000 orders, a JSON object a line, 106 MB: J1 and J3
orders.csv        1,000,000 orders that name a customer: J2
customers.csv     100,000 customers: J2
parts/0000.jsonl  1,000 files of 1,000 orders: J5
"""

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROWS, CUSTOMERS, PARTS, PART_ROWS = 1_000_000, 100_000, 1_000, 1_000
COUNTRIES = ["at", "be", "ch", "de", "dk", "es", "fi", "fr", "it", "nl", "no", "pl", "se", "uk"]
STATUSES = ["active", "active", "closed", "open"]


def make(folder: Path) -> Path:
    """The folder with the inputs; they are made if they are not there."""
    done = folder / "done"
    if done.exists():
        return folder
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    dice = random.Random(20_261_127)
    _write_lines(folder / "rows.jsonl", _orders(dice, ROWS))
    for number in range(PARTS):
        _write_lines(folder / "parts" / f"{number:04}.jsonl", _orders(dice, PART_ROWS))
    _write_table(folder / "customers.csv", ["customer", "name", "country"], _customers(dice))
    _write_table(
        folder / "orders.csv", ["order", "customer", "quantity", "price"], _purchases(dice)
    )
    done.touch()
    return folder


def _orders(dice: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": number,
            "status": dice.choice(STATUSES),
            "team": f"team-{dice.randrange(50):02}",
            "price": dice.randrange(100, 100_000) / 100,
            "quantity": dice.randrange(1, 10),
            "note": f"{dice.getrandbits(64):016x}",
        }


def _customers(dice: random.Random) -> Iterator[list[object]]:
    for number in range(CUSTOMERS):
        yield [f"c{number:06}", f"Customer {number}, Inc.", dice.choice(COUNTRIES)]


def _purchases(dice: random.Random) -> Iterator[list[object]]:
    """One in twenty names a customer whom the other file does not know."""
    for number in range(ROWS):
        customer = dice.randrange(CUSTOMERS * 20 // 19)
        yield [number, f"c{customer:06}", dice.randrange(1, 10), dice.randrange(100, 100_000) / 100]


def _write_lines(path: Path, records: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def _write_table(path: Path, columns: list[str], rows: Iterator[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
