"""The example with modules of its own: its artifact, and its own tests."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gxo.cli.main import main
from tests.examples.test_examples import EXAMPLES, dry_run, run

ROOT = Path(__file__).parents[2]
FOLDER = EXAMPLES / "catalogue"


def compiled(folder: Path, target: Path, *options: str) -> Path:
    playbook = folder / "catalogue.gxo.yaml"
    assert main(["compile", "--locked", *options, str(playbook), "-o", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, away from gxo's sources, with its artifact."""
    folder = tmp_path_factory.mktemp("catalogue")
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    compiled(folder, folder / "job.pyz")
    return folder


def test_it_runs_on_every_python(catalogue: Path, tmp_path: Path, python: Path) -> None:
    artifact = Path(shutil.copy(catalogue / "job.pyz", tmp_path))
    run(python, artifact)
    with (tmp_path / "out" / "pages.csv").open(newline="", encoding="utf-8") as file:
        pages = [row["page"] for row in csv.DictReader(file)]
    assert pages == [
        "gruner-tee-lose",
        "creme-brulee-ein-set",
        "tee-ei-edelstahl",
        "gruner-tee-lose-2",
        "kofe-v-zernakh",
    ]
    robots = (tmp_path / "out" / "robots.txt").read_text().splitlines()
    assert robots[0] == "# 5 pages, 1 of them numbered" and robots[-1] == "Disallow: /drafts"


def test_in_a_dry_run(catalogue: Path, tmp_path: Path) -> None:
    artifact = Path(shutil.copy(catalogue / "job.pyz", tmp_path))
    assert "robots: would write out/robots.txt" in dry_run(artifact)


def test_another_folder_gives_the_same_bytes(catalogue: Path, tmp_path: Path) -> None:
    """Also where the modules come by `--module-path`, and with what pytest leaves beside them."""
    first = (catalogue / "job.pyz").read_bytes()
    folder = tmp_path / "elsewhere"
    shutil.copytree(FOLDER, folder)
    (folder / "modules").rename(tmp_path / "ours")
    (tmp_path / "ours" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "ours" / "unused.py").write_text("")
    second = compiled(folder, tmp_path / "job.pyz", "--module-path", str(tmp_path / "ours"))
    assert second.read_bytes() == first


def test_its_own_tests_pass(catalogue: Path) -> None:
    """With the wheels that compiling it has fetched, as if they were installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gxo" / "wheels"
    wheels = [
        path for name in ("python_slugify", "text_unidecode") for path in cache.glob(f"{name}*")
    ]
    gxo = [ROOT / part for part in ("compiler", "runtime", "stdlib")]
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p"]
    done = subprocess.run(
        [*command, "no:cacheprovider", "test_shop.py"],
        cwd=catalogue,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": os.pathsep.join(map(str, [*gxo, *wheels])),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("5 passed")
