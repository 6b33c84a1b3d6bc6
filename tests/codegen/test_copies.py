"""No module changes what another one sees: not the state, not a record.

Each module of the library is replaced by a probe that changes all that it is given, wherever that is
no text or number; each module of a user's is one, and reads records that others read too.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler import driver
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation, Options
from gxo.compiler.modules.index import Library, Root, standard_roots
from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Shape,
    Special,
    Type,
)
from gxo.runtime import Job
from tests.runtime.kernel.harness import Stage, play

Params = list[tuple[ModuleSpec, ParamSpec]]


def sample(kind: Type) -> Any:
    """A value of the type, as nested as it can be; None for what no state can give."""
    match kind:
        case ListOf(item):
            return [sample(item), sample(item)]
        case MapOf(value):
            return {"key": sample(value)}
        case Shape() as shape:
            return {name: sample(type_) for name, type_ in shape.fields} or {
                "field": [{"deep": [1]}]
            }
        case OneOf(options):
            found = [sample(option) for option in options if option != NIL]
            return max(found, key=lambda value: isinstance(value, (dict, list)))
        case Choice(values):
            return values[0]
        case Special("Duration"):
            return "1s"
        case Special("Size"):
            return 10
        case Special("StreamName"):
            return "records"
        case Special("Condition"):
            return True
        case PerRecord() | OnDot():
            return "text"
    values: dict[Type, Any] = {ANY: [{"deep": [{"deeper": 1}]}], INT: 1, FLOAT: 1.5, BOOL: True}
    return values.get(kind, "text")


def is_once(kind: Type) -> bool:
    """Whether it is evaluated once a call, not for each record."""
    match kind:
        case PerRecord() | OnDot():
            return False
        case ListOf(inner) | MapOf(inner):
            return is_once(inner)
        case OneOf(options):
            return all(map(is_once, options))
        case Shape() as shape:
            return all(is_once(type_) for _, type_ in shape.fields)
    return True


def takes_objects(kind: Type) -> bool:
    """Whether a list or a map can be given for it, once a call."""
    if isinstance(kind, OneOf):
        return any(map(takes_objects, kind.options))
    return is_once(kind) and (isinstance(kind, (ListOf, MapOf, Shape)) or kind == ANY)


def parameters() -> Params:
    library = Library(standard_roots(), Diagnostics())
    return [
        (spec, param)
        for spec in library.all()
        for param in spec.params
        if takes_objects(param.type)
    ]


SIDES = [
    {"stream": "records", "role": "probe", "field": "text"},
    {"stream": "others", "role": "build", "field": "text"},
]
"""What a join must say of its streams."""
WRITTEN_OUT = {
    ("template:render", "vars"): "value",
    ("test:mock_module", "params"): "json",
    ("test:mock_module", "summary"): "json_body",
}
"""What is checked by its keys, and one of them for the value."""


def playbook(spec: ModuleSpec, param: ParamSpec) -> dict[str, Any]:
    given = {one.name: sample(one.type) for one in spec.params if one.required}
    if spec.one_of and param.name not in spec.one_of:
        given[spec.one_of[0]] = "text"
    if spec.name == "data:join":
        given["on"] = SIDES
    if spec.name == "test:mock_module":
        given["module"] = "exec" if param.name == "records" else "http:request"
        given["summary"] = {}
    value = "{{ .source.value }}"
    key = WRITTEN_OUT.get((spec.name, param.name))
    given[param.name] = {key: value} if key else value
    reader = {
        "name": "probe",
        "lifecycle": {"policy": spec.lifecycles[0]},
        "process": {"module": spec.name, "params": given},
    }
    if spec.records or spec.inputs:
        reader["stream_inputs"] = ["records", "others"]
    source = {"module": "control:identity", "params": {"value": sample(param.type)}}
    records = {"module": "data:generate_from_list", "params": {"items": [{"text": 1}]}}
    once = {"lifecycle": {"policy": "run_once"}}
    return {
        "name": "p",
        "schemaVersion": "v1.0.0",
        "allow": {"commands": [sample(TEXT)]},
        "workloads": [
            {"name": "source", "process": source, "register": "source", **once},
            {"name": "records", "process": records, **once},
            {"name": "others", "process": records, **once},
            reader,
        ],
    }


def compiled(text: str, path: Path) -> tuple[str, Job, dict[str, Any]]:
    """The generated text, its job, and its names; at -O0, where each module is called."""
    compilation = Compilation(str(path / "p.test.gxo.yaml"), Options(optimize=False))
    assert compilation.read(text.encode()), compilation.diagnostics.sorted()
    assert compilation.analyse(), compilation.diagnostics.sorted()
    code = compilation.generate(pretty=False).text
    names: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(code, "gxo_job.py", "exec"), names)
    return code, names["job"], names


def spoil(value: Any) -> int:
    """Change a value wherever it can be changed; how many lists and maps it had."""
    count = 0
    if isinstance(value, (dict, list)):
        count = 1
        for item in list(value.values() if isinstance(value, dict) else value):
            count += spoil(item)
        if isinstance(value, dict):
            value["spoilt"] = True
        else:
            value.append("spoilt")
    return count


@pytest.mark.parametrize(
    ("spec", "param"),
    [pytest.param(*one, id=f"{one[0].name} {one[1].name}") for one in parameters()],
)
@pytest.mark.parametrize("access", ["deep_copy", "unsafe_direct_reference"])
def test_no_module_can_change_the_state_that_it_reads(
    access: str, spec: ModuleSpec, param: ParamSpec, tmp_path: Path
) -> None:
    """Unless its playbook asks for the objects themselves.

    At -O0: at -O1 gxo's own modules, for which the probes stand here, get no copies.
    """
    text = f"state_policy: {{access_mode: {access}}}\n"
    text += yaml.safe_dump(playbook(spec, param), sort_keys=False)
    _, job, _ = compiled(text, tmp_path)
    module = importlib.import_module(spec.source)
    spoilt: list[int] = []

    async def probe(*_: Any, **given: Any) -> dict[str, Any]:
        spoilt.append(spoil(given.get(param.python, given.get(param.name))))
        return {}

    with pytest.MonkeyPatch.context() as patch:
        names = job.workloads["probe"].function.__globals__
        for name, value in list(names.items()):
            if value is module:
                patch.setattr(module, spec.function, probe)
            elif value is getattr(module, spec.function):
                patch.setitem(names, name, probe)
        played = play(job, Stage())
    assert played.statuses["probe"] == "Completed", played.log
    assert spoilt and spoilt[0] > 0, "the probe was given nothing that it could change"
    unchanged = played.run.state["source"]["value"] == sample(param.type)
    assert unchanged == (access == "deep_copy")


OWN = """
from typing import TypedDict
from gxo.runtime.context import Context
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Inputs, Out, Records

