"""Bad input of every kind in artifacts: each is told with file and place, and no output is left.

Also what an artifact holds: what its formats need, and nothing else.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.cli.main import main
from gxo.stdlib.data._text import MAX_LINE
from tests.reports import read_report
from tests.stdlib.data import bad_input
from tests.stdlib.stream.test_pipelines import ran, workload

GOOD = b'{"key": 1, "text": "%s"}\n' % (b"x" * 500) * 1000
BAD: dict[str, tuple[str, bytes, str]] = {
    "one-line": ("text_lines", b"", ": a line is longer than 67,108,864 bytes"),
    "no-text": ("text_lines", GOOD + b"\xff\n", "line 1001: not valid UTF-8"),
    "no-text-json": ("json", b'[1,\n"\xff"]', "element 2: line 2, column 2: not valid UTF-8"),
    "no-text-yaml": ("yaml", b"- 1\n- \xff", "value 2: line 2: not valid UTF-8"),
    "utf-16": ("csv", "a,b\n1,2\n".encode("utf-16"), "byte 0: it is in UTF-16"),
    "cut-gzip": ("jsonl", bad_input.cut_gzip(GOOD), ": the gzip file ends too early"),
    "fields": ("csv", b"a\n" + b"1\n" * 1000 + b"1,2\n", "line 1002: the row has 2 fields"),
    "quotes": ("csv", b'a\n1\n"x\n2\n', "line 3: the quotes of a field are never closed"),
    "nan": ("jsonl", GOOD + b'{"key": NaN}\n', "line 1001: NaN is no JSON"),
    "key": ("jsonl", GOOD + b'{"key": [1]}\n', "a list of 1 cannot be a key"),
    "entities": ("xml", bad_input.entity_bomb(12), "line 1, column"),
    "aliases": ("yaml", bad_input.alias_bomb(12), "line 7: the document's anchors hold more than"),
    "zip": ("xlsx", bad_input.zip_bomb(8 * 2**20), "unpacks to more than 200 times its size"),
    "regex": ("regex", b"a" * 20_000 + b"!\n", "line 1: does not match the pattern"),
    "grok": ("grok", b"1" * 20_000 + b"\n", "line 1: the field 'n' is no float"),
}
"""Each with its format, its bytes, and a part of what is told of it."""
OPTIONS = {
    "regex": {"format_options": {"pattern": "(?P<all>(a+)+)$"}},
    "grok": {"format_options": {"pattern": "%{NUMBER:n:float}"}},
}


def playbook() -> str:
    """For each bad file one chain from it to a file, which fails alone."""
    workloads = []
    ignored: dict[str, Any] = {"ignore_errors": True}
    for name, (kind, _, _) in BAD.items():
        params = {"format": kind, "path": name, **OPTIONS.get(kind, {})}
        workloads.append(workload(name, "data:parse", params, **ignored))
        before = name
        if name == "key":
            before = "count"
            count = {"group_by_fields": ["key"], "aggregate_fields": [{"name": "n", "op": "count"}]}
            keys = {"stream_inputs": [name], **ignored}
            workloads.append(workload(before, "data:aggregate", count, **keys))
        output = {"format": "jsonl", "path": f"{name}.out"}
        keys = {"stream_inputs": [before], **ignored}
        workloads.append(workload(f"{name}-out", "data:format", output, **keys))
    return playbook_of(workloads)


def playbook_of(workloads: list[dict[str, Any]]) -> str:
    head = {"name": "p", "schemaVersion": "v1.0.0"}
    return yaml.safe_dump({**head, "workloads": workloads}, width=1000)


@pytest.mark.parametrize("level", ["-O0", "-O1"])
def test_bad_files_in_a_job(level: str, tmp_path: Path) -> None:
    for name, (_, data, _) in BAD.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "one-line").open("wb") as file:
        file.write(GOOD)
        file.truncate(len(GOOD) + MAX_LINE + 2**20)
    artifact = compiled(tmp_path.parent / f"{tmp_path.name}-job", playbook(), level)
    options = ["--workspace", str(tmp_path), "--report", str(artifact.with_suffix(".json"))]
    done = subprocess.run(
        [sys.executable, str(artifact), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    results = read_report(artifact.with_suffix(".json"))["workload_results"]
    for name, (_, _, message) in BAD.items():
        last = results["count" if name == "key" else name]
        assert last["status"] == results[f"{name}-out"]["status"] == "Failed", name
        assert message in last["error"], name
        assert name == "key" or f"'{name}'" in last["error"]
    assert sorted(os.listdir(tmp_path)) == sorted(BAD)


def test_conditions_and_fields_that_would_backtrack_for_ever(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a" * 10_000 + "!\naaa\n")
    matching = {"condition": '{{ regexMatch "^(a+)+$" .line }}'}
    found = {"fields": {"tail": '{{ regexFind "(a|aa)+$" .line }}'}}
    workloads = [
        workload("lines", "data:parse", {"format": "text_lines", "path": "in"}),
        workload("some", "data:filter", matching, stream_inputs=["lines"]),
        workload("tails", "data:map", found, stream_inputs=["lines"]),
        workload("all", "data:collect", None, stream_inputs=["some"], register="all"),
        workload("each", "data:collect", None, stream_inputs=["tails"], register="each"),
    ]
    results = ran(playbook_of(workloads), tmp_path)
    assert results["all"]["summary"]["records"] == [{"line": "aaa", "number": 2}]
    assert results["each"]["summary"]["records"] == [{"tail": ""}, {"tail": "aaa"}]


def test_records_as_deep_as_there_are_can_be_told_apart(tmp_path: Path) -> None:
    row = '{"v": ' + "[" * 995 + "1" + "]" * 995 + "}\n"
    (tmp_path / "in").write_text(row * 2 + row.replace("1", "2"))
    count = {"aggregate_fields": [{"name": "n", "op": "distinct", "source_field": "v"}]}
    workloads = [
        workload("parse", "data:parse", {"format": "jsonl", "path": "in"}),
        workload("once", "data:dedupe", {}, stream_inputs=["parse"], register="once"),
        workload("count", "data:aggregate", count, stream_inputs=["parse"]),
        workload("counts", "data:collect", None, stream_inputs=["count"], register="counts"),
    ]
    results = ran(playbook_of(workloads), tmp_path)
    assert results["once"]["summary"] == {"records": 2, "dropped": 1}
    assert results["counts"]["summary"]["records"] == [{"n": 2}]


def compiled(folder: Path, source: str, *options: str) -> Path:
    folder.mkdir()
    (folder / "p.gxo.yaml").write_text(source)
    assert main(["compile", str(folder / "p.gxo.yaml"), "-o", str(folder / "p.pyz"), *options]) == 0
    return folder / "p.pyz"


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("csv", set()),
        ("yaml", {"ruamel"}),
        ("xlsx", set()),
        ("{{ .kind }}", {"ruamel"}),
    ],
)
def test_an_artifact_holds_what_its_formats_need(
    kind: str, needs: set[str], tmp_path: Path
) -> None:
    params = {"format": kind, "path": "in"}
    source = {
        "name": "p",
        "schemaVersion": "v1.0.0",
        "inputs": {"kind": {"type": "string", "default": "csv"}},
        "workloads": [workload("p", "data:parse", params)],
    }
    artifact = compiled(tmp_path / "job", yaml.safe_dump(source))
    with zipfile.ZipFile(artifact) as file:
        found = {name.split("/")[0] for name in file.namelist()}
    assert found & {"ruamel", "openpyxl", "defusedxml", "et_xmlfile", "orjson"} == needs
