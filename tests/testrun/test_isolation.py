"""Nothing of a test is left for the next one, nor for whoever runs them."""

import json
from pathlib import Path

from tests.testrun.test_cases import gxo_test

MODULE = '''\
"""Modules that look at their process, and change it."""

import os
import random
import signal
import sys
from typing import TypedDict

from gxo.runtime import Context
from gxo.runtime.spec import module


class Seen(TypedDict):
    """What the process was like."""

    text: str


@module("process:look", idempotent=True)
async def look(ctx: Context) -> Seen:
    """Look at the process, then change all of it."""
    seen = [
        os.getcwd(),
        os.environ.get("LEFT", ""),
        str(signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL),
        str(getattr(sys, "left", None)),
        str(sorted(os.listdir("/proc/self/fd"), key=int)[:4]),
        sys.stdin.read(),
        str(random.random()),
    ]
    os.chdir("/")
    os.environ["LEFT"] = "something"
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    sys.left = True  # type: ignore[attr-defined]
    print("seen:", "|".join(seen), flush=True)
    return {"text": ""}
'''
TEST = """\
outputs: [made.txt]
workloads:
  - name: look
    process: {module: process:look}
  - name: made
    process: {module: filesystem:write, params: {path: made.txt, content: x}}
"""


def test_processes_share_nothing(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "process.py").write_text(MODULE)
    (tmp_path / "temporary").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"{name}.test.gxo.yaml").write_text(TEST)
    before = sorted(path.name for path in tmp_path.iterdir())
    code, text = gxo_test(
        ["-j", "1", "--output", "json"], tmp_path, TMPDIR=str(tmp_path / "temporary")
    )
    assert code == 0, text
    told = [json.loads(line.replace('": N', '": 0')) for line in text.splitlines()]
    seen = [one["output"] for one in told if "seen:" in one.get("output", "")]
    facts = [line.removeprefix("seen: ").strip().split("|") for line in seen]
    assert [one[:-1] for one in facts] == [
        [str(tmp_path), "", "True", "None", "['0', '1', '2', '3']", ""]
    ] * 2
    assert facts[0][-1] != facts[1][-1]  # not the same random numbers either
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert list((tmp_path / "temporary").iterdir()) == []
