"""`rows_affected` of PostgreSQL, whose driver counts nothing when it executes a batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.stdlib.database.databases import Asked, Database, play

CASES = yaml.safe_load(Path(__file__).with_name("counts.yaml").read_text(encoding="utf-8"))
IDS = [{"id": number} for number in range(1, 11)]

TABLES = """
CREATE TABLE plain (id INT, n INT)
CREATE VIEW view AS SELECT * FROM plain
CREATE TABLE once (id INT PRIMARY KEY)
CREATE TABLE secret (id INT, n INT)
INSERT INTO secret SELECT g, 0 FROM generate_series(1, 10) AS g
ALTER TABLE secret ENABLE ROW LEVEL SECURITY
CREATE POLICY seen ON secret USING (id < 5) WITH CHECK (true)
CREATE TABLE written (id INT, n INT)
ALTER TABLE written ENABLE ROW LEVEL SECURITY
CREATE POLICY made ON written FOR INSERT WITH CHECK (true)
CREATE TABLE odd (id INT)
INSERT INTO odd VALUES (-1)
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id % 2 = 0 THEN NEW END; END'
CREATE TRIGGER skips BEFORE INSERT OR UPDATE ON odd FOR EACH ROW EXECUTE FUNCTION skip()
CREATE TABLE ruled (id INT)
CREATE RULE r AS ON INSERT TO ruled WHERE NEW.id % 2 = 1 DO INSTEAD NOTHING
CREATE TABLE nothing (id INT)
CREATE RULE r AS ON INSERT TO nothing DO INSTEAD NOTHING
CREATE TABLE elsewhere (id INT)
CREATE RULE r AS ON INSERT TO elsewhere DO INSTEAD INSERT INTO plain VALUES (NEW.id, 0)
"""


@pytest.fixture
def guarded(postgresql: Database, tmp_path: Path) -> Iterator[Database]:
    """The database as a role sees it that may change all tables, and read all but `written`."""
    parts = urlsplit(postgresql.url)
    role = f"role_{parts.path[1:]}"

    async def prepare(asked: Asked) -> None:
        await asked(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        for statement in TABLES.strip().splitlines():
            await asked(statement)
        await asked(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        await asked(f"REVOKE SELECT ON written FROM {role}")

    async def forget(asked: Asked) -> None:
        await asked(f"DROP OWNED BY {role}")
        await asked(f"DROP ROLE {role}")

    play(postgresql, tmp_path, prepare)
    netloc = f"{role}:x@{parts.hostname}:{parts.port}"
    yield Database(postgresql.kind, parts._replace(netloc=netloc).geturl(), postgresql.port)
    play(postgresql, tmp_path, forget)


def test_rows_are_counted_in_a_batch_as_one_by_one(guarded: Database, tmp_path: Path) -> None:
    async def count(asked: Asked) -> list[str]:
        wrong = []
        for case in CASES:
            counted = [await changed(asked, case["query"], size) for size in (1, 10)]
            if counted != [case["rows"]] * 2:
                wrong.append(f"{case}: {counted}")
        return wrong

    wrong = play(guarded, tmp_path, count)
    assert not wrong, "\n".join(wrong)


async def changed(asked: Asked, query: str, size: int) -> Any:
    """How many rows it changes, in calls of so many records, of tables that are as before."""
    total = 0
    await asked("TRUNCATE once")
    await asked("DELETE FROM secret")  # of what the role can see
    await asked("INSERT INTO secret SELECT g, 0 FROM generate_series(1, 4) AS g")
    for start in range(0, len(IDS), size):
        total += (await asked(query, "record", [IDS[start : start + size]]))["rows_affected"]
    return total
