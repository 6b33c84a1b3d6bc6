"""J3 as a loop: one parse, three conditions, orjson.dumps a line."""

import orjson

with (
    open("rows.jsonl", "rb") as rows,
    open("closed.jsonl", "wb") as closed,
    open("dear.jsonl", "wb") as dear,
    open("bulk.jsonl", "wb") as bulk,
):
    for line in rows:
        record = orjson.loads(line)
        if record["status"] == "closed":
            closed.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if record["price"] > 900:
            dear.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if record["quantity"] >= 8:
            bulk.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
