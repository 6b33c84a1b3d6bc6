"""Whatever is left of a dry run says that it was one: nobody takes it for the real thing."""

import json
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import Context, Job
from gxo.runtime.main import main
from tests.reports import read_report


@pytest.mark.parametrize("is_dry", [True, False])
def test_all_say_what_it_was(is_dry: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = Job("nightly")

    @job.workload("a")
    async def a(ctx: Context) -> dict[str, Any]:
        return {}

    targets = {"report": "r", "report-html": "h", "metrics": "m", "events": "e"}
    arguments = [word for name, file in targets.items() for word in (f"--{name}", file)]
    assert main(job, None, [*arguments, *(["--dry-run"] if is_dry else [])]) == 0
    assert ("dry_run" in read_report(Path("r"))) is is_dry
    assert ("a dry run: nothing was changed" in Path("h").read_text("utf-8")) is is_dry
    assert f'gxo_version="",dry_run="{str(is_dry).lower()}"}} 1' in Path("m").read_text()
    assert json.loads(Path("e").read_text().partition("\n")[0])["dry_run"] is is_dry
