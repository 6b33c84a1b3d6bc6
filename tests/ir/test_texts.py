"""How much work it is to tell what a plan touches."""

from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import check
from gxo.compiler.ir import texts
from gxo.compiler.ir.effects import effects

HEAD = """\
name: many
schemaVersion: v1.0.0
vars:
  api: https://api.example.com
  names: [a, b]
workloads:
"""
ONE = """\
  - name: get-{0}
    lifecycle: {{policy: run_once}}
    loop: "{{{{ .names }}}}"
    process: {{module: http:request, params: {{url: "{{{{ .api }}}}/{0}/{{{{ .item | upper }}}}"}}}}
"""


def test_what_stands_in_many_places_is_evaluated_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook = tmp_path / "many.gxo.yaml"
    playbook.write_text(HEAD + "".join(ONE.format(number) for number in range(20)))
    plan = check(playbook).plan
    assert plan is not None
    evaluated: list[str | None] = []
    original = texts.evaluated

    def count(*given: Any) -> str | None:
        evaluated.append(original(*given))
        return evaluated[-1]

    monkeypatch.setattr(texts, "evaluated", count)
    assert {one.what for one in effects(plan) if one.kind == "hosts"} == {"api.example.com"}
    assert sorted(map(str, evaluated)) == ["A", "B"] + ["https://api.example.com"] * 2
