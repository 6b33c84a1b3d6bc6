"""The test playbooks that the page on testing shows pass, and what it says of one that does not is printed."""

import re
from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import check
from gxo.runtime.main import main
from tests.stdlib.stream.test_pipelines import compiled
from tests.testing.support import compiled as compiled_test
from tests.testing.support import run

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = {text.split()[1]: text for text in BLOCKS if re.match(r"# \S+\.gxo\.yaml\n", text)}
"""Those that say which file they are."""
PLAYBOOKS = [text for text in BLOCKS if text not in FILES.values()]


@pytest.mark.parametrize("text", PLAYBOOKS, ids=range(len(PLAYBOOKS)))
def test_it_passes(text: str, tmp_path: Path) -> None:
    assert main(compiled(text, "page.test.gxo.yaml"), None, ["--workspace", str(tmp_path)]) == 0


def test_a_request_that_no_handler_is_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [text] = [one for one in PLAYBOOKS if "/report\n" in one or "/report}" in one]
    job = compiled(text.replace("server_url }}/report", "server_url }}/reports"), "p.test.gxo.yaml")
    assert main(job, None, ["--workspace", str(tmp_path)]) == 1
    [shown] = re.findall(r"^```\n(error    api: .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown.replace(" (report.test.gxo.yaml:2)", "") in capsys.readouterr().err


def test_the_first_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It passes, and says what the page shows, whatever the times."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    compilation = check(tmp_path / "release.test.gxo.yaml")
    assert compilation.diagnostics.items == []
    assert run(compilation, tmp_path).exit_code == 0
    [shown] = re.findall(r"^\$ gxo run release.test.gxo.yaml\n(.*?)^```$", PAGE, re.M | re.S)
    assert without_times(capsys.readouterr().err) == without_times(shown)


def without_times(log: str) -> str:
    return re.sub(r"^[\d:]{8}|\d+ ms", "", log, flags=re.MULTILINE)


OTHER: dict[str, tuple[Any, ...]] = {
    "run": ("ssh:script", ("STAGE: live, DEBUG", "STAGE: test, DEBUG")),
    "check": (
        "{sku: a, count: 2}]",
        ("status: paid", "status: open"),
        ("{sku: a, count: 2}]", "{sku: a, count: 2}, {sku: b, count: 1}]"),
    ),
}


@pytest.mark.parametrize("workload", OTHER)
def test_what_fails_is_told_as_the_page_shows(
    workload: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part, *slips = OTHER[workload]
    [text] = [one for one in PLAYBOOKS if part in one]
    for before, after in slips:
        text = text.replace(before, after)
    test = tmp_path / "page.test.gxo.yaml"
    test.write_text(text, encoding="utf-8")
    assert run(compiled_test(test), tmp_path).exit_code == 1
    [shown] = re.findall(rf"^```\n(error    {workload}: .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown in capsys.readouterr().err
