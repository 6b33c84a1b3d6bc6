"""Whether a topology does at -O0 and at -O1 what the model says, and the same.

Not compared (architecture): times, the order between independent workloads, record numbers after a
fan-in, counts upstream of an early end, what overflow leaves. Nor what a failure that ends the job
leaves to chance at either level: which of two that fail is first, what else had ended by then.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gxo.runtime.kernel.instance import CLOSED
from tests.topologies.generate import Topology, Workload
from tests.topologies.model import COMPLETED, FAILED, SKIPPED, Expected, expect, groups, is_numbered
from tests.topologies.model_modules import Flow
from tests.topologies.real import Observed, programs, run

EXACT = ("status", "ignored")
COUNTS = ("records_in", "records_out", "record_errors", "records_dropped", "iterations", "reason")
EARLY = ("data:limit", "flow:stop")

Result = dict[str, Any]


def problems(topology: Topology) -> list[str]:
    """What is wrong at either level, or differs between them."""
    plain, optimized = programs(topology)
    expected = expect(topology)
    observed = run(plain, topology.inputs)
    found = [f"-O0: {one}" for one in wrong(topology, observed, expected)]
    if optimized.text != plain.text:
        other = run(optimized, topology.inputs)
        found += [f"-O1: {one}" for one in wrong(topology, other, expected)]
        found += differences(observed, other, expected)
    return found


# Against the model


def wrong(
    topology: Topology, observed: Observed, expected: dict[str, Expected] | None
) -> Iterator[str]:
    """What must not be, or is not as the model says."""
    yield from unsound(topology, observed)
    if expected is None:
        return
    specs = {one["name"]: one for one in topology.workloads}
    for name, one in expected.items():
        found, params = observed.workloads[name], specs[name]["process"].get("params", {})
        if one.status is None:
            continue
        for key, wanted in _wanted(one).items():
            if found[key] != wanted:
                yield f"{name}: {key} is {found[key]!r}, and the model says {wanted!r}"
        if one.status == COMPLETED and one.kept is not None and one.kept.exact:
            kept = _kept(
                found["state"], params.get("format"), observed.files.get(params.get("path"))
            )
            if kept is not None and not _is_merge(kept, one.kept):
                yield f"{name}: has {kept}, and the model says {one.kept.strands}"


def _wanted(expected: Expected) -> Result:
    wanted: Result = {"status": expected.status, "ignored": expected.ignored}
    if expected.counted and expected.status in (COMPLETED, FAILED):
        for key in ("records_in", "records_out", "record_errors"):
            wanted[key] = getattr(expected, key)
        if not expected.drops:
            wanted["records_dropped"] = 0
    return wanted


def _kept(state: Any, form: str | None, file: bytes | None) -> list[Any] | None:
    """The records that a sink has, if it has kept them as such."""
    if not isinstance(state, dict):
        return None
    if form is None:
        return state.get("records")
    text = file.decode() if file is not None else state.get("formatted_content", "")
    try:
        if form == "jsonl":
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text) if form == "json" else None  # else CSV, or a text
    except ValueError:
        return [text]


def _is_merge(kept: list[Any], flow: Flow) -> bool:
    """Whether a sink has all records of all strands, those of each in order."""
    numbered = all(map(is_numbered, flow.records))
    texts = [_canonical(record, numbered) for record in kept]
    strands = [[_canonical(record, numbered) for record in strand] for strand in flow.strands]
    if Counter(texts) != Counter(text for strand in strands for text in strand):
        return False
    return all(_is_part(strand, texts) for strand in strands if len(strand) > 1)


def _canonical(record: Any, numbered: bool) -> str:
    """A record as text; one that stands for a bad one without its error, which no model knows."""
    unknown = {"error"} if numbered else {"error", "number"}

    def known(part: dict[str, Any]) -> dict[str, Any]:
        if "workload" not in part:
            return part
        return {name: value for name, value in part.items() if name not in unknown}

    # Wherever it stands: a record that was made of it can hold it.
    return json.dumps(json.loads(_text(record), object_hook=known), sort_keys=True)


def _text(value: Any) -> str:
    """The value as JSON, or what no right value is."""
    try:
        return json.dumps(value)
    except ValueError:  # only a mistake can make one
        return '"a value that holds itself"'


def _is_part(strand: list[str], whole: list[str]) -> bool:
    left = iter(whole)
    return all(text in left for text in strand)


# What holds of every run


def unsound(topology: Topology, observed: Observed) -> Iterator[str]:
    """What no run may show, whatever chance decides."""
    results = observed.workloads
    if (observed.status, observed.exit_code) not in ((COMPLETED, 0), (FAILED, 1)):
        yield f"the job ended {observed.status} with {observed.exit_code}: {observed.error}"
    fatal = any(one["status"] == FAILED and not one["ignored"] for one in results.values())
    if fatal != (observed.status == FAILED) or fatal != (observed.error is not None):
        yield f"the job is {observed.status}, with the error {observed.error!r}"
    if "no progress" in (observed.error or ""):
        yield f"the job stood still: {observed.error}"
    specs = {one["name"]: one for one in topology.workloads}
    reads = {stream for spec in specs.values() for stream in spec.get("stream_inputs", [])}
    for name, spec in specs.items():
        goes_on = spec.get("on_record_error") == "skip" or f"{name}.errors" in reads
        if results[name]["status"] == COMPLETED and results[name]["record_errors"] and not goes_on:
            yield f"{name} is Completed, and could not process a record"
        if spec.get("stream_inputs") and results[name]["status"] == COMPLETED:
            yield from _half_read(spec, specs, results)
    for group in _groups(specs):
        yield from _lost(group, results)


def _half_read(
    spec: Workload, specs: dict[str, Workload], results: dict[str, Result]
) -> Iterator[str]:
    """Success on half a stream, or records that are nowhere."""
    result = results[spec["name"]]
    if spec["process"]["module"] in EARLY or result["reason"] == CLOSED:
        return
    sent, is_known = 0, True
    for stream in spec["stream_inputs"]:
        producer = results[stream.removesuffix(".errors")]
        if producer["status"] not in (COMPLETED, "Skipped", "Cancelled"):  # it may have sent all
            yield f"{spec['name']} is Completed, and its {stream} {producer['status']}"
        sent += producer["record_errors" if stream.endswith(".errors") else "records_out"]
        is_known &= not producer["records_dropped"]
    if is_known and result["records_in"] != sent:
        yield f"{spec['name']} has read {result['records_in']} of {sent} records"


def _groups(specs: dict[str, Workload]) -> Iterator[list[Workload]]:
    """The workloads of each stream group."""
    numbers = groups(specs)
    for number in set(numbers.values()):
        yield [spec for name, spec in specs.items() if numbers[name] == number]


def _lost(group: list[Workload], results: dict[str, Result]) -> Iterator[str]:
    """Records of a stream group that are neither read nor counted as dropped, or are both."""
    lost = dropped = 0
    for spec in group:
        result = results[spec["name"]]
        dropped += result["records_dropped"]
        if result["status"] == SKIPPED and "`when`" in result["reason"]:
            continue
        is_early = spec["process"]["module"] in EARLY or result["reason"] == CLOSED
        if is_early or result["status"] not in (COMPLETED, SKIPPED):
            return
        for stream in spec.get("stream_inputs", []):
            producer = results[stream.removesuffix(".errors")]
            lost += producer["record_errors" if stream.endswith(".errors") else "records_out"]
        lost -= result["records_in"]
    if lost != dropped:
        names = ", ".join(spec["name"] for spec in group)
        yield f"of {names}: {lost} records are not read, and {dropped} are counted as dropped"


# Between the levels


def differences(
    plain: Observed, optimized: Observed, expected: dict[str, Expected] | None
) -> Iterator[str]:
    """What differs between -O0 and -O1 and must not."""
    if expected is None:
        return
    if (plain.status, plain.exit_code) != (optimized.status, optimized.exit_code):
        yield f"-O0 ends {plain.status}, -O1 {optimized.status}"
    fatal = [one for one in expected.values() if one.status == FAILED and not one.ignored]
    if all(one.ordered for one in fatal) and plain.error != optimized.error:
        yield f"the error is {plain.error!r} at -O0 and {optimized.error!r} at -O1"
    for name in sorted(plain.workloads.keys() | optimized.workloads.keys()):
        one = expected.get(_owner(name), Expected())
        may_be_stopped = bool(fatal) and one.ignored and name not in expected
        if one.status is None or may_be_stopped:
            continue
        if name not in plain.workloads or name not in optimized.workloads:
            yield f"{name} is reported at one level only"
            continue
        for key in _compared(one):
            before, after = plain.workloads[name][key], optimized.workloads[name][key]
            if _text(before) != _text(after):
                yield f"{name}: {key} is {before!r} at -O0 and {after!r} at -O1"
        if one.ordered and one.counted and not one.drops:
            before, after = (_timeless(level.log.get(name, [])) for level in (plain, optimized))
            if before != after:
                yield f"{name}: -O0 logs {before}, -O1 {after}"
    if all(one.ordered for one in expected.values()) and plain.files != optimized.files:
        yield f"the files are {plain.files} at -O0 and {optimized.files} at -O1"


def _owner(name: str) -> str:
    """The workload itself, or the one whose `on_failure` it belongs to."""
    return re.sub(r"f\d$", "", name)


def _compared(expected: Expected) -> Iterator[str]:
    yield from EXACT
    if expected.called:
        yield "attempts"
    if expected.ordered:
        yield "error"
    if expected.counted:
        yield from (key for key in COUNTS if key != "records_dropped" or not expected.drops)
        if expected.ordered:
            yield "state"


def _timeless(lines: list[str]) -> list[str]:
    return [
        re.sub(r"(completed|failed|skipped|cancelled) in [\d.]+ \w+", r"\1", line) for line in lines
    ]
