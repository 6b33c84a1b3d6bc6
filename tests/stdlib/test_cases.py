"""Every case of `tests/stdlib/*/cases/*.yaml` is a test; adding one needs no Python.

    - name: what is special about it
      params: {command: echo, args: [hi]}
      files: {a.txt: text, tool: {content: "...", mode: "0755"}, d: {folder: true}, l: {link: a.txt}}
      environment: {NAME: value}        # of the job
      streams: {producer: [{id: 1}]}    # what the producers send; `fail` ends one with a failure
      consumed: false                   # nobody reads the output stream
      on_record_error: fail             # default: skip
      summary: {exit_code: 0}           # the fields that matter; a text `re:...` is a pattern
      sent: [{line: hi}]                # all records
      record_errors: [re:no JSON]
      error: re:...                     # instead of a summary; with error_type
      after: {a.txt: text, b.txt: null} # files afterwards, null for none; {mode: "0644"}

The file's name is the module's, with `-` for `:`.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stdlib.harness import bench, module_spec, run

HERE = Path(__file__).parent
KEYS = {
    "name",
    "params",
    "files",
    "environment",
    "streams",
    "consumed",
    "on_record_error",
    "summary",
    "sent",
    "record_errors",
    "error",
    "error_type",
    "after",
}


def _cases() -> list[Any]:
    return [
        pytest.param(path.stem.replace("-", ":"), case, id=f"{path.stem}: {case['name']}")
        for path in sorted(HERE.glob("*/cases/*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def _lay_out(folder: Path, files: dict[str, Any]) -> None:
    for name, what in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, (str, bytes)):
            what = {"content": what}
        if what.get("folder"):
            path.mkdir()
        elif "link" in what:
            path.symlink_to(what["link"])
        elif what.get("fifo"):
            os.mkfifo(path)
        elif "size" in what:
            with path.open("wb") as file:
                file.truncate(what["size"])
        else:
            content = what["content"]
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if "mode" in what:
            path.chmod(int(what["mode"], 8))
        if "modified" in what:
            os.utime(path, (what["modified"], what["modified"]))


def _matches(actual: Any, expected: Any, where: str) -> None:
    """Fail with the place where they differ; a map is compared on the expected keys."""
    match expected:
        case str() if expected.startswith("re:"):
            if re.search(expected[3:], str(actual)) is None:
                pytest.fail(f"{where}: {actual!r} !~ {expected[3:]!r}")
        case dict():
            assert isinstance(actual, dict), f"{where}: {actual!r}"
            for key, value in expected.items():
                assert key in actual, f"{where}: no {key} in {actual!r}"
                _matches(actual[key], value, f"{where}.{key}")
        case list():
            assert isinstance(actual, list) and len(actual) == len(expected), f"{where}: {actual!r}"
            for index, value in enumerate(expected):
                _matches(actual[index], value, f"{where}.{index}")
        case _:
            assert actual == expected, f"{where}: {actual!r} is not {expected!r}"


def _check_files(folder: Path, after: dict[str, Any]) -> None:
    for name, expected in after.items():
        path = folder / name
        if expected is None:
            assert not path.exists(), f"{name} is there"
        elif isinstance(expected, str):
            assert path.read_text() == expected
        else:
            assert f"{path.stat().st_mode & 0o7777:04o}" == expected["mode"]


@pytest.mark.parametrize(("module", "case"), _cases())
def test_case(module: str, case: dict[str, Any], tmp_path: Path) -> None:
    assert case.keys() <= KEYS, f"unknown keys {sorted(case.keys() - KEYS)}"
    assert "error" in case or "summary" in case, "a case expects a summary or an error"
    _lay_out(tmp_path, case.get("files", {}))
    spec = module_spec(module)

    async def play() -> None:
        async with bench(tmp_path) as workbench:
            workbench.environment.update(case.get("environment", {}))
            outcome = await workbench.call(
                spec,
                case.get("params", {}),
                case.get("streams"),
                case.get("consumed", True),
                case.get("on_record_error") != "fail",
            )
        if "error" in case:
            assert outcome.error is not None, outcome.summary
            _matches(str(outcome.error), case["error"], "error")
            assert type(outcome.error).__name__ == case.get("error_type", "ModuleError")
        elif outcome.error is not None:
            raise outcome.error
        else:
            _matches(outcome.summary, case["summary"], "summary")
        if "sent" in case:
            _matches(outcome.sent, case["sent"], "sent")
        _matches(outcome.record_errors, case.get("record_errors", []), "record_errors")

    run(play())
    _check_files(tmp_path, case.get("after", {}))


def test_calls_side_by_side(tmp_path: Path) -> None:
    """The bench ends the streams of each, whichever is over first."""
    spec = module_spec("exec")

    async def play() -> None:
        async with bench(tmp_path) as workbench:
            params = [{"command": "echo", "args": [str(number)]} for number in range(4)]
            calls = [workbench.call(spec, given) for given in params]
            outcomes = await asyncio.gather(*calls)
        assert [one.summary["stdout"] for one in outcomes] == ["0\n", "1\n", "2\n", "3\n"]

    run(play())
