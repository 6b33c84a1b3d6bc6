"""J2 with DuckDB. All columns stay texts, as in the other programs."""

import duckdb

duckdb.sql(
    """
    COPY (
      SELECT orders.*, name, country
      FROM read_csv('orders.csv', all_varchar = true) AS orders
      JOIN read_csv('customers.csv', all_varchar = true) USING (customer)
    ) TO 'joined.csv' (HEADER)
    """
)
