"""J1 with DuckDB."""

import duckdb

duckdb.sql(
    """
    COPY (
      SELECT team, count(*) AS orders, sum(price * quantity) AS amount
      FROM read_json('rows.jsonl', format = 'newline_delimited')
      WHERE status = 'active' GROUP BY team
    ) TO 'totals.json' (FORMAT json, ARRAY true)
    """
)
