"""A dry run changes nothing, whatever its statements call."""

from pathlib import Path
from typing import Any

import yaml

from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.database.databases import Asked, Database, play
from tests.stdlib.stream.test_pipelines import compiled, workload

CASES = yaml.safe_load(Path(__file__).with_name("dry_runs.yaml").read_text(encoding="utf-8"))

BEFORE = {
    "postgresql": [
        "CREATE FUNCTION change() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (9) RETURNING id'",
        "CREATE VIEW changing AS SELECT change() AS it",
        "CREATE SEQUENCE numbers",
    ],
    "mysql": [
        "CREATE TABLE aria (id INT) ENGINE = Aria",
        "CREATE FUNCTION change_it() RETURNS INT BEGIN INSERT INTO t VALUES (9); RETURN 9; END",
        "CREATE FUNCTION change_aria() RETURNS INT BEGIN INSERT INTO aria VALUES (9); RETURN 9; END",
        "CREATE VIEW changing AS SELECT change_it() AS it",
        "CREATE SEQUENCE numbers",
    ],
    "sqlite": [],
}
STATE = {
    "postgresql": "SELECT (SELECT count(*) FROM t) AS t, (SELECT is_called FROM numbers) AS n",
    "mysql": "SELECT (SELECT count(*) FROM t) AS t, (SELECT count(*) FROM aria) AS a, "
    "(SELECT next_not_cached_value FROM numbers) AS n",
    "sqlite": "SELECT count(*) AS t FROM t",
}
"""What of the database a statement could have changed."""


def test_a_dry_run_changes_nothing(database: Database, tmp_path: Path) -> None:
    async def prepare(asked: Asked) -> list[Any]:
        for statement in ("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)"):
            await asked(statement)
        for statement in BEFORE[database.kind]:
            await asked(statement)
        return await asked.rows(STATE[database.kind])

    async def look(asked: Asked) -> list[Any]:
        return await asked.rows(STATE[database.kind])

    before = play(database, tmp_path, prepare)
    wrong = []
    for case in CASES[database.kind]:
        said = dry_run(database.url, case["query"], tmp_path)
        after = play(database, tmp_path, look)
        if case["said"] not in said or after != before:
            wrong.append(f"{case['query']}: {said!r}, {after}")
    assert not wrong, "\n".join(wrong)


def dry_run(url: str, query: str, folder: Path) -> str:
    """What a dry run of the statement would do, or its error."""
    params = {"connection": url, "query": query}
    head = {"name": "p", "schemaVersion": "v1.0.0"}
    workloads = [workload("it", "database:query", params, register="it")]
    report = folder / "report.json"
    text = yaml.safe_dump({**head, "workloads": workloads}, width=1000)
    options = ["--workspace", str(folder), "--report", str(report), "--dry-run"]
    main(compiled(text), None, options)
    found = read_report(report)["workload_results"]["it"]
    return str(found["error"] or found)
