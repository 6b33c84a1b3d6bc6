"""Third-party distributions come from pinned wheels, whole, checked, and from nowhere else."""

import os
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from gxo.compiler.package import wheels
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.pins import read_pins, required
from gxo.compiler.package.wheels import resolve, shipped_pins
from tests.package.support import EMPTY_JOB, answer, build, probe
from tests.package.wheel_files import NATIVE_TAG, offer, wheel

ALPHA = wheel(
    "alpha", {"alpha/__init__.py": "from beta import NAME\n", "alpha/d.txt": "data"}, ("beta>=1",)
)
BETA = wheel("beta", {"beta.py": "NAME = 'beta'\n", "broken.py": "print 'python 2'\n"})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A private cache of its own."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    return folder


def test_pins_are_read() -> None:
    text = "a-b==1.0 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n# no\nc==2 ; python_version < '4'\n"
    pins = read_pins(text)
    assert [(pin.name, pin.version, sorted(pin.hashes)) for pin in pins.values()] == [
        ("a-b", "1.0", ["11", "22"]),
        ("c", "2", []),
    ]
    assert pins[next(iter(pins))].requirement() == "a-b==1.0 --hash=sha256:11 --hash=sha256:22"


def test_every_shipped_pin_has_hashes() -> None:
    pins = shipped_pins()
    assert {"httpx", "orjson"} <= {*pins}
    assert all(pin.version and pin.hashes for pin in pins.values())


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("x", True),
        ("x; python_version < '3.13'", True),
        ("x; python_version >= '3.13'", True),
        ("x; python_version < '3.11'", False),
        ("x; sys_platform == 'darwin'", True),
        ("x; sys_platform == 'win32'", False),
        ("x; extra == 'fast'", False),
        ("x; extra == 'http2'", True),
        ("x; implementation_name == 'pypy'", False),
    ],
)
def test_what_any_host_needs_is_linked(line: str, needed: bool) -> None:
    metadata = f"Name: a\nVersion: 1\nRequires-Dist: {line}\n".encode()
    found = [one.name for one in required(metadata, frozenset({"http2"}))]
    assert found == (["x"] if needed else [])


