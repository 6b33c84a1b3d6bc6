"""Names with newlines, and names that are no UTF-8, go from `filesystem:list` to every other module."""

import os
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError
from tests.stdlib.harness import Outcome, bench, module_spec, run

NAMES = (b"a\nb", b"\xff\xfe", b"caf\xe9", b" \t\\'\"*", b"-rf")


def call(folder: Path, module: str, **params: Any) -> Outcome:
    async def play() -> Outcome:
        async with bench(folder) as workbench:
            return await workbench.call(module_spec(module), params)

    outcome = run(play())
    if outcome.error is not None:
        raise outcome.error
    return outcome


def test_a_name_that_was_listed_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in NAMES:
        (tmp_path / "d" / os.fsdecode(name)).write_bytes(b"in " + name)
    paths = [record["path"] for record in call(tmp_path, "filesystem:list", path="d").sent]
    assert sorted(os.fsencode(path)[2:] for path in paths) == sorted(NAMES)
    for path in paths:
        read = call(tmp_path, "filesystem:read", path=path, encoding="base64").summary
        stat = call(tmp_path, "filesystem:stat", path=path).summary
        assert read["size"] == stat["size"] == len(os.fsencode(path)) + 1
        assert call(tmp_path, "exec", command="cat", args=[path]).summary["stdout"][:3] == "in "
        call(tmp_path, "filesystem:write", path=path, content="new")
        call(tmp_path, "filesystem:copy", source=path, destination=f"{path}.copy")
        call(tmp_path, "filesystem:manage", path=path, state="absent")
    call(tmp_path, "filesystem:archive", source="d", destination="all.tar")
    call(tmp_path, "filesystem:extract", source="all.tar", destination="out")
    unpacked = call(tmp_path, "filesystem:list", path="out", recursive=True).sent
    names = [one["path"].rpartition("/")[2] for one in unpacked if not one["is_dir"]]
    assert sorted(names) == sorted(f"{path[2:]}.copy" for path in paths)


def test_a_zip_has_no_such_names(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(ModuleError, match=r"a zip cannot hold 'caf\\xe9': the name is no UTF-8"):
        call(tmp_path, "filesystem:archive", source="d", destination="all.zip")
    assert not (tmp_path / "all.zip").exists()


def test_a_zip_of_what_it_has_no_time_for(tmp_path: Path) -> None:
    """And a link whose target is no UTF-8."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/late").touch()
    os.utime(tmp_path / "d/late", (2**33, 2**33))
    (tmp_path / "d/l").symlink_to(os.fsdecode(b"\xff"))
    call(tmp_path, "filesystem:archive", source="d", destination="all.zip")
    call(tmp_path, "filesystem:extract", source="all.zip", destination="out")
    assert os.readlink(bytes(tmp_path / "out/l")) == b"\xff"
