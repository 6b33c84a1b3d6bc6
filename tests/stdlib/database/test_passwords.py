"""Passwords are in nothing that leaves the job."""

from pathlib import Path

from gxo.runtime.errors import ModuleError
from tests.stdlib.database.databases import QUOTED, Asked, Database, play


def test_who_is_not_let_in(server: Database, tmp_path: Path) -> None:
    async def knock(asked: Asked) -> None:
        asked.url = server.url.replace(QUOTED, "s3cret-word")
        outcome = await asked.outcome("SELECT 1 AS a")
        assert isinstance(outcome.error, ModuleError)
        assert "s3cret" not in outcome.error.message
        assert "password" in outcome.error.message

    play(server, tmp_path, knock)


def test_the_password_is_redacted_wherever_it_leaves(server: Database, tmp_path: Path) -> None:
    async def echo(asked: Asked) -> None:
        await asked("SELECT 1 AS a")
        told = asked.workbench.context.redact(f"p@ss/w:rd, {server.url}")
        assert "p@ss" not in told and QUOTED not in told
        assert f"127.0.0.1:{server.port}" in told

    play(server, tmp_path, echo)
