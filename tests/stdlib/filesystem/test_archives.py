"""`filesystem:archive` and `extract`: what comes out is what went in, and nothing leads out."""

import gzip
import io
import os
import re
import stat
import subprocess
import tarfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stdlib.harness import Outcome, bench, module_spec, run

HOSTILE = yaml.safe_load(Path(__file__).with_name("hostile.yaml").read_text("utf-8"))
TAR_TYPES = {
    "folder": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "device": tarfile.CHRTYPE,
}
ZIP_TYPES = {
    "file": stat.S_IFREG,
    "folder": stat.S_IFDIR,
    "link": stat.S_IFLNK,
    "fifo": stat.S_IFIFO,
    "device": stat.S_IFCHR,
}


def call(folder: Path, module: str, **params: Any) -> Outcome:
    async def play() -> Outcome:
        async with bench(folder) as workbench:
            return await workbench.call(module_spec(module), params)

    return run(play())


def packed(folder: Path, module: str, **params: Any) -> dict[str, Any]:
    """The summary of a call that succeeds."""
    outcome = call(folder, module, **params)
    if outcome.error is not None:
        raise outcome.error
    summary: dict[str, Any] = outcome.summary
    return summary


def hostile(kind: str, members: list[dict[str, Any]]) -> bytes:
    """An archive made by Python's own modules, without any check."""
    target = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            for one in members:
                which = one.get("type", "file")
                info = zipfile.ZipInfo(one["name"])
                info.external_attr = (ZIP_TYPES[which] | int(one.get("mode", "0644"), 8)) << 16
                with warnings.catch_warnings(action="ignore"):  # a name that is there twice
                    archive.writestr(info, one.get("content", one.get("target", "")))
        return target.getvalue()
    for one in members:
        info = tarfile.TarInfo(one["name"])
        info.type = TAR_TYPES.get(one.get("type", "file"), tarfile.REGTYPE)
        info.linkname, info.mode = one.get("target", ""), int(one.get("mode", "0644"), 8)
        content = one.get("content", "").encode()
        info.size = one.get("claims", len(content))
        target.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    whole = target.getvalue() + bytes(1024)
    return gzip.compress(whole) if kind == "tar.gz" else whole


def kinds(case: dict[str, Any]) -> list[str]:
    return ["tar", "tar.gz"] + ["zip"] * ("only" not in case)


def around(folder: Path) -> dict[str, str]:
    """What is in the workspace besides `out`, and beside it."""
    found = [path for path in folder.parent.rglob("*") if folder / "out" not in path.parents]
    return {str(path): path.read_text("latin-1") if path.is_file() else "" for path in found}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        pytest.param(case, kind, id=f"{case['name']} {kind}")
        for case in HOSTILE
        for kind in kinds(case)
    ],
)
def test_hostile_archive(case: dict[str, Any], kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    (folder / f"evil.{kind}").write_bytes(hostile(kind, case["members"]))
    (folder / "out").mkdir()
    before = around(folder)
    params = {"source": f"evil.{kind}", "destination": "out", **case.get("params", {})}
    outcome = call(folder, "filesystem:extract", **params)
    if "error" in case:
        assert re.search(case["error"][3:], str(outcome.error)), outcome.error
    elif outcome.error is not None:
        raise outcome.error
    if "after" not in case:
        assert list((folder / "out").iterdir()) == []
    for name, expected in case.get("after", {}).items():
        path = folder / "out" / name
        if isinstance(expected, dict):
            assert f"{path.stat().st_mode & 0o7777:04o}" == expected["mode"]
        else:
            assert path.read_text() == expected
    assert around(folder) == before


def test_the_members_of_a_zip_are_counted_before_python_makes_objects_of_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.zip").write_bytes(hostile("zip", [{"name": str(n)} for n in range(10_000)]))
    tracemalloc.start()
    try:
        outcome = call(tmp_path, "filesystem:extract", source="a.zip", destination="o", max_files=9)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert str(outcome.error) == "'a.zip' has more than 9 members (max_files)"


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=9
)
TREES = st.dictionaries(
    st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=3).map(tuple),
    st.tuples(st.binary(max_size=2000), st.sampled_from([0o600, 0o644, 0o755])),
    max_size=6,
)


