"""J1 with Polars, as a query that reads the file in pieces."""

import polars

(
    polars.scan_ndjson("rows.jsonl")
    .filter(polars.col("status") == "active")
    .group_by("team")
    .agg(
        polars.len().alias("orders"),
        (polars.col("price") * polars.col("quantity")).sum().alias("amount"),
    )
    .collect(engine="streaming")
    .write_json("totals.json")
)
