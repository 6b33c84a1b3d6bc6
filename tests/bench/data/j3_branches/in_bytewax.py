"""J3 with Bytewax: a dataflow of Python functions, on one worker."""

import json
from collections.abc import Callable
from typing import Any

import bytewax.operators as op
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main

CONDITIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "closed": lambda record: record["status"] == "closed",
    "dear": lambda record: record["price"] > 900,
    "bulk": lambda record: record["quantity"] >= 8,
}

flow = Dataflow("branches")
lines = op.input("rows", flow, FileSource("rows.jsonl", batch_size=1_000))
records = op.map("parse", lines, json.loads)
for name, condition in CONDITIONS.items():
    kept = op.filter(f"{name}-kept", records, condition)
    texts = op.map(f"{name}-text", kept, lambda record: ("", json.dumps(record)))
    op.output(f"{name}-file", texts, FileSink(f"{name}.jsonl"))
run_main(flow)
