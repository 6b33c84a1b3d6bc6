"""nightly-sync from its artifact, against PostgreSQL and S3 (moto, with IAM); the CRM is a stand-in."""

import asyncio
import base64
import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gxo.cli.main import main
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.crypto._sealed import unsealed
from tests.examples.customers_server import COUNT, SECRET, Crm, crm
from tests.reports import read_report
from tests.services.moto import Moto
from tests.services.postgres import PASSWORD, USER, Postgres

PLAYBOOK = Path(__file__).parents[2] / "docs/examples/nightly-sync/nightly-sync.gxo.yaml"
KEY = base64.b64encode(os.urandom(32)).decode()
COLUMNS = ("id", "name", "email", "credit", "changed")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("nightly-sync") / "nightly-sync.pyz"
    assert main(["compile", str(PLAYBOOK), "-o", str(target)]) == 0
    return target


@dataclass(frozen=True)
class World:
    """The servers, and one artifact in a folder."""

    artifact: Path
    folder: Path
    crm: Crm
    postgres: Postgres
    database: str
    moto: Moto
    bucket: str

    def run(self, *options: str, **secrets: str) -> "tuple[int, dict[str, Any], str]":
        """Run the job: exit code, report, and all that it has said."""
        given = {
            "api": self.crm.address,
            "database_host": self.postgres.host,
            "database_port": str(self.postgres.port),
            "database_user": USER,
            "database": self.database,
            "endpoint": self.moto.endpoint,
            "region": "us-east-1",
            "bucket": self.bucket,
        }
        keys = {name.upper(): value for name, value in self.moto.keys["admin"].items()}
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "CRM_CLIENT_SECRET": SECRET,
            "DATABASE_PASSWORD": PASSWORD,
            "BACKUP_KEY": KEY,
            **{f"AWS_{name}": value for name, value in keys.items()},
            **secrets,
        }
        inputs = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        done = subprocess.run(
            [sys.executable, self.artifact, "--report", "report.json", *inputs, *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        report = read_report(self.folder / "report.json")
        said = done.stdout + done.stderr + json.dumps(report)
        for secret in environment.values():
            assert secret in (self.folder.as_posix(), "/usr/bin:/bin") or secret not in said
        assert not list(self.folder.rglob("customers.csv*"))
        return done.returncode, report, said

    def rows(self) -> list[Any]:
        """What the database holds."""
        return asyncio.run(self._fetch("SELECT * FROM customers ORDER BY id"))

    async def _fetch(self, query: str) -> list[Any]:
        where = {"host": self.postgres.host, "port": self.postgres.port, "user": USER}
        connection = await asyncpg.connect(**where, password=PASSWORD, database=self.database)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    def objects(self) -> list[str]:
        status, body = self.moto.ask("GET", f"/{self.bucket}?list-type=2")
        assert status == 200, body
        return [part.split("<")[0] for part in body.decode().split("<Key>")[1:]]

    def copied(self) -> list[dict[str, str]]:
        """The rows of the one copy, decrypted under the key."""
        [name] = self.objects()
        status, body = self.moto.ask("GET", f"/{self.bucket}/{name}")
        assert status == 200
        (self.folder / "sealed").write_bytes(body)
        with closing(Jail(str(self.folder))) as files:
            plain = b"".join(unsealed(files, "sealed", base64.b64decode(KEY), name.encode()))
        return list(csv.DictReader(io.StringIO(gzip.decompress(plain).decode())))


@pytest.fixture
def world(artifact: Path, tmp_path: Path, postgres: Postgres, moto: Moto) -> Iterator[World]:
    database = f"nightly_{uuid4().hex[:12]}"
    bucket = moto.make_bucket(f"nightly-{uuid4().hex[:12]}")
    with crm() as server:
        made = World(artifact, tmp_path, server, postgres, "postgres", moto, bucket)
        asyncio.run(made._fetch(f"CREATE DATABASE {database}"))
        yield World(artifact, tmp_path, server, postgres, database, moto, bucket)


def test_two_nights(world: World) -> None:
    code, report, said = world.run()
    assert code == 0, said
    results = report["workload_results"]
    assert results["upsert"]["summary"]["rows_affected"] == COUNT
    rows = world.rows()
    customers = world.crm.customers
    assert [row["name"] for row in rows] == [customers[row["id"]]["name"] for row in rows]
    assert [str(row["credit"]) for row in rows] == [customers[row["id"]]["credit"] for row in rows]
    copied = world.copied()
    assert list(copied[0]) == list(COLUMNS)
    shown = [[str(row[name]) for name in COLUMNS[:4]] for row in rows]
    assert [[row[name] for name in COLUMNS[:4]] for row in copied] == shown
    asked = [path.partition("page=")[2] for path in world.crm.asked]
    assert asked == ["", "", "2", "", "2", "3", "3"], "a new token, and a page asked for again"

    world.crm.customers[7] |= {"credit": "0.00", "changed": "2026-11-30T00:00:00Z"}
    world.crm.customers[8] |= {"credit": "999.00", "changed": "2001-01-01T00:00:00Z"}
    code, report, said = world.run()
    assert code == 0, said
    assert report["workload_results"]["upsert"]["summary"]["rows_affected"] == 1
    after = {row["id"]: str(row["credit"]) for row in world.rows()}
    assert len(after) == COUNT
    assert (after[7], after[8]) == ("0.00", "8.50")
    assert [row["credit"] for row in world.copied()] == list(after.values())


def test_a_bad_customer_changes_nothing(world: World) -> None:
    """One among the last breaks a constraint: no row is written, and no copy made."""
    world.crm.customers[COUNT - 3] |= {"email": "nowhere"}
    code, report, _ = world.run()
    assert code == 1
    assert 'violates check constraint "customers_email_check"' in report["error"], report["error"]
    statuses = {name: one["status"] for name, one in report["workload_results"].items()}
    assert statuses["upsert"] == "Failed"
    assert statuses["upload"] == "Pending"
    assert statuses["no-copies"] == "Completed"
    assert world.rows() == []
    assert world.objects() == []


def test_a_copy_that_is_not_let_in(world: World) -> None:
    """The database is up to date all the same, and no customer is left in a file."""
    keys = {f"AWS_{name.upper()}": value for name, value in world.moto.keys["reader"].items()}
    code, report, _ = world.run(**keys)
    assert code == 1
    assert report["workload_results"]["upload"]["status"] == "Failed"
    assert len(world.rows()) == COUNT
    assert world.objects() == []
