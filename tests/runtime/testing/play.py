"""Plays the cases of `isolation.yaml` in a process of its own: `python play.py isolation.yaml FOLDER`.

What a test refuses must be refused by gxo itself, and the guard of the test suite would be first.
Prints a JSON object: for each case the exit code, and the report.
"""

import asyncio
import json
import os
import socket
import sys
import textwrap
from pathlib import Path
from typing import Any

import yaml

from gxo.runtime import Context, Job
from gxo.runtime.main import main
from gxo.runtime.testing import Test
from gxo.stdlib.exec import exec_
from gxo.stdlib.test.mock_command import mock_command
from tests.reports import read_report

SCOPE = {"asyncio": asyncio, "socket": socket, "os": os, "exec_": exec_}


def job_of(case: dict[str, Any]) -> Job:
    job = Job("case", test=Test(**case.get("test", {})))
    for mock in case.get("mocks", {}).values():  # `=200000` stands for so many bytes
        if isinstance(mock, dict) and mock.get("stdout", "").startswith("="):
            mock["stdout"] = "x" * int(mock["stdout"][1:])
    if "mocks" in case:

        @job.workload("mocks", background=True)
        async def mocks(ctx: Context) -> Any:
            return await mock_command(ctx, commands=case["mocks"])

    scope: dict[str, Any] = dict(SCOPE)
    exec(f"async def body(ctx):\n{textwrap.indent(case['python'], '    ')}", scope)

    @job.workload(
        "a",
        register="a",
        after=["mocks"] if "mocks" in case else [],
        ignore_errors=case.get("ignore_errors", False),
    )
    async def a(ctx: Context) -> Any:
        for path, text in case.get("files", {}).items():
            ctx.workspace.write(path, text.encode(), 0o755)
        return await scope["body"](ctx)

    return job


def played(case: dict[str, Any], report: Path) -> dict[str, Any]:
    code = main(job_of(case), None, ["--report", str(report), "--log-level", "warning"])
    return {"code": code, **read_report(report)}


if __name__ == "__main__":
    cases = yaml.safe_load(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    print(json.dumps({name: played(case, folder / "report") for name, case in cases.items()}))
