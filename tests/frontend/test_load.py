"""Files that cannot be read, the schema as it is published, and the names that files give."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import FileError, load_playbook, read_file
from gxo.compiler.frontend.reader import stem
from gxo.compiler.frontend.schema import schema_text


def reason(path: str | Path) -> str:
    with pytest.raises(FileError) as caught:
        read_file(path)
    return str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    assert "there is no such file" in reason(tmp_path / "none.yaml")
    assert "there is no such file" in reason(tmp_path / "none.yaml" / "below")


def test_a_directory(tmp_path: Path) -> None:
    assert "it is a directory" in reason(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser may read everything")
    assert "you may not read it" in reason(path)


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.symlink_to(path)
    assert "circle" in reason(path)


def test_names_that_no_file_has() -> None:
    assert "no file name can have" in reason("a\0b")
    assert "too long" in reason("a" * 5000)


def test_an_endless_file_is_not_read_to_its_end() -> None:
    diags = Diagnostics()
    assert load_playbook(read_file("/dev/zero"), "/dev/zero", diags) is None
    assert [item.code for item in diags.items] == ["GXO0104"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/site.gxo.yaml", "site"),
        ("site.yaml", "site"),
        ("site.yml", "site"),
        ("my.site.gxo.yaml", "my.site"),
        ("site", "site"),
        (".yaml", ".yaml"),
    ],
)
def test_the_name_that_a_file_gives(file: str, name: str) -> None:
    assert stem(file) == name


def test_the_schema_is_a_json_schema() -> None:
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    assert "v1.0.0" in schema["description"]


def test_the_published_schema_accepts_what_the_compiler_accepts() -> None:
    """Editors resolve the references that the compiler takes out first."""
    validator = Draft202012Validator(json.loads(schema_text()))
    workload = {"name": "a", "lifecycle": {"policy": "run_once"}, "process": {"module": "exec"}}
    assert validator.is_valid({"workloads": [workload]})
    assert not validator.is_valid({"workloads": [workload | {"nam": "b"}]})
    assert not validator.is_valid({"workloads": [workload | {"timeout": "1 hour"}]})
