"""Each case of `cases.yaml` at -O0 and at -O1: what can be observed is the same.

A case is a playbook's workloads, and what to expect: `loops`, the members of each loop at -O1, so that no
case compares a thing with itself; the statuses; and, by name, whatever else it is about. `differs` names
what may differ, as language section 5 leaves it open.
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation, Options
from gxo.compiler.modules.index import Root
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.reporting.report import report
from gxo.runtime.settings import Settings
from gxo.runtime.workspace.jail import Jail
from tests.runtime.kernel.harness import FakeClock, FakeLoop

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
MODULES = Root(str(HERE / "modules"), "tests.runtime.streams.fused.modules")
COMPARED = (
    *("status", "reason", "error", "ignored", "attempts", "summary"),
    *("records_in", "records_out", "record_errors", "records_dropped"),
)


WRITES = """
workloads:
  numbers: {process: {module: "data:generate_from_list", params: {items: [{n: 1}]}}}
  file: {stream_inputs: [numbers], process: {module: "data:format", params: {format: csv, path: n.csv}}}
  other: {process: {module: "control:sleep", params: {duration: 1h}}}
"""


class Mapped:
    """What the run reads of its artifact: the source map."""

    def __init__(self, source_map: str) -> None:
        self._source_map = source_map

    def read(self, name: str) -> bytes:
        if name != "_gxo/sourcemap.json":
            raise FileNotFoundError(name)
        return self._source_map.encode()


def compiled(case: dict[str, Any], optimize: bool) -> Compilation:
    document = {"name": "case", "schemaVersion": "v1.0.0"}
    document |= {key: case[key] for key in ("inputs", "secrets", "finally") if key in case}
    document["workloads"] = [
        {"name": name, "lifecycle": {"policy": "run_once"}, **given}
        for name, given in case["workloads"].items()
    ]
    options = Options(optimize=optimize, verify_ir=True, module_roots=(MODULES,))
    compilation = Compilation("case.gxo.yaml", options)
    valid = compilation.read(yaml.safe_dump(document, sort_keys=False).encode())
    assert valid and compilation.analyse(), compilation.diagnostics.sorted()
    return compilation


def played(case: dict[str, Any], compilation: Compilation) -> dict[str, Any]:
    """What can be observed of a run: exit code, time, each workload's results, warnings, errors."""
    module = compilation.generate(pretty=False)
    scope: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(module.text, "gxo_job.py", "exec"), scope)
    job = scope["job"]
    settings = Settings()
    settings.inputs = {name: given.default for name, given in job.inputs.items()}
    for name, given in case.get("settings", {}).items():
        setattr(settings, name, given)
    loop = FakeLoop()
    bundle: Any = Mapped(module.source_map)
    run = Run(job, settings, bundle, clock=FakeClock(loop), environment={})
    log = io.StringIO()
    run.log = Log(run, "warning", "json", log)
    for moment, number in case.get("signals", {}).items():
        loop.call_later(moment, run.interrupt, number)
    try:
        exit_code = drive(loop, run)
    finally:
        loop.end(run.abandoned)
    told = json.loads(json.dumps(report(run)))
    results = {
        name: {key: found.get(key) for key in COMPARED} | {"ended": run.nodes[name].ended}
        for name, found in told["workload_results"].items()
    }
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    said = sorted(f"{line.get('workload')}: {line['message']}" for line in lines)
    return {"exit": exit_code, "order": list(results), "results": results, "said": said}


@pytest.mark.parametrize("optimize", [False, True])
def test_a_file_in_its_place_is_told_as_written(
    optimize: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal comes after the file has got its name, and before its workload knows that."""
    runs: list[Run] = []
    write = Jail.write

    class Watched(Run):
        async def execute(self, loop: JobLoop) -> int:
            runs.append(self)
            return await super().execute(loop)

    def written(*args: Any) -> int:
        size = write(*args)
        runs[0].loop.call_soon_threadsafe(runs[0].interrupt, 2)
        return size

    monkeypatch.setitem(globals(), "Run", Watched)
    monkeypatch.setattr(Jail, "write", written)
    case = yaml.safe_load(WRITES) | {"settings": {"workspace": str(tmp_path)}}
    found = played(case, compiled(case, optimize))
    assert (found["exit"], (tmp_path / "n.csv").read_text()) == (130, "n\n1\n")
    assert {name: one["status"] for name, one in found["results"].items()} == {
        "numbers": "Completed",
        "file": "Completed",
        "other": "Cancelled",
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: dict[str, Any]) -> None:
    plain, fused = compiled(case, optimize=False), compiled(case, optimize=True)
    assert plain.plan is not None and fused.plan is not None
    assert [list(loop.members) for loop in fused.plan.fused] == case["loops"]
    before, after = played(case, plain), played(case, fused)
    expected = case["expect"]
    statuses = {name: result["status"] for name, result in after["results"].items()}
    assert statuses == expected["statuses"], after["said"]
    assert not [text for text in expected.get("said", []) if text not in after["said"]], after
    for name, values in expected.get("results", {}).items():
        found = {key: after["results"][name][key] for key in values}
        assert found == values
    differing = {
        name: {key: (result[key], after["results"][name][key]) for key in result}
        for name, result in before["results"].items()
    }
    differing = {
        name: {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        for name, pairs in differing.items()
    }
    for name, keys in case.get("differs", {}).items():
        for key in keys:
            differing[name].pop(key, None)
    assert {name: pairs for name, pairs in differing.items() if pairs} == {}
    assert {**after, "results": None} == {**before, "results": None}
