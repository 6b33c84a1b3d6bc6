"""J3 as a loop: one parse, three conditions, json.dumps a line."""

import json

with (
    open("rows.jsonl", encoding="utf-8") as rows,
    open("closed.jsonl", "w", encoding="utf-8") as closed,
    open("dear.jsonl", "w", encoding="utf-8") as dear,
    open("bulk.jsonl", "w", encoding="utf-8") as bulk,
):
    for line in rows:
        record = json.loads(line)
        if record["status"] == "closed":
            closed.write(json.dumps(record) + "\n")
        if record["price"] > 900:
            dear.write(json.dumps(record) + "\n")
        if record["quantity"] >= 8:
            bulk.write(json.dumps(record) + "\n")
