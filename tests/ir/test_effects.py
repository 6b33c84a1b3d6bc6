"""What calls touch: every kind of it, literal, by default, and known only to the run."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Options, check
from gxo.compiler.effects import capabilities
from gxo.compiler.flow.uses import uses
from gxo.compiler.ir.effects import effects
from gxo.compiler.ir.texts import LONGEST
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.trust.caps import line

CASES = yaml.safe_load(Path(__file__).with_name("effects.yaml").read_text(encoding="utf-8"))
PROXIES = re.compile(r"environment \w*(PROXY|proxy|SSL_\w+|REQUEST_METHOD)")
HEAD = {
    "name": "job",
    "schemaVersion": "v1.0.0",
    "vars": {
        "api": "https://api.Example.com./",
        "tools": ["df", "du"],
        "db": {"host": "db-1", "password": "hunter2"},
        "pw": "{{ secret `X` }}",
        "n": 3,
        "chain": "{{ .api }}v2",
    },
    "inputs": {"region": {"default": "eu"}, "mine": {}},
}


def touched(folder: Path, workload: dict[str, Any], **more: Any) -> list[str]:
    path = folder / "job.gxo.yaml"
    path.write_text(yaml.safe_dump({**HEAD, **more, "workloads": [workload]}))
    compilation = check(path, Options())
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.sorted()
    assert compilation.plan is not None
    found = capabilities(one for one in effects(compilation.plan) if one.workload)
    lines = [re.sub(r" {2,}", " ", line(one), count=1) for one in found]
    return [text for text in lines if not PROXIES.fullmatch(text)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: yaml.safe_dump(case["call"], width=1000))
def test_what_a_call_touches(case: dict[str, Any], tmp_path: Path) -> None:
    workload = {"name": "a", "lifecycle": {"policy": "run_once"}, "process": case["call"]}
    loop = {"loop": case["loop"]} if "loop" in case else {}
    assert touched(tmp_path, {**workload, **loop, **case.get("more", {})}) == case["touches"]


def test_of_vars_that_grow_nothing_is_made(tmp_path: Path) -> None:
    """Thirty vars, each twice the one before: a text of a billion letters is not put together."""
    grown = {f"v{n}": f"{{{{ .v{n - 1} }}}}{{{{ .v{n - 1} }}}}" for n in range(1, 31)}
    call = {"module": "exec", "params": {"command": "{{ .v30 }}"}}
    workload = {"name": "a", "lifecycle": {"policy": "run_once"}, "process": call}
    found = touched(tmp_path, workload, vars={"v0": "x", **grown}, inputs={})
    assert [text[:20] for text in found] == ["commands dynamic: {{"]
    assert len(found[0]) < 2 * LONGEST


NO_EFFECT = {
    "exec.working_dir": "the command starts there, and goes where it likes",
}
USES = {"command", "shell", "sql", "url", "file"}


def test_each_parameter_that_names_something_outside_is_declared_as_an_effect() -> None:
    """A path, an address, a command or SQL: one that no effect is about would not be seen."""
    library = Library(standard_roots(), Diagnostics())
    missing = [
        f"{spec.name}.{param.name}"
        for spec in library.all()
        if not spec.name.startswith("test:")
        for param in spec.params
        if {use for use, _ in uses(param.type)} & USES or "a path" in str(param.type)
        if param.name not in {name.partition(".")[0] for one in spec.effects for name in one.params}
    ]
    assert [name for name in missing if name not in NO_EFFECT] == []
    assert set(NO_EFFECT) <= set(missing)
