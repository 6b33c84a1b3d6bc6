"""The tables of cases: values, placeholders, URLs, and texts that would do harm."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import WorkloadError
from gxo.stdlib.database._statement import Kind, read_statement
from gxo.stdlib.database._target import read_target
from tests.stdlib.database.databases import Asked, Database, play
from tests.stdlib.dry_run.test_dry_run import matches

HERE = Path(__file__).parent


def table(name: str) -> Any:
    return yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))


VALUES = table("values")
INJECTIONS = table("injections")
STATEMENTS = [
    pytest.param(kind, case, id=f"{kind}: {case['query']}")
    for kind, cases in table("statements").items()
    for case in cases
]


def test_values_go_in_and_come_back(database: Database, tmp_path: Path) -> None:
    wrong = play(database, tmp_path, lambda asked: wrong_values(asked, VALUES[database.kind]))
    assert not wrong, "\n".join(wrong)


async def wrong_values(asked: Asked, cases: list[dict[str, Any]]) -> list[str]:
    """The cases that go wrong: those that give a value at once, the others each alone."""
    if asked.url.startswith("postgresql"):
        await asked("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    typed = {f"v{number}": case for number, case in enumerate(cases) if "type" in case}
    null = " NULL" if asked.url.startswith("mysql") else ""
    columns = ", ".join(f"{name} {case['type']}{null}" for name, case in typed.items())
    await asked(f"CREATE TABLE it ({columns})")
    good = {name: case for name, case in typed.items() if "error" not in case}
    marks = ", ".join(f":{name}" for name in good)
    insert = f"INSERT INTO it ({', '.join(good)}) VALUES ({marks})"
    assert await asked(insert, {name: good[name]["value"] for name in good}) == {"rows_affected": 1}
    [row] = await asked.rows(f"SELECT {', '.join(good)} FROM it")
    wrong = []
    for name, case in good.items():
        back = case.get("back", case["value"])
        if row[name] != back or type(row[name]) is not type(back):
            wrong.append(f"{case}: {row[name]!r}")
    for number, case in enumerate(cases):
        if f"v{number}" not in good:
            try:
                if "sql" in case:
                    got = await asked.value(f"SELECT {case['sql']} AS v")
                else:
                    query = f"INSERT INTO it (v{number}) VALUES (:v)"
                    got = await asked(query, {"v": case["value"]})
                right = "back" in case and got == case["back"]
            except WorkloadError as error:
                got = f"{error.message} ({error.hint})"
                right = "error" in case and matches(got, case["error"])
            if not right:
                wrong.append(f"{case}: {got!r}")
    return wrong


def test_injection_attempts_stay_data(database: Database, tmp_path: Path) -> None:
    async def attack(asked: Asked) -> None:
        await asked("CREATE TABLE victims (id INT, name VARCHAR(100))")
        texts = [{"n": number, "v": text} for number, text in enumerate(INJECTIONS)]
        insert = "INSERT INTO victims VALUES (:n, :v)"
        await asked(insert, "{'n': record['n'], 'v': record['v']}", [texts])
        # And one by one, as a list; of each execution the rows are sent.
        query = "SELECT id, name FROM victims WHERE id = :2 AND name = :1"
        found = await asked.outcome(query, "[record['v'], record['n']]", [texts], consumed=True)
        assert found.sent == [{"id": one["n"], "name": one["v"]} for one in texts]
        same = await asked.outcome(
            "SELECT id FROM victims WHERE name = :v OR 1 = 2", "record", [texts], consumed=True
        )
        assert [one["id"] for one in same.sent] == list(range(len(texts)))
        assert await asked.value("SELECT count(*) AS n FROM victims") == len(texts)

    play(database, tmp_path, attack)


@pytest.mark.parametrize(("kind", "case"), STATEMENTS)
def test_placeholders(kind: Kind, case: dict[str, Any]) -> None:
    statement = read_statement(case["query"], kind)
    assert statement.marked(lambda _, name: f"<{name}>") == case["text"]
    assert statement.reads == case["reads"]


@pytest.mark.parametrize("case", table("targets"), ids=str)
def test_targets(case: dict[str, Any]) -> None:
    try:
        target = read_target(case.get("url"), case.get("profile"))
    except WorkloadError as error:
        assert matches(error.message, case.get("error")), error.message
        assert "s3cret" not in error.message
        assert error.hint == case.get("hint", error.hint)
        return
    found = {name: getattr(target, name) for name in case["target"]}
    assert found == case["target"]
    assert target.shown == case.get("shown", target.shown)
    assert target.password not in repr(target) or len(target.password) < 2
