"""Unified diffs: git makes the new text of the old one, and nothing moves a terminal."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.compiler.textdiff import coloured, first_difference, shown, unified

TEXTS = st.lists(st.sampled_from(["a", "b", "", "--- c", "+++", "@@ d"]), max_size=12).map(
    "\n".join
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS)
def test_git_applies_it(tmp_path: Path, old: str, new: str) -> None:
    lines = unified(old, new, "file", "file")
    assert (lines == []) == (old == new)
    file = tmp_path / "file"
    file.write_text(old)
    if lines:
        patch = "".join(f"{line}\n" for line in lines)
        command = ["git", "apply", "-p0", "--whitespace=nowarn"]
        done = subprocess.run(
            command, input=patch, cwd=tmp_path, capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0, done.stderr
    assert file.read_text() == new


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("a\nb\n", "a\nc\n", 2), ("a\n", "a\nb\n", 2), ("a\n", "a", 1), ("a\n", "a\n", 1)],
)
def test_first_difference(old: str, new: str, line: int) -> None:
    assert first_difference(old, new) == line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("caf\u00e9 \u4e16", "caf\u00e9 \u4e16"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("a\r\tb", "a\\r\tb"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_is_not_seen_is_an_escape(text: str, said: str) -> None:
    assert shown(text) == said


def test_colours() -> None:
    assert coloured("-gone") == "\x1b[31m-gone\x1b[0m"
    assert coloured(" same") == " same"
