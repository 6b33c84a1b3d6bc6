"""What the compiler claims about records is true of the records that a run sends."""

import re
from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import Compilation
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.record_shapes import input_shapes, output_shape, stream_order
from gxo.compiler.modules.conforms import mismatches
from gxo.compiler.types import Shape
from gxo.runtime.main import main
from tests.reports import read_report

NAME = re.compile(r"^  - name: (\S+)$", re.M)
PLAYBOOK = Path(__file__).with_name("record_shapes.gxo.yaml")
TEXT = PLAYBOOK.read_text(encoding="utf-8")
STREAMS = [f"{name}.errors" if name == "bad" else name for name in NAME.findall(TEXT)]
UNKNOWN = {"json", "own-header"}

GATHERER = """\
  - name: all-{name}
    lifecycle: {{policy: run_once}}
    ignore_errors: true
    stream_inputs: [{stream}]
    process: {{module: data:collect}}
    register: all_{register}
"""


def gathered() -> str:
    """The playbook with a `data:collect` behind each stream, of `bad` behind its errors."""
    gatherers = []
    for stream in STREAMS:
        name = stream.partition(".")[0]
        gatherers.append(GATHERER.format(name=name, stream=stream, register=name.replace("-", "_")))
    return TEXT + "".join(gatherers)


def shapes(plan: Plan) -> dict[str, Shape]:
    """What is known of the records that each gatherer reads."""
    outputs: dict[str, Shape] = {}
    read: dict[str, Shape] = {}
    for workload in stream_order(plan.workloads):
        inputs = input_shapes(workload, outputs)
        outputs[workload.name] = output_shape(workload, inputs)
        if workload.name.startswith("all-"):
            [read[workload.name]] = inputs.values()
    return read


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Shape], dict[str, Any]]:
    """The shapes when compiling, and the job's report."""
    folder = tmp_path_factory.mktemp("shapes")
    compilation = Compilation("record-shapes.gxo.yaml")
    assert compilation.read(gathered().encode()) and compilation.analyse(), [
        (item.span.line, item.message) for item in compilation.diagnostics.sorted()
    ]
    assert compilation.plan is not None
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    report = folder / "report.json"
    options = ["--workspace", str(folder), "--log-level", "error", "--report", str(report)]
    assert main(names["job"], None, options) == 0
    return shapes(compilation.plan), read_report(report)


@pytest.mark.parametrize("name", NAME.findall(TEXT))
def test_records_are_what_is_claimed(
    name: str, run: tuple[dict[str, Shape], dict[str, Any]]
) -> None:
    claimed, report = run
    result = report["workload_results"][f"all-{name}"]
    records = result["summary"]["records"]
    shape = claimed[f"all-{name}"]
    assert shape.open == (name in UNKNOWN)
    assert records, result
    found = [
        one for record in records if not shape.open for one in mismatches(record, shape, "record")
    ]
    assert found == []
