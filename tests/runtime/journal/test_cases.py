"""The cases of `cases.yaml`: a job that has a journal, is cut off, and is resumed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import UsageError
from gxo.runtime.kernel.run import Run
from tests.runtime.journal.support import (
    FakeBundle,
    cut_after,
    play_journaled,
    settings_of,
)
from tests.runtime.kernel.harness import Played, Stage, build

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))


def run(
    case: dict[str, Any],
    environment: dict[str, str],
    signals: dict[float, int] | None = None,
    **settings: Any,
) -> Played:
    stage = Stage()
    job = build(case, stage)
    bundle = FakeBundle(
        job,
        case.get("unsafe", ()),
        case.get("by_call", ()),
        case.get("reads"),
        case.get("handles"),
    )
    given = settings_of(**settings)

    def interrupt(run: Run) -> None:
        for moment, number in (signals or {}).items():
            stage.loop.call_later(moment, run.interrupt, number)

    return play_journaled(
        job, stage, bundle, settings=given, environment=environment, meanwhile=interrupt
    )


def in_the_resumed_run(case: dict[str, Any]) -> dict[str, Any]:
    workloads = dict(case["workloads"])
    for name, steps in case.get("again", {}).items():
        workloads[name] = {**workloads[name], "do": steps}
    return {**case, "workloads": workloads}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = tmp_path / "state"
    environment = case.get("environment", {})
    first = run(case, environment, case.get("signals"), journal=str(folder))
    if "cut" in case:
        cut = case["cut"]
        cut_after(folder, *([cut] if isinstance(cut, str) else cut))
    journal = (folder / "journal").read_text()
    environment = case.get("environment_again", environment)
    options = {"resume": str(folder), "rerun": case.get("rerun", [])}
    if "refused" in case:
        with pytest.raises(UsageError) as caught:
            run(in_the_resumed_run(case), environment, **options)
        assert case["refused"] in caught.value.message
        assert case.get("hint", "") in str(caught.value.hint)
        assert (folder / "journal").read_text() == journal
        return
    played = run(in_the_resumed_run(case), environment, **options)
    check(case, played)
    if case.get("same_run_id"):
        assert played.run.run_id == first.run.run_id
    text = (folder / "journal").read_text() + played.log
    assert not [part for part in case.get("hidden", ()) if part in text]
    assert (folder / "workspace").exists() == (played.code != 0)


def check(case: dict[str, Any], played: Played) -> None:
    ordered = sorted if case.get("any_order") else list
    assert ordered(played.trace) == ordered(case["trace"]), played.log
    assert played.code == case.get("exit", 0)
    nodes = played.run.nodes
    for name, status in case.get("statuses", {}).items():
        assert nodes[name].status == status, name
    for name, reason in case.get("reasons", {}).items():
        assert nodes[name].reason == reason, name
    for name, fields in case.get("fields", {}).items():
        assert {field: getattr(nodes[name], field) for field in fields} == fields
    for part in case.get("log", ()):
        assert part in played.log
