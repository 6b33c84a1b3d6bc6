"""J3 with DuckDB: one table, three copies."""

import duckdb

conditions = {"closed": "status = 'closed'", "dear": "price > 900", "bulk": "quantity >= 8"}
duckdb.sql("CREATE TABLE rows AS FROM read_json('rows.jsonl', format = 'newline_delimited')")
for name, condition in conditions.items():
    duckdb.sql(f"COPY (FROM rows WHERE {condition}) TO '{name}.jsonl' (FORMAT json)")
