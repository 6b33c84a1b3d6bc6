"""A workspace of a hundred thousand files is removed, in little memory."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from gxo.runtime import Context, Job
from gxo.runtime.main import main
from tests.proof.figure import Figure
from tests.proof.soak import held

FILES = 100_000
MOST_MIB = 16


def prove(scale: float) -> Iterator[Figure]:
    files = max(1, round(FILES * scale))
    with TemporaryDirectory() as folder:
        os.environ["GXO_WORKSPACES"] = folder
        filled: list[float] = []
        before, *_ = held(folder)
        code = main(filling(files, filled), argv=["--log-level", "error"])
        after, _, _, left = held(folder)
    assert code == 0
    yield Figure("files in a workspace", files)
    yield Figure("seconds to remove them", time.monotonic() - filled[0])
    yield Figure("more resident memory afterwards, MiB", after - before, MOST_MIB)
    yield Figure("workspaces left behind", left, 0)


def filling(files: int, filled: list[float]) -> Job:
    """A job that makes so many files, a thousand a folder, and notes when it has."""
    job = Job("filling")

    @job.workload("fill")
    async def fill(ctx: Context) -> None:
        root = Path(ctx.workspace.path)
        for number in range(files):
            folder = root / str(number // 1000)
            if number % 1000 == 0:
                folder.mkdir()
            (folder / str(number)).touch()
        filled.append(time.monotonic())

    return job
