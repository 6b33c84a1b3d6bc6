"""A million rows go from a query into a table of each database, in little memory; 200 peers babble."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.figure import Figure
from tests.services import mariadb, postgres
from tests.stdlib.database.databases import QUOTED
from tests.stdlib.database.fuzzed import BEGINNINGS, babble
from tests.stdlib.database.streams import copied
from tests.stdlib.exec.flows import measured
from tests.stdlib.harness import run

ROWS, REPLIES = 10**6, 200
MEMORY = 16.0
"""MiB: a hundred and more of the rows would be that of them all."""


def prove(scale: float) -> Iterator[Figure]:
    rows = max(10_000, round(ROWS * scale))
    replies = range(max(10, round(REPLIES * scale)))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        ours, theirs = Path(folder, "ws"), Path(folder, "mariadb")
        ours.mkdir()
        theirs.mkdir()
        pg = stack.enter_context(postgres.postgres_server())
        my = stack.enter_context(mariadb.mariadb_server(theirs))
        urls = {
            "postgresql": f"postgresql://{postgres.USER}:{QUOTED}@127.0.0.1:{pg.port}/postgres",
            "mysql": f"mysql://{mariadb.USER}:{QUOTED}@127.0.0.1:{my.port}/mysql",
            "sqlite": "sqlite:///rows.db",
        }
        yield Figure("rows", rows)
        for kind, url in urls.items():
            there, peak = measured(copied(ours, kind, url, rows))
            yield Figure(f"rows of {kind} that are missing", rows - there["rows_there"], 0)
            yield Figure(f"peak memory with {kind}, MiB", peak / 2**20, MEMORY)
        wrong = [
            (kind, seed) for kind in BEGINNINGS for seed in replies if is_wrong(ours, kind, seed)
        ]
        yield Figure("peers that send garbage", len(BEGINNINGS) * len(replies))
        yield Figure("of them without one clear error, or with something left open", len(wrong), 0)


def is_wrong(folder: Path, kind: str, seed: int) -> bool:
    try:
        run(babble(folder, kind, seed))
    except AssertionError:
        return True
    return False
