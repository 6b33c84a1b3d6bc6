"""J2 with Bytewax: a dataflow of Python functions, on one worker."""

import csv
import io
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.files import CSVSource, FileSink
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main

with open("customers.csv", encoding="utf-8", newline="") as file:
    customers = {row["customer"]: row for row in csv.DictReader(file)}


def joined(order: dict[str, str]) -> tuple[str, str] | None:
    found = customers.get(order["customer"])
    if found is None:
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow((order | found).values())
    return "joined", text.getvalue()


flow = Dataflow("join")
orders = op.input("orders", flow, CSVSource("orders.csv", batch_size=1_000))
lines = op.filter_map("join", orders, joined)
op.output("write", lines, FileSink("rows.csv"))
run_main(flow)
# Its sink writes no header.
with open("joined.csv", "w", encoding="utf-8") as target:
    target.write("order,customer,quantity,price,name,country\n")
    with open("rows.csv", encoding="utf-8") as rows:
        while piece := rows.read(1 << 20):
            target.write(piece)
Path("rows.csv").unlink()
