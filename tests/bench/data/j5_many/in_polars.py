"""J5 with Polars, a query a file."""

import os
from pathlib import Path

import polars

os.mkdir("totals")
for part in sorted(Path("parts").iterdir()):
    (
        polars.scan_ndjson(part)
        .filter(polars.col("status") == "active")
        .group_by("team")
        .agg(
            polars.len().alias("orders"),
            (polars.col("price") * polars.col("quantity")).sum().alias("amount"),
        )
        .collect()
        .write_json(f"totals/{part.stem}.json")
    )