class Spoilt(TypedDict):
    count: int

def spoil(record):
    record["list"].append("spoilt")
    record["more"] = record["map"].pop("key")
    record["state"].append("spoilt")

@module("mine:records")
async def records_(ctx: Context, records: Records, out: Out | None) -> Spoilt:
    count = 0
    async for batch in records:
        for record in batch:
            spoil(record)
            count += 1
        batch.clear()
    return {"count": count}

@module("mine:optional")
async def optional(ctx: Context, records: Records | None = None) -> Spoilt:
    return await records_(ctx, records, None)

@module("mine:inputs")
async def inputs_(ctx: Context, inputs: Inputs) -> Spoilt:
    count = 0
    for records in inputs.values():
        count += (await records_(ctx, records, None))["count"]
    return {"count": count}
"""

FAN_OUT = """
name: p
schemaVersion: v1.0.0
workloads:
  - name: source
    lifecycle: {policy: run_once}
    process: {module: control:identity, params: {rows: [1]}}
    register: source
  - name: items
    lifecycle: {policy: run_once}
    process: {module: data:generate_from_list, params: {items: [{list: [1], map: {key: 1}}, {list: [2], map: {key: 2}}]}}
  - name: records
    lifecycle: {policy: run_once}
    stream_inputs: [items]
    process: {module: data:map, params: {fields: {list: "{{ .list }}", map: "{{ .map }}", state: "{{ .source.rows }}"}}}
  - {name: before, lifecycle: {policy: run_once}, stream_inputs: [records], process: {module: data:collect}, register: before}
  - {name: mine, lifecycle: {policy: run_once}, stream_inputs: [records], process: PROCESS, register: mine}
  - {name: after, lifecycle: {policy: run_once}, stream_inputs: [records], process: {module: data:collect}, register: after}
"""
RECORDS = [
    {"list": [1], "map": {"key": 1}, "state": [1]},
    {"list": [2], "map": {"key": 2}, "state": [1]},
]


@contextmanager
def own_modules(folder: Path) -> Iterator[None]:
    """Modules of a user, found beside the library."""
    (folder / "own_of_a_user").mkdir()
    (folder / "own_of_a_user" / "mine.py").write_text(OWN)
    roots = (Root(str(folder / "own_of_a_user"), "own_of_a_user"), *standard_roots())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(driver, "standard_roots", lambda: roots)
        yield
    for name in [name for name in sys.modules if name.startswith("own_of_a_user")]:
        del sys.modules[name]


PROCESSES = {
    "records": "{module: mine:records}",
    "optional records": "{module: mine:optional}",
    "inputs": "{module: mine:inputs}",
    "a step": "{module: stream:pipeline, params: {steps: [{id: a, uses: mine:records}]}}",
}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_users_module_changes_no_record_that_others_see(process: str, tmp_path: Path) -> None:
    with own_modules(tmp_path):
        text = FAN_OUT.replace("PROCESS", PROCESSES[process])
        code, job, _ = compiled(text, tmp_path)
        played = play(job, Stage())
    assert played.code == 0, played.log
    assert code.count("copies_of(records)") + code.count("copies_of(inputs)") == 1
    assert played.run.state["before"]["records"] == RECORDS
    assert played.run.state["after"]["records"] == RECORDS
    assert played.run.state["source"]["rows"] == [1]
