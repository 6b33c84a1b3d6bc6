"""`modules.lock`: what a user's own modules need, resolved by the real pip from a folder of wheels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from gxo.compiler.package import lock
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.lock import is_locked, read_lock, write_lock
from gxo.compiler.package.pins import Pin
from gxo.compiler.package.wheels import resolve
from tests.package.wheel_files import NATIVE_TAG, wheel

PURE = [
    wheel("alpha", {"alpha.py": "import beta\n"}, ("beta>=1", "old; python_version < '3.12'")),
    wheel("beta", {"beta.py": "NAME = 'beta'\n"}, ("never; extra == 'more'",)),
    wheel("old", {"old.py": ""}),
]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip knows; and a cache of gxo's own."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    return folder


def offer(index: Path, *wheels: tuple[str, bytes]) -> None:
    for name, data in wheels:
        (index / name).write_bytes(data)


def test_what_is_needed_on_any_host_is_pinned_and_linked(index: Path, tmp_path: Path) -> None:
    """Also what only an older Python than this one needs; and what pip read is what is linked."""
    offer(index, *PURE)
    file = tmp_path / "modules.lock"
    pins = write_lock(file, {"alpha": "1.0"}, {}, {})
    assert [*pins] == ["alpha", "beta", "old"] and pins == read_lock(file)
    assert is_locked({"alpha": "1.0"}, pins)
    assert not is_locked({"alpha": "2.0"}, pins) and not is_locked({"gamma": "1.0"}, pins)
    assert [one.name for one in resolve(["alpha"], False, pins)] == ["alpha", "beta", "old"]
    for path in index.iterdir():
        path.unlink()
    assert len(resolve(["alpha"], False, pins)) == 3, "what was fetched once is not asked for again"
    listed = "".join(line for line in file.read_text().splitlines(True) if line[0] != "#")
    assert listed.startswith("alpha==1.0 \\\n    --hash=sha256:")


def test_another_wheel_of_that_name_is_refused(index: Path, tmp_path: Path) -> None:
    offer(index, *PURE)
    pins = write_lock(tmp_path / "modules.lock", {"beta": "1.0"}, {}, {})
    offer(index, wheel("beta", {"beta.py": "NAME = 'other'\n"}))
    with pytest.raises(PackageError, match=r"cannot fetch beta 1\.0") as caught:
        resolve(["beta"], False, pins)
    assert str(caught.value).endswith("has files with other hashes than those that are pinned")
    assert caught.value.code == "GXO0903"


def test_what_is_pinned_stays_when_more_is_needed(index: Path, tmp_path: Path) -> None:
    offer(index, *PURE)
    known = {**write_lock(tmp_path / "modules.lock", {"beta": "1.0"}, {}, {})}
    of_another = canonicalize_name("of-another-playbook")
    known[of_another] = Pin(of_another, "3.1", frozenset({"0" * 64}))
    pins = write_lock(tmp_path / "modules.lock", {"alpha": "1.0"}, known, {})
    assert sorted(pins) == ["alpha", "beta", "of-another-playbook", "old"]
    assert pins[of_another] == known[of_another]


def test_a_version_that_is_pinned_keeps_its_hashes(index: Path, tmp_path: Path) -> None:
    """Though the file is written again, and the index has another wheel of that name by now."""
    offer(index, *PURE)
    known = write_lock(tmp_path / "modules.lock", {"beta": "1.0"}, {}, {})
    offer(index, wheel("beta", {"beta.py": "NAME = 'other'\n"}))
    pins = write_lock(tmp_path / "modules.lock", {"alpha": "1", "beta": "1.0.0"}, known, {})
    assert pins[canonicalize_name("beta")] == known[canonicalize_name("beta")]
    assert is_locked({"alpha": "1", "beta": "1.0.0"}, pins)
    assert not is_locked({"alpha": "one"}, pins)


def test_what_gxo_links_is_not_pinned_again(index: Path, tmp_path: Path) -> None:
    offer(index, *PURE)
    name = canonicalize_name("beta")
    own = {name: Pin(name, "1.0", frozenset({"00"}))}
    assert [*write_lock(tmp_path / "modules.lock", {"alpha": "1.0"}, {}, own)] == ["alpha", "old"]
    with pytest.raises(PackageError, match=r"cannot resolve alpha 1\.0: ") as caught:
        other = {name: Pin(name, "0.9", frozenset({"00"}))}
        write_lock(tmp_path / "other.lock", {"alpha": "1.0"}, {}, other)
    assert caught.value.code == "GXO0907"
    assert not (tmp_path / "other.lock").exists()


def test_no_such_version_is_said(index: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError) as caught:
        write_lock(tmp_path / "modules.lock", {"alpha": "9.9"}, {}, {})
    assert caught.value.code == "GXO0907"
    expected = "cannot resolve alpha 9.9: No matching distribution found for alpha==9.9"
    assert str(caught.value).startswith(expected)
    assert not (tmp_path / "modules.lock").exists()


def test_no_source_is_built(index: Path, tmp_path: Path) -> None:
    """A source distribution would run its own code to become a wheel."""
    (tmp_path / "sdist").mkdir()
    (tmp_path / "sdist" / "setup.py").write_text("open('/nowhere/ran', 'w')\n")
    command = ["tar", "-czf", str(index / "gamma-1.0.tar.gz"), "-C", str(tmp_path), "sdist"]
    subprocess.run(command, check=True)
    with pytest.raises(PackageError, match=r"No matching distribution found for gamma==1\.0"):
        write_lock(tmp_path / "modules.lock", {"gamma": "1.0"}, {}, {})


def test_no_source_is_built_that_a_wheel_names_by_its_address(index: Path, tmp_path: Path) -> None:
    """pip would build it to see what it needs in turn, whatever `--only-binary` says."""
    source = tmp_path / "source"
    source.mkdir()
    backend = 'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(f"[build-system]\n{backend}")
    (source / "backend.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    offer(index, wheel("gamma", {"gamma.py": ""}, (f"source @ {source.as_uri()}",)))
    with pytest.raises(PackageError, match="only wheels are used, and something else would have"):
        write_lock(tmp_path / "modules.lock", {"gamma": "1.0"}, {}, {})
    assert not (tmp_path / "ran").exists()


def test_native_wheels_of_other_hosts_are_pinned_too(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = [*lock._targets()]
    assert len(targets) == 1 + len(lock.PYTHONS) * len(lock.PLATFORMS)
    monkeypatch.setattr(lock, "_targets", lambda: [targets[0], targets[-1]])
    newest = lock.PYTHONS[-1].replace(".", "")
    files = {"gamma.py": ""}
    offer(
        index,
        wheel("gamma", files, tag=NATIVE_TAG),
        wheel("gamma", {"gamma.py": "# pure"}),
        wheel("gamma", {"gamma.py": "# mac"}, tag=f"cp{newest}-cp{newest}-macosx_11_0_arm64"),
        wheel("gamma", {"gamma.py": "# win"}, tag=f"cp{newest}-cp{newest}-win_amd64"),
    )
    pins = write_lock(tmp_path / "modules.lock", {"gamma": "1.0"}, {}, {})
    assert len(pins[canonicalize_name("gamma")].hashes) == 3


def test_what_pins_nothing_is_left_out(tmp_path: Path) -> None:
    """Options would be options of pip, were they passed on."""
    file = tmp_path / "modules.lock"
    right = f"alpha==1.0 ; python_version < '4' --hash=sha256:{'0a' * 32}"
    wrong = [
        "--index-url https://example.com",
        "--pre==1",
        "beta==1.0",
        "gamma",
        "d==1 --hash=sha256:1",
    ]
    file.write_text("\n".join([right, *wrong, "six==-1 --hash=sha256:" + "0" * 64]))
    assert [*read_lock(file)] == ["alpha"]


def test_a_lock_that_is_no_text_is_said(tmp_path: Path) -> None:
    file = tmp_path / "modules.lock"
    assert read_lock(file) == {}
    file.write_bytes(b"\xff")
    with pytest.raises(PackageError, match=r"cannot read .*modules\.lock"):
        read_lock(file)


def test_pip_takes_what_is_written(index: Path, tmp_path: Path) -> None:
    """It is a requirements file as others write and read it."""
    offer(index, *PURE)
    write_lock(tmp_path / "modules.lock", {"alpha": "1.0"}, {}, {})
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--require-hashes"]
    command += ["--ignore-installed", "-r", str(tmp_path / "modules.lock")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Would install alpha-1.0 beta-1.0 old-1.0" in done.stdout, done.stderr
