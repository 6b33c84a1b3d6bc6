"""Which playbooks are found below which paths, and in which order."""

import os
from pathlib import Path

import pytest

from gxo.testrun.finding import PathError, find, name_of


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


def test_all_below_a_folder_by_name() -> None:
    touch("b/z.test.gxo.yaml", "b.test.gxo.yaml", "a/x.test.gxo.yaml", "a.gxo.yaml", "c.yaml")
    assert find(["."]) == (
        ["b.test.gxo.yaml", "a/x.test.gxo.yaml", "b/z.test.gxo.yaml"],
        ["a.gxo.yaml"],
    )


def test_what_was_made_or_fetched_is_left_out_unless_it_is_named() -> None:
    folders = (".venv", ".git", "node_modules", "build", "dist", "venv")
    touch(*(f"{folder}/a.test.gxo.yaml" for folder in folders), ".hidden.test.gxo.yaml")
    assert find(["."]) == ([], [])
    assert find(["build"]) == (["build/a.test.gxo.yaml"], [])


def test_each_once_in_the_order_of_the_paths() -> None:
    touch("a/x.test.gxo.yaml", "b/y.test.gxo.yaml")
    tests, _ = find(["b", "a/x.test.gxo.yaml", "./a", "b/../b"])
    assert tests == ["b/y.test.gxo.yaml", "a/x.test.gxo.yaml"]


def test_links_that_lead_in_a_circle_are_not_followed() -> None:
    touch("a/x.test.gxo.yaml")
    os.symlink("..", "a/up")
    os.symlink("x.test.gxo.yaml", "a/y.test.gxo.yaml")
    assert find(["."])[0] == ["a/x.test.gxo.yaml"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "cannot read 'nowhere': there is no such file or folder"),
        ("a.gxo.yaml", "a.gxo.yaml is no test playbook: the name of one ends with .test.gxo.yaml"),
    ],
)
def test_a_path_that_is_no_use(path: str, message: str) -> None:
    touch("a.gxo.yaml")
    with pytest.raises(PathError, match=f"^{message}$"):
        find([path])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("workloads:\n  - name: x\n", "a.test"),
        ("# a\nname: rolls back # when it must\n", "rolls back"),
        ('name: "rolls: back"\n', "rolls: back"),
        ("name: 'it'\nworkloads: []\n", "it"),
    ],
)
def test_the_name_that_is_searched(text: str, name: str) -> None:
    Path("a.test.gxo.yaml").write_text(text)
    assert name_of("a.test.gxo.yaml") == name


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    touch("a/x.test.gxo.yaml")

    def refused(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(PathError, match="cannot read 'a': permission denied"):
        find(["a"])
