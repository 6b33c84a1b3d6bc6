"""Calls a module as a job would, for tests of your own modules with pytest.

    from gxo.testing import call

    def test_the_second_one_gets_a_number(tmp_path):
        titles = [{"title": "Tea"}, {"title": "Tea!"}]
        done = call("shop:slug", {"text": "{{ .title }}", "field": "page"}, records=titles)
        assert [record["page"] for record in done.records] == ["tea", "tea-2"]
        assert done.summary == {"records": 2, "renamed": 1}

The call is a workload of a playbook that is checked, compiled and run in this process: parameters
are what a playbook would write, and the module's file is imported as pytest imports it, so that
breakpoints, coverage and monkeypatch work. What it imports of others is not linked: install it for
the tests (`pip install -r modules.lock`).
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gxo.compiler.driver import Compilation, Options
from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.modules.spec import USERS
from gxo.compiler.rendering import render_text
from gxo.runtime.main import main

UNDER_TEST, COLLECTED = "under-test", "collected"


@dataclass(frozen=True, slots=True)
class Called:
    """What a call came to.

    status: `Completed`, `Failed` or `Skipped`. error: of one that failed. summary: as a playbook
    reads it, without `dry_run`; secrets are redacted. records: what it sent.
    """

    status: str
    error: str | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)


def call(
    module: str,
    params: Mapping[str, Any] | None = None,
    *,
    records: Sequence[Any] | None = None,
    streams: Mapping[str, Sequence[Any]] | None = None,
    folder: str | os.PathLike[str] = ".",
    workspace: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    **workload: Any,
) -> Called:
    """Call a module once. AssertionError when it cannot be called so, or breaks its declaration.

    params: as in a playbook, with templates. records: what it reads; streams: the same of several
    producers by their names. folder: where `modules/` is. workspace: its files; by default it gets
    an empty folder, which is removed. workload: further keys, such as `on_record_error="skip"`.
    """
    given = {"records": records, **(streams or {})} if records is not None else dict(streams or {})
    with tempfile.TemporaryDirectory(prefix="gxo-test-") as temporary, _importing(str(folder)):
        file = os.path.join(folder, "call.gxo.yaml")
        compilation = _compiled(file, module, params or {}, given, workload)
        report = os.path.join(temporary, "report.json")
        options = ["--report", report, "--workspace", str(workspace or temporary)]
        main(_job(compilation), None, options + ["--dry-run"] * dry_run)
        if not os.path.exists(report):
            raise AssertionError("the call could not begin: standard error says why")
        with open(report, encoding="utf-8") as opened:
            results = json.load(opened)["workload_results"]
    done = results[UNDER_TEST]
    summary = done.get("summary") or {}
    if done["status"] == "Completed" and not dry_run:
        _check(compilation, summary)
    collected = (results.get(COLLECTED) or {}).get("summary") or {}
    return Called(
        done["status"], done["error"], _without_dry_run(summary), collected.get("records", [])
    )


def _without_dry_run(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "dry_run"}


def _compiled(
    file: str,
    module: str,
    params: Mapping[str, Any],
    streams: Mapping[str, Sequence[Any] | None],
    workload: Mapping[str, Any],
) -> Compilation:
    """The playbook of the call, compiled. AssertionError with what is wrong with it."""
    producers = [
        _workload(name, "data:generate_from_list", {"items": list(items or ())})
        for name, items in streams.items()
    ]
    inputs = {"stream_inputs": [*streams]} if streams else {}
    tested = _workload(UNDER_TEST, module, params, **inputs, register="tested", **workload)
    compilation = _read(file, [*producers, tested])
    if _sends(compilation):
        collect = _workload(COLLECTED, "data:collect", {}, stream_inputs=[UNDER_TEST])
        compilation = _read(file, [*producers, tested, collect | {"register": "collected"}])
    found = compilation.diagnostics
    if found.has_errors:
        raise AssertionError("\n" + render_text(found.sorted(), compilation.texts))
    return compilation


def _workload(name: str, module: str, params: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    process = {"module": module, "params": dict(params)}
    return {"name": name, "lifecycle": {"policy": "run_once"}, "process": process, **more}


def _read(file: str, workloads: list[dict[str, Any]]) -> Compilation:
    playbook = {"name": "call", "schemaVersion": "v1.0.0", "workloads": workloads}
    compilation = Compilation(file, Options(optimize=False))
    if compilation.read(json.dumps(playbook, indent=1).encode()):
        compilation.analyse()
    return compilation


def _tested(compilation: Compilation) -> Any:
    plan = compilation.plan
    return next((one for one in plan.workloads if one.name == UNDER_TEST), None) if plan else None


def _sends(compilation: Compilation) -> bool:
    """Whether the call has an output stream."""
    tested = _tested(compilation)
    module = tested.module if tested else None
    if module is None or not module.out:
        return False
    given = [argument.name for argument in tested.arguments]
    return module.emits_when is None or module.emits_when in given


def _job(compilation: Compilation) -> Any:
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)  # noqa: S102
    return names["job"]


def _check(compilation: Compilation, summary: object) -> None:
    """The summary is what the module declares."""
    spec = _tested(compilation).module
    problems = list(mismatches(summary, spec.summary))
    if problems:
        raise AssertionError(f"{spec.name} does not return what it declares: {'; '.join(problems)}")


@contextmanager
def _importing(folder: str) -> Iterator[None]:
    """Let `modules` be imported from the folder, whatever tests of another folder have imported."""
    path = os.path.abspath(folder)
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None) or ""
        if f"{name}.".startswith(f"{USERS}.") and not file.startswith(
            os.path.join(path, USERS, "")
        ):
            del sys.modules[name]
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)
