"""Random playbooks in a dry run: none is a defect, none touches anything, and all that runs is told."""

import contextlib
import io
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.dry_run.test_dry_run import world
from tests.stdlib.stream.test_pipelines import compiled, workload

TEXTS = {
    "exec": ["stdout", "stderr"],
    "filesystem:write": ["path"],
    "filesystem:read": ["content"],
    "control:identity": ["a"],
    "data:format": ["formatted_content"],
}
"""Fields of summaries that are texts, by module."""

READ = [
    "{0}",
    "{{{{ .{1}.dry_run }}}}{0}",
    "{{{{ .{1}.{2} }}}}",
    "{{{{ .{1}.{2} | default `d` }}}}",
]
WHEN = [
    "{{{{ .{1}.{2} }}}} == 'x'",
    "{{{{ if .{1} }}}}true{{{{ end }}}}",
    "{{{{ .{1}.dry_run | default false }}}}",
    '{{{{ ._gxo.workloads.{0}.status == "Completed" }}}}',
    "{{{{ or (eq .{1}.{2} `x`) true }}}}",
]


class Maker:
    """Draws a playbook: each workload may read what earlier ones registered or sent."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.made: list[dict[str, Any]] = []
        self.modules: dict[str, str] = {}

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def text(self, plain: str) -> str:
        """A text that may read a field of an earlier summary."""
        known = [name for name, module in self.modules.items() if module in TEXTS]
        if not known:
            return plain
        name = self.pick(*known)
        field = self.pick(*TEXTS[self.modules[name]])
        return str(self.pick(*READ)).format(plain, f"r{name}", field)

    def path(self) -> str:
        return str(self.pick("a.txt", "b.txt", "d/c.txt", self.text("x")))

    def params(self, module: str) -> dict[str, Any] | None:
        match module:
            case "exec":
                return {"command": "touch", "args": [self.text("touched"), "a.txt"]}
            case "filesystem:write":
                append = self.pick(True, False)
                return {"path": self.path(), "content": self.text("hello"), "append": append}
            case "filesystem:read":
                return {"path": self.path()}
            case "filesystem:stat":
                return {"path": self.path(), "missing_ok": self.pick(True, False)}
            case "filesystem:list":
                return {"path": self.pick(".", "d")}
            case "control:identity":
                return {"a": self.text("a"), "b": 1}
            case "control:assert":
                text = self.text("a")
                known = text.startswith("{{") and text.endswith("}}")
                return {"condition": f"{text} != 'nothing'" if known else "{{ true }}"}
            case "data:parse":
                return {"content": self.text("one\ntwo"), "format": "text_lines"}
            case "data:map":
                fields = {"n": self.text("n"), "all": "{{ toJson .line }}"}
                return {"fields": fields, "keep": True}
            case "data:format":
                to = self.pick({}, {"path": "out.jsonl"})
                return {"format": "jsonl", **to}
        return None

    def add(self, number: int) -> None:
        module = self.pick(
            *("exec", "exec", "filesystem:write", "filesystem:read", "filesystem:stat"),
            *("filesystem:list", "control:identity", "control:assert", "data:parse"),
            *("data:map", "data:format", "data:collect", "passthrough", "control:barrier"),
        )
        name = f"w{number}"
        keys: dict[str, Any] = {"register": f"r{name}"}
        sources = [one for one, its in self.modules.items() if its in ("data:parse", "data:map")]
        if module in ("data:map", "data:format", "data:collect", "passthrough", "control:barrier"):
            if not sources:
                module = "data:parse"
            else:
                keys["stream_inputs"] = [self.pick(*sources)]
        before = list(self.modules)
        texts = [one for one in before if self.modules[one] in TEXTS]
        if texts and self.pick(True, False):
            read = self.pick(*texts)
            field = self.pick(*TEXTS[self.modules[read]])
            keys["when"] = str(self.pick(*WHEN)).format(read, f"r{read}", field)
        if texts and "stream_inputs" not in keys and self.pick(True, False, False):
            read = self.pick(*texts)
            field = self.pick(*TEXTS[self.modules[read]])
            keys["loop"] = self.pick(["i", "j"], f"{{{{ splitList `,` .r{read}.{field} }}}}")
            keys["loop_control"] = {"parallel": self.pick(1, 2)}
        if self.pick(True, False, False):
            keys["ignore_errors"] = True
        made = workload(name, module, self.params(module), **keys)
        self.made.append(made)
        if "loop" not in keys:
            self.modules[name] = module


@st.composite
def playbooks(draw: Any) -> str:
    maker = Maker(draw)
    for number in range(draw(st.integers(2, 7))):
        maker.add(number)
    last = [
        {"name": "undo", "process": {"module": "exec", "params": {"command": "undo"}}},
        {
            "name": "note",
            "when": '{{ ._gxo.status == "Failed" }}',
            "process": {"module": "filesystem:write", "params": {"path": "f", "content": "x"}},
        },
    ]
    head = {"name": "p", "schemaVersion": "v1.0.0", "workloads": maker.made}
    return yaml.safe_dump({**head, "finally": last}, sort_keys=False, width=1000)


def refuse(*_arguments: object, **_keywords: object) -> None:
    raise AssertionError("a process was started")


@settings(max_examples=60)
@given(playbooks())
def test_a_dry_run_is_no_defect_and_touches_nothing(text: str) -> None:
    try:
        job = compiled(text)
    except AssertionError as refused:  # a reference that makes a cycle with a stream group
        assert "GXO0609" in str(refused), text
        return
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        workspace = Path(folder, "workspace")
        (workspace / "d").mkdir(parents=True)
        (workspace / "a.txt").write_text("as it is")
        report = Path(folder, "report.json")
        patch.setattr(subprocess.Popen, "__init__", refuse)
        patch.setattr(os, "fork", refuse)
        before = world(workspace)
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            options = ["--dry-run", "--diff", "--workspace", str(workspace)]
            code = main(job, None, [*options, "--report", str(report)])
        assert world(workspace) == before, text
        results = read_report(report)["workload_results"]
    assert code in (0, 1), told.getvalue()
    assert "Traceback" not in told.getvalue()
    assert code == any(one["status"] == "Failed" and not one["ignored"] for one in results.values())
    for name, result in results.items():
        assert result["status"] in ("Completed", "Failed", "Skipped", "Pending", "Cancelled")
        if result["status"] in ("Completed", "Failed", "Skipped"):
            assert f"{name}: " in told.getvalue()
    undo = results["undo"]
    assert (undo["status"], undo["reason"]) == ("Completed", "would run: undo")
