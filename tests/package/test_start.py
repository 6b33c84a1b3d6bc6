"""How an artifact starts: on any Python, after any damage, in any environment."""

import importlib.machinery
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gxo.runtime.bundle import FolderBundle, Importer, ZipBundle, manifest
from tests.package.support import EMPTY_JOB, answer, build, one_sentence, probe, start
from tests.pythons import installed


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("artifact"), probe("'ran'"))


def test_runs(artifact: Path) -> None:
    assert answer(artifact) == "ran"


def test_runs_by_its_shebang(artifact: Path) -> None:
    done = subprocess.run([artifact, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "probe (compiled by gxo 0.1.0)")


@pytest.mark.parametrize("minor", [(2, 7), (3, 6), (3, 8), (3, 10)], ids="{0[0]}.{0[1]}".format)
def test_an_old_python_gets_one_sentence(artifact: Path, minor: tuple[int, int]) -> None:
    found = [path for version, path in installed().items() if version[:2] == minor]
    if not found:
        pytest.skip(f"no Python {minor} is installed")
    name = ".".join(map(str, minor))
    said = one_sentence(start(artifact, python=found[-1]))
    assert said == f"{artifact} needs Python 3.11 or newer, and this is Python {name}"


def test_another_python_reads_the_source(artifact: Path, python: Path) -> None:
    assert answer(artifact, python=python) == "ran"


# Damage


def damaged(artifact: Path, folder: Path, change: object) -> Path:
    data = bytearray(artifact.read_bytes())
    assert callable(change)
    changed = folder / "job.pyz"
    changed.write_bytes(change(data))
    return changed


def flip(data: bytearray, position: int) -> bytearray:
    data[position] ^= 0x10
    return data


@pytest.mark.parametrize("share", [number / 16 for number in range(16)])
def test_a_damaged_byte_is_one_sentence(artifact: Path, tmp_path: Path, share: float) -> None:
    """At many places between the first file and the directory: never run, never a traceback."""
    with zipfile.ZipFile(artifact) as archive:
        start_of_rest, directory = archive.infolist()[1].header_offset, archive.start_dir
    position = start_of_rest + int((directory - start_of_rest) * share)
    changed = damaged(artifact, tmp_path, lambda data: flip(data, position))
    said = one_sentence(start(changed))
    assert said == f"{changed} is damaged: copy it to this host again, or compile it again"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data + b"\n", id="longer"),
        pytest.param(lambda data: flip(data, len(data) - 25), id="check sum"),
        pytest.param(lambda data: flip(data, data.rindex(b"gxo/runtime/main.pyc")), id="directory"),
    ],
)
def test_other_damage_is_one_sentence_too(artifact: Path, tmp_path: Path, change: object) -> None:
    assert "is damaged" in one_sentence(start(damaged(artifact, tmp_path, change)))


@pytest.mark.parametrize("length", [200, 50_000, -1])
def test_a_cut_artifact_says_so(artifact: Path, tmp_path: Path, length: int) -> None:
    """Python finds no zip in it and does not get to us, so the frame of the words is Python's."""
    done = start(damaged(artifact, tmp_path, lambda data: data[:length]))
    assert (done.returncode, done.stdout) == (1, "")
    assert "this-artifact-is-damaged.copy-it-to-this-host-again" in done.stderr
    assert "Traceback" not in done.stderr


# The environment


def test_only_the_archive_and_pythons_library_are_on_the_path(
    artifact: Path, tmp_path: Path
) -> None:
    paths = answer(build(tmp_path, probe("sys.path")), PYTHONPATH="/tmp:/usr/share")
    assert paths[0] == str(tmp_path / "job.pyz")
    assert not [path for path in paths if "site-packages" in path or "dist-packages" in path]
    assert {"/tmp", "/usr/share", ""}.isdisjoint(paths)


def test_nothing_of_the_hosts_can_be_imported(tmp_path: Path) -> None:
    """pytest is installed for this interpreter; the artifact must not see it."""
    found = "[bool(importlib.util.find_spec(name)) for name in ('pytest', 'yaml', 'csv')]"
    artifact = build(tmp_path, f"import importlib.util\n{probe(found)}")
    assert answer(artifact) == [False, False, True]


