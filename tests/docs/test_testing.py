"""The test playbooks that the page on testing shows pass, and what it says of one that does not is printed."""

import re
from pathlib import Path

import pytest

from gxo.runtime.main import main
from tests.stdlib.stream.test_pipelines import compiled

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
PLAYBOOKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


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
    assert shown in capsys.readouterr().err
