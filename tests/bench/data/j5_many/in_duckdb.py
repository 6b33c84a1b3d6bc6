"""J5 with DuckDB, a query a file."""

import os
from pathlib import Path

import duckdb

os.mkdir("totals")
for part in sorted(Path("parts").iterdir()):
    duckdb.sql(
        f"""
        COPY (
          SELECT team, count(*) AS orders, sum(price * quantity) AS amount
          FROM read_json('{part}', format = 'newline_delimited')
          WHERE status = 'active' GROUP BY team
        ) TO 'totals/{part.stem}.json' (FORMAT json, ARRAY true)
        """
    )
