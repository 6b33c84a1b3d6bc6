"""Every code that the compiler uses is in the table, at its level, and every one in it is used."""

import re
from pathlib import Path

import pytest

from gxo.compiler import codes, driver
from gxo.compiler.codes import Example, complete, ranges, table

COMPILER = Path(driver.__file__).parent
USE = re.compile(r"\bGXO\d{4}\b")
NAMES = re.compile(r"^([A-Z_, ]+) = ((?:\"GXO\d{4}\"(?:, )?)+)$", re.M)
CALL = re.compile(r"(?<=\W)_?(error|warning)\(\s*(?:\"(GXO\d{4})\"|([A-Z][A-Z_]+)),")


def sources() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in COMPILER.rglob("*.py")}


def test_codes_used_are_codes_in_the_table() -> None:
    folder = Path(codes.__file__).parent
    texts = [text for path, text in sources().items() if path.parent != folder]
    used = {code for text in texts for code in USE.findall(text)}
    assert used - set(table()) == set()
    assert set(table()) - used == set()


def test_each_is_told_at_the_level_of_the_table() -> None:
    levels: set[tuple[str, str]] = set()
    for text in sources().values():
        named: dict[str, str] = {}
        for names, values in NAMES.findall(text):
            named |= dict(zip(names.split(", "), USE.findall(values), strict=True))
        for level, code, name in CALL.findall(text):
            if code or name in named:
                levels.add((code or named[name], level))
    assert len(levels) > 70
    assert {(code, level, table()[code].level) for code, level in levels} == {
        (code, level, level) for code, level in levels
    }


def test_the_table_is_sorted_and_says_something() -> None:
    assert list(table()) == sorted(table())
    titles = [code.title for code in table().values()]
    assert len(set(titles)) == len(titles)
    for one in table().values():
        assert not one.title.endswith(".")
        assert one.explanation.endswith(".") and len(one.explanation) > 60
        assert one.fails != one.passes


def test_a_file_holds_one_range() -> None:
    for number, one in enumerate(ranges(), 1):
        assert one.title
        assert {code.code[:5] for code in one.codes} == {f"GXO{number:02}"[:5]}
        assert one.text.count("\n## ") == len(one.codes), f"a heading of {one.title} is not read"


def test_an_entry_without_an_example_is_refused() -> None:
    with pytest.raises(ValueError, match="GXO0101 has no explanation"):
        codes._read_range("# File\n\n## GXO0101 error: the file is empty\n\nIt is empty.\n")


def test_a_part_of_a_playbook_is_completed() -> None:
    part = "- name: a\n  needs: [b]\n- name: b\n  process: {module: passthrough}\n"
    assert complete(Example("yaml", part)) == (
        "name: example\n"
        "schemaVersion: v1.0.0\n"
        "workloads:\n"
        "  - name: a\n"
        "    lifecycle: {policy: run_once}\n"
        "    process: {module: exec, params: {command: uname}}\n"
        "    needs: [b]\n"
        "  - name: b\n"
        "    lifecycle: {policy: run_once}\n"
        "    process: {module: passthrough}\n"
    )
