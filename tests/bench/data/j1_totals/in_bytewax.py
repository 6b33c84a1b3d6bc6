"""J1 with Bytewax: a dataflow of Python functions, on one worker."""

import json
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.files import FileSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

Amount = tuple[str, tuple[int, float]]
totals: list[dict[str, Any]] = []


class Kept(StatelessSinkPartition[Amount]):
    def write_batch(self, items: list[Amount]) -> None:
        totals.extend({"team": team, "orders": n, "amount": sum_} for team, (n, sum_) in items)


class Keep(DynamicSink[Amount]):
    def build(self, step_id: str, worker_index: int, worker_count: int) -> Kept:
        return Kept()


def amount(line: str) -> Amount | None:
    record = json.loads(line)
    if record["status"] != "active":
        return None
    return record["team"], (1, record["price"] * record["quantity"])


flow = Dataflow("totals")
lines = op.input("rows", flow, FileSource("rows.jsonl", batch_size=1_000))
amounts = op.filter_map("amount", lines, amount)
summed = op.reduce_final("sum", amounts, lambda one, two: (one[0] + two[0], one[1] + two[1]))
op.output("keep", summed, Keep())
run_main(flow)
Path("totals.json").write_text(json.dumps(totals), encoding="utf-8")