def lay_out(folder: Path, tree: dict[tuple[str, ...], tuple[bytes, int]]) -> None:
    folder.mkdir()
    for parts, (content, mode) in tree.items():
        path = folder.joinpath(*parts)
        if any(one.is_file() for one in path.parents) or path.is_dir():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            os.readlink(os.fsencode(path))
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else b"",
        )
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
@given(tree=TREES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
def test_what_comes_out_is_what_went_in(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    tree: dict[tuple[str, ...], tuple[bytes, int]],
) -> None:
    folder = tmp_path_factory.mktemp("ws")
    lay_out(folder / "tree", tree)
    (folder / "tree" / "a longer name").symlink_to("nowhere")
    (folder / "tree" / "for everybody").mkdir()
    (folder / "tree" / "for everybody").chmod(0o1777)
    name = f"a.{kind}"
    first = packed(folder, "filesystem:archive", source="tree", destination=name)
    assert first["changed"] and first["bytes"] == (folder / name).stat().st_size
    again = packed(folder, "filesystem:archive", source="tree/", destination=name)
    assert not again["changed"]
    inside = {"source": "tree", "destination": f"./tree/../tree/{name}"}
    assert packed(folder, "filesystem:archive", **inside)["changed"]
    assert not packed(folder, "filesystem:archive", **inside)["changed"]
    (folder / "tree" / name).unlink()
    out = packed(folder, "filesystem:extract", source=name, destination="deep/out")
    assert contents(folder / "deep/out") == contents(folder / "tree")
    assert out["files"] == first["files"]
    once_more = packed(folder, "filesystem:extract", source=name, destination="deep/out")
    assert once_more == {**out, "files": 0, "bytes": 0, "changed": False}


@pytest.mark.parametrize(
    ("kind", "pack", "unpack"),
    [
        (
            "tar",
            ["tar", "-cf", "theirs.tar", "-C", "tree", "."],
            ["tar", "-xf", "ours.tar", "-C", "out"],
        ),
        (
            "tar.gz",
            ["tar", "-czf", "theirs.tar.gz", "-C", "tree", "."],
            ["tar", "-xzf", "ours.tar.gz", "-C", "out"],
        ),
        (
            "zip",
            ["python3", "-m", "zipfile", "-c", "theirs.zip", "tree/d", "tree/run", "tree/ü"],
            ["python3", "-m", "zipfile", "-e", "ours.zip", "out"],
        ),
    ],
)
def test_other_tools(kind: str, pack: list[str], unpack: list[str], tmp_path: Path) -> None:
    """They read what gxo packs, and gxo what they pack: names of many bytes, a large file."""
    lay_out(
        tmp_path / "tree",
        {
            ("d", "n" * 200): (b"long", 0o644),
            ("d", "e", "f" * 120, "g" * 120): (bytes(3_000_000), 0o600),
            ("run",): (b"#!", 0o755),
            ("ü",): (b"", 0o644),
        },
    )
    subprocess.run(pack, cwd=tmp_path, check=True)
    packed(tmp_path, "filesystem:extract", source=f"theirs.{kind}", destination="ours")
    packed(tmp_path, "filesystem:archive", source="tree", destination=f"ours.{kind}")
    (tmp_path / "out").mkdir()
    subprocess.run(unpack, cwd=tmp_path, check=True)
    expected = contents(tmp_path / "tree")
    if kind == "zip":  # Python's own tool keeps no permissions
        texts = {name: content for name, (_, content) in expected.items()}
        assert {name: content for name, (_, content) in contents(tmp_path / "out").items()} == texts
        assert {
            name: content for name, (_, content) in contents(tmp_path / "ours").items()
        } == texts
    else:
        assert contents(tmp_path / "out") == expected
        assert contents(tmp_path / "ours") == expected


def test_bomb(tmp_path: Path) -> None:
    """A small archive of one large file stops at the limit, and writes nothing."""
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(20_000_000))
    outcome = call(
        tmp_path, "filesystem:extract", source="bomb.zip", destination="out", max_bytes=10_000_000
    )
    assert "have more than 10000000 bytes" in str(outcome.error)
    assert not (tmp_path / "out").exists()


def test_header_bomb(tmp_path: Path) -> None:
    """An extended header of 20 MB is not read into memory."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 20_000_000
    (tmp_path / "bomb.tar").write_bytes(info.tobuf() + bytes(20_001_024))
    outcome = call(tmp_path, "filesystem:extract", source="bomb.tar", destination="out")
    assert "'bomb.tar' is no tar archive, or a damaged one: a header of" in str(outcome.error)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_damaged_at_any_byte(kind: str, tmp_path: Path) -> None:
    """One clear error or a clean result, whatever byte is wrong; nothing outside."""
    good = hostile(
        kind,
        [
            {"name": "a.txt", "content": "hello" * 20},
            {"name": "l", "type": "link", "target": "a.txt"},
        ],
    )
    for at in range(0, len(good), len(good) // 50):
        damaged = bytearray(good)
        damaged[at] ^= 0xFF
        (tmp_path / f"a.{kind}").write_bytes(damaged)
        outcome = call(tmp_path, "filesystem:extract", source=f"a.{kind}", destination="out")
        if outcome.error is not None:
            assert type(outcome.error).__name__ in ("ModuleError", "SecurityError"), outcome.error
        names = {path.name for path in tmp_path.iterdir()}
        assert names <= {"out", f"a.{kind}"}