def test_a_distribution_brings_what_it_needs(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    offer(monkeypatch, cache, ALPHA, BETA)
    assert [one.name for one in resolve(("Alpha",), native=False)] == ["alpha", "beta"]
    assert resolve((), native=False) == ()


def test_distributions_that_need_each_other(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    one, two = wheel("one", {}, ("two",)), wheel("two", {}, ("one[more]", "three; extra == 'no'"))
    offer(monkeypatch, cache, one, two)
    assert [found.name for found in resolve(("one",), native=False)] == ["one", "two"]


def test_pure_distributions_run_in_place(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    offer(monkeypatch, cache, ALPHA, BETA)
    shown = (
        "[alpha.NAME, alpha.__file__, importlib.metadata.version('alpha'),"
        " importlib.resources.files('alpha').joinpath('d.txt').read_text()]"
    )
    source = f"import alpha, importlib.metadata, importlib.resources\n{probe(shown)}"
    artifact = build(tmp_path, source, needs=("alpha",))
    assert answer(artifact) == ["beta", f"{artifact}/alpha/__init__.py", "1.0", "data"]


def test_distributions_share_a_namespace(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    """A package without an `__init__.py` has parts in several, also in unpacked native ones."""
    one = wheel("one", {"space/one.py": "X = 1\n"}, ("two", "three"))
    two = wheel("two", {"space/deep/two.py": "X = 2\n"})
    three = wheel("three", {"space/three.py": "X = 3\n"}, tag=NATIVE_TAG)
    offer(monkeypatch, cache, one, two, three)
    source = "import importlib.metadata, space.one, space.deep.two, space.three\n"
    source += probe(
        "[space.one.X, space.deep.two.X, space.three.X,"
        " sorted(one.value for one in importlib.metadata.entry_points(group='group'))]"
    )
    artifact = build(tmp_path, source, needs=("one",))
    assert answer(artifact, XDG_CACHE_HOME=str(cache)) == [1, 2, 3, ["one", "three", "two"]]


def test_what_is_kept_of_a_wheel(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    offer(monkeypatch, cache, ALPHA, BETA)
    with zipfile.ZipFile(build(tmp_path, needs=("alpha",))) as archive:
        found = [name for name in archive.namelist() if not name.startswith(("gxo", "_gxo", "__"))]
    assert found == [
        "alpha-1.0.dist-info/METADATA",
        "alpha-1.0.dist-info/entry_points.txt",
        "alpha-1.0.dist-info/licenses/LICENSE",
        "alpha/__init__.py",
        "alpha/__init__.pyc",
        "alpha/d.txt",
        "beta-1.0.dist-info/METADATA",
        "beta-1.0.dist-info/entry_points.txt",
        "beta-1.0.dist-info/licenses/LICENSE",
        "beta.py",
        "beta.pyc",
        "broken.py",
    ]


def test_a_wheel_that_was_changed_is_not_used(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    offer(monkeypatch, cache, BETA)
    path = cache / "gxo" / "wheels" / BETA[0]
    path.write_bytes(BETA[1] + b" ")

    def fetch(*_: object) -> None:
        raise PackageError("GXO0903", "fetched again")

    monkeypatch.setattr(wheels, "_download", fetch)
    with pytest.raises(PackageError, match="fetched again"):
        resolve(("beta",), native=False)
    assert not path.exists()


def test_a_pure_wheel_is_preferred_unless_native_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    files = {"gamma.py": "KIND = 'x'\n"}
    offer(monkeypatch, cache, wheel("gamma", files), wheel("gamma", files, tag=NATIVE_TAG))
    assert not resolve(("gamma",), native=False)[0].native
    assert resolve(("gamma",), native=True)[0].native


def test_distributions_that_do_not_fit_together(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    offer(monkeypatch, cache, wheel("alpha", {}, ("beta>=2",)), BETA)
    with pytest.raises(PackageError, match=r"alpha 1\.0 needs beta>=2, and 1") as caught:
        resolve(("alpha",), native=False)
    assert caught.value.code == "GXO0908"


def test_a_missing_pin_is_said(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    offer(monkeypatch, cache, ALPHA)
    with pytest.raises(PackageError, match="beta is needed, and no version") as caught:
        resolve(("alpha",), native=False)
    assert caught.value.code == "GXO0902"


def test_no_index_is_said(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    offer(monkeypatch, cache, BETA)
    (cache / "gxo" / "wheels" / BETA[0]).unlink()
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(cache),
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PackageError, match=r"cannot fetch beta 1\.0: ") as caught:
        resolve(("beta",), native=False)
    assert caught.value.code == "GXO0903"
    assert os.listdir(cache / "gxo" / "wheels") == []


@pytest.mark.parametrize(
    "path",
    [
        *("gxo/runtime/main.py", "gxo_job.py", "_gxo/x", "__main__.py", "site-packages/x"),
        *("gxo_job/__init__.py", "gxo_job.abi3.so", "modules/acme/__init__.py"),
    ],
)
def test_a_wheel_may_not_take_the_jobs_places(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path, path: str
) -> None:
    offer(monkeypatch, cache, wheel("evil", {path: ""}))
    with pytest.raises(PackageError, match=f"evil has a file that is in the way: {path}"):
        build(tmp_path, EMPTY_JOB, needs=("evil",))


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a/../../x.py", "a\\x.py", "."])
def test_a_wheel_may_not_leave_its_folder(
    monkeypatch: pytest.MonkeyPatch, cache: Path, path: str
) -> None:
    offer(monkeypatch, cache, wheel("evil", {path: ""}))
    with pytest.raises(PackageError, match="has a file outside its folder") as raised:
        resolve(("evil",), native=False)
    assert raised.value.code == "GXO0904"


def test_two_distributions_with_one_file(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    one, two = {"same.py": "", "tests/__init__.py": ""}, {"same.py": "#", "tests/__init__.py": ""}
    offer(monkeypatch, cache, wheel("one", one, ("two",)), wheel("two", two))
    with pytest.raises(PackageError, match=r"two has a file that is in the way: same\.py"):
        build(tmp_path, EMPTY_JOB, needs=("one",))


def test_two_distributions_with_one_file_that_is_alike(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    """Such as the empty `__init__.py` of tests, or of a namespace that they share."""
    files = {"tests/__init__.py": "", "tests/data.txt": "1"}
    offer(monkeypatch, cache, wheel("one", files, ("two",)), wheel("two", files))
    with zipfile.ZipFile(build(tmp_path, EMPTY_JOB, needs=("one",))) as archive:
        assert {"tests/__init__.py", "tests/__init__.pyc", "tests/data.txt"} <= {
            *archive.namelist()
        }


def test_the_shipped_distributions_are_fetched_once_and_run(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    """From the package index, as a user's pip is set up to reach it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    shown = (
        "[httpx.__version__, os.path.exists(certifi.where()), orjson.dumps([1]).decode(),"
        " httpx.__file__.startswith(sys.argv[0])]"
    )
    source = f"import certifi, httpx, orjson\n{probe(shown)}"
    try:
        artifact = build(tmp_path, source, needs=("httpx", "orjson"))
    except PackageError as error:
        if os.environ.get("CI") or error.code != "GXO0903":
            raise
        pytest.skip(f"no package index: {error.message}")
    before = artifact.read_bytes()
    version = shipped_pins()[canonicalize_name("httpx")].version
    assert answer(artifact, XDG_CACHE_HOME=str(cache)) == [version, True, "[1]", True]
    monkeypatch.setattr(wheels, "_download", None)  # offline from here on
    assert build(tmp_path, source, needs=("httpx", "orjson")).read_bytes() == before
