"""Rows that are streamed out of a database and into one, in little memory."""

import asyncio
from pathlib import Path
from typing import Any

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.database.query import query
from tests.stdlib.database.databases import Asked, asking

MANY = {
    "postgresql": "SELECT n, repeat('x', 100) AS text FROM generate_series(1, {0}) AS g(n)",
    "mysql": "SELECT seq AS n, repeat('x', 100) AS text FROM seq_1_to_{0}",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {0}) "
    "SELECT n, printf('%.*c', 100, 'x') AS text FROM c",
}


async def copied(folder: Path, kind: str, url: str, rows: int) -> Any:
    """Stream rows of a query into a table; how many there are then, and the sum of their numbers."""
    async with asking(folder, url) as asked:
        if kind == "sqlite":
            await asked("PRAGMA journal_mode = WAL")  # so that one can read while one writes
        await asked("CREATE TABLE copy (n INT, text VARCHAR(100))")
        await _copy(asked, MANY[kind].format(rows))
        [row] = await asked.rows(
            "SELECT count(*) AS rows_there, min(n) AS low, max(n) AS high FROM copy"
        )
        await asked("DROP TABLE copy")
        return row


async def _copy(asked: Asked, text: str) -> None:
    source = Source("read", Channel())
    records = Records([source.connect("write")])
    context = asked.workbench.context

    async def read() -> None:
        try:
            await query(context, out=source.port(), connection=asked.url, query=text)
        finally:
            source.finish()

    insert = "INSERT INTO copy VALUES (:n, :text)"
    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        group.create_task(
            query(
                context,
                records=records,
                connection=asked.url,
                query=insert,
                query_params=lambda record: record,
            )
        )
