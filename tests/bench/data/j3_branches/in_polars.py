"""J3 with Polars: one frame, three files."""

import polars

rows = polars.read_ndjson("rows.jsonl")
rows.filter(polars.col("status") == "closed").write_ndjson("closed.jsonl")
rows.filter(polars.col("price") > 900).write_ndjson("dear.jsonl")
rows.filter(polars.col("quantity") >= 8).write_ndjson("bulk.jsonl")