def test_variables_and_folders_redirect_nothing(artifact: Path, tmp_path: Path) -> None:
    for name in ("json", "gxo_job", "asyncio", "gxo/runtime/__init__", "gxo/__init__"):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise SystemExit('hijacked')\n")
    here = str(tmp_path)
    hostile = {
        "PYTHONPATH": here,
        "PYTHONPYCACHEPREFIX": here,
        "SHIV_ROOT": here,
        "SHIV_ENTRY_POINT": "hijack:main",
        "SHIV_INTERPRETER": "1",
        "SHIV_PREPEND_PYTHONPATH": here,
        "SHIV_MODULE": "hijack",
    }
    assert answer(artifact, cwd=tmp_path, **hostile) == "ran"


def test_modules_that_the_host_has_loaded_are_not_used(tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "sitecustomize.py").write_text(
        "import csv_of_host, sys\nsys.meta_path.insert(0, csv_of_host)\n"
    )
    (host / "csv_of_host.py").write_text(
        "def find_spec(name, path=None, target=None):\n"
        "    if name.startswith('gxo'): raise SystemExit('hijacked')\n"
    )
    loaded = "[name in sys.modules for name in ('csv_of_host', 'sitecustomize', 'os')]"
    assert answer(build(tmp_path, probe(loaded)), PYTHONPATH=str(host)) == [False, False, True]


def test_a_running_job_does_not_notice_a_new_artifact(tmp_path: Path) -> None:
    """It imports more after its file was replaced: that comes from the bytes it started with."""
    source = (
        "import os, sys\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); sys.stdin.readline()\n"
        "from gxo.stdlib.exec import exec_\n"
        f"print(exec_.__module__)\n{EMPTY_JOB}"
    )
    artifact = build(tmp_path, source)
    with subprocess.Popen(
        [sys.executable, artifact, "--version"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        artifact.write_bytes(b"something else")
        printed, _ = process.communicate("go\n")
    assert printed.splitlines()[0] == "gxo.stdlib.exec"
    assert process.returncode == 0


def test_an_interrupt_while_starting_is_no_traceback(tmp_path: Path) -> None:
    source = f"import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n{EMPTY_JOB}"
    done = start(build(tmp_path, source))
    assert (done.returncode, done.stderr) == (130, "")


# Bundles and the importer, in this process


@pytest.fixture(scope="module")
def bundle(artifact: Path) -> ZipBundle:
    return ZipBundle(str(artifact), artifact.read_bytes())


def test_bundle_reads_what_zipfile_reads(artifact: Path, bundle: ZipBundle) -> None:
    with zipfile.ZipFile(artifact) as archive:
        assert bundle.names() == sorted(archive.namelist())
        for name in archive.namelist():
            assert bundle.read(name) == archive.read(name)


def test_missing_files_are_not_found(bundle: ZipBundle, tmp_path: Path) -> None:
    for one in (bundle, FolderBundle(str(tmp_path))):
        with pytest.raises(FileNotFoundError):
            one.read("_gxo/nonsense")


def test_folder_bundle(tmp_path: Path) -> None:
    (tmp_path / "_gxo").mkdir()
    (tmp_path / "_gxo" / "manifest.json").write_text('{"format": 1}')
    one = FolderBundle(str(tmp_path))
    assert one.names() == ["_gxo/manifest.json"]
    assert manifest(one) == {"format": 1}


def test_importer_answers_what_pythons_tools_ask(artifact: Path, bundle: ZipBundle) -> None:
    importer = Importer(bundle)
    spec = importer.find_spec("gxo.runtime")
    assert isinstance(spec, importlib.machinery.ModuleSpec)
    assert spec.submodule_search_locations == [f"{artifact}/gxo/runtime"]
    assert importer.is_package("gxo.runtime")
    assert not importer.is_package("gxo.runtime.main")
    assert importer.get_source("gxo_job").endswith(EMPTY_JOB)
    assert importer.get_code("gxo.runtime.main").co_filename == "gxo/runtime/main.py"
    assert importer.get_data(f"{artifact}/_gxo/playbook.yaml") == b"name: probe\n"
    assert importer.find_spec("nonsense") is None
    with pytest.raises(ImportError, match="no module nonsense"):
        importer.get_source("nonsense")


def test_tracebacks_show_the_generated_source(tmp_path: Path) -> None:
    shown = "traceback.format_stack(limit=1)[0].splitlines()[1].strip()"
    artifact = build(tmp_path, f"import traceback\n{probe(shown)}")
    assert answer(artifact) == f"print(json.dumps({shown}))"
