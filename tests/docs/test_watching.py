"""What `docs/watching.md` lists is what there is."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from gxo.runtime import Job
from gxo.runtime.options import _parser
from gxo.runtime.reporting.metrics import metrics
from tests.runtime.kernel.harness import play_case

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/events.schema.json").read_text(encoding="utf-8"))


def test_events() -> None:
    listed = set(re.findall(r"`([A-Z]\w+)`", "\n".join(re.findall(r"^\| `[A-Z].*$", PAGE, re.M))))
    known = {one["$ref"].rpartition("/")[2] for one in SCHEMA["oneOf"]}
    assert known <= listed <= known | {"Pending"}


def test_the_lines_shown_are_events() -> None:
    lines = re.findall(r'^\{"event".*$', PAGE, re.M)
    assert len(lines) == 3
    for line in lines:
        jsonschema.validate(json.loads(line), SCHEMA)


def test_metrics() -> None:
    made = re.findall(r"^# TYPE (\S+)", metrics(play_case({"workloads": {"a": {}}}).run, 0), re.M)
    assert sorted(set(re.findall(r"gxo_[a-z_]+[a-z]", PAGE)) - {"gxo_version"}) == sorted(made)


@pytest.mark.parametrize("name", ["events", "logs"])
def test_schemas_are_linked(name: str) -> None:
    assert f"({name}.schema.json)" in PAGE


def test_every_option_of_a_job_is_in_the_readme_or_a_page() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    names = {action.option_strings[-1] for action in _parser(Job("case"))._actions}
    assert {name for name in names if not re.search(rf"`{name}\b", text)} == set()
