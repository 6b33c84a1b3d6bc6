"""What README and the page about dry runs show is what is printed, but for times."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main
from gxo.compiler.driver import check

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/dry-run.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown(text: str, command: str) -> list[str]:
    """The lines of the block that shows what a command prints."""
    blocks = re.findall(r"^```\n\$ (.*?)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    [block] = [said for asked, said in blocks if asked == command]
    return without_times(block)


def without_times(text: str) -> list[str]:
    """Log lines, sorted: those of workloads that run at once have no order."""
    text = re.sub(r"^[0-9:]{8} ", "", text, flags=re.MULTILINE)
    return sorted(re.sub(r" in [0-9.]+ m?s\b", "", text).splitlines())


@pytest.mark.parametrize(
    ("playbook", "options", "block"),
    [
        (
            "",
            ["--dry-run", "--diff"],
            shown(PAGE, "gxo run release.gxo.yaml --dry-run --diff"),
        ),
        (
            "docs/examples/site-deploy/site-deploy.gxo.yaml",
            ["-e", "version=1.4", "--dry-run"],
            shown(README, "python3 site-deploy.pyz -e version=1.4 --dry-run"),
        ),
    ],
)
def test_it_prints_what_is_shown(
    playbook: str, options: list[str], block: list[str], tmp_path: Path
) -> None:
    source = tmp_path / "release.gxo.yaml"
    source.write_text(re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0])
    assert check(source).diagnostics.sorted() == []
    target = tmp_path / "job.pyz"
    assert main(["compile", str(ROOT / playbook if playbook else source), "-o", str(target)]) == 0
    done = subprocess.run(
        [sys.executable, str(target), *options],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert without_times(done.stderr) == block
