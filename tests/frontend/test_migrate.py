"""`gxo migrate` against its case files: what it writes, and that both forms give one plan.

Each file in `migrate/` holds playbooks as they are, and what is printed for them, or why nothing is.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gxo.cli.migrate import InvalidError, migrated
from gxo.compiler.driver import Compilation
from gxo.compiler.frontend.migrate import DEPRECATED
from gxo.compiler.frontend.testing import is_test
from gxo.compiler.frontend.upgrade import UpgradeError
from gxo.compiler.ir.pprint import print_plan
from tests.casefile import Case, find_cases, update

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILE = "p.gxo.yaml"
CASES = find_cases(HERE / "migrate")
WRITTEN = [case for case in CASES if "out" in case.sections]


def compiled(data: bytes) -> Compilation:
    compilation = Compilation(FILE)
    assert compilation.read(data)
    compilation.analyse()
    return compilation


def codes(compilation: Compilation) -> list[str]:
    return sorted(item.code for item in compilation.diagnostics.sorted())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_text(case: Case, request: pytest.FixtureRequest) -> None:
    try:
        got = {"out": migrated((case.input.strip("\n") + "\n").encode(), FILE).decode()}
    except UpgradeError as error:
        got = {"err": f"{error}\n"}
    if request.config.getoption("--update-golden"):
        update(case, got)
    else:
        assert got == case.sections


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.id)
def test_both_forms_give_one_plan_and_only_the_old_one_a_warning(case: Case) -> None:
    old, new = compiled(case.input.encode()), compiled(case.sections["out"].encode())
    assert old.plan is not None and new.plan is not None
    assert not old.diagnostics.has_errors
    assert print_plan(old.plan) == print_plan(new.plan)
    assert codes(old) == sorted([*codes(new), DEPRECATED])
    assert old.generate().text == new.generate().text


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.id)
def test_the_current_form_stays_byte_for_byte(case: Case) -> None:
    data = case.sections["out"].encode()
    assert migrated(data, FILE) == data


@st.composite
def disturbed(draw: st.DrawFn) -> str:
    """A case's lines with some of all cases' lines, and comments, put in between."""
    lines = draw(st.sampled_from(CASES)).input.splitlines()
    others = sorted({line for case in CASES for line in case.input.splitlines()})
    comment = st.builds("{}# {}".format, st.sampled_from(["", "  ", "    "]), st.integers(0, 99))
    for line in draw(st.lists(st.sampled_from(others) | comment, max_size=4)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "\n".join(lines)


@given(disturbed())
def test_what_is_written_has_the_current_form_or_nothing_is(text: str) -> None:
    try:
        written = migrated(text.encode(), FILE)
    except (UpgradeError, InvalidError):
        return
    assert migrated(written, FILE) == written
    assert text.count("#") == written.count(b"#")


class Texts(yaml.SafeLoader):
    """Leaves `on` a text, as YAML 1.2 does."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in resolvers if not tag.endswith(":bool")]
        if first in "yYnNoO"
        else resolvers
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


# `findings` has errors alone; `services` has lifecycles, and all tasks of the old form run once. Test
# playbooks are newer than that form.
PLAYBOOKS = [
    path
    for folder in ("docs/examples", "golden")
    for path in sorted(ROOT.glob(f"{folder}/*/*.gxo.yaml"))
    if path.parent.name not in ("findings", "services") and not is_test(path.name)
]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_every_playbook_has_the_plan_of_its_old_form(path: Path) -> None:
    current = compiled(path.read_bytes())
    tree = yaml.load(path.read_bytes(), Loader=Texts)
    tree["tasks"] = [old_form(workload) for workload in tree.pop("workloads")]
    old = yaml.safe_dump(tree, sort_keys=False).replace("_gxo.workloads", "_gxo.tasks").encode()
    assert b"tasks:" in old
    assert current.plan is not None
    for data in (old, migrated(old, FILE)):
        plan = compiled(data).plan
        assert plan is not None
        assert print_plan(plan) == print_plan(current.plan)


def old_form(workload: dict[str, Any]) -> dict[str, Any]:
    task = {key: value for key, value in workload.items() if key not in ("lifecycle", "process")}
    process = workload["process"]
    task["type"] = {"data:join": "stream:join"}.get(process["module"], process["module"])
    if "params" in process:
        task["params"] = process["params"]
    if "on_failure" in task:
        task["on_failure"] = [old_form(one) for one in task["on_failure"]]
    return task
