"""`--dry-run`, `--check`, `--diff` and `--detailed-exitcode`: what they print, and the exit code."""

from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.main import main
from tests.reports import read_report
from tests.stdlib.dry_run.test_dry_run import world
from tests.stdlib.stream.test_pipelines import compiled

HEAD = """
name: p
schemaVersion: v1.0.0
outputs: ["*.txt"]
workloads:
"""
WRITE = """
  - name: save
    lifecycle: {policy: run_once}
    register: saved
    process: {module: filesystem:write, params: {path: a.txt, content: "one\\ntwo\\n"}}
"""
SECRET = """
  - name: save
    lifecycle: {policy: run_once}
    process:
      module: filesystem:write
      params: {path: a.txt, content: "first\\nkey {{ secret `KEY` }}\\n", mode: "0600"}
"""
BINARY = """
  - name: save
    lifecycle: {policy: run_once}
    process: {module: filesystem:write, params: {path: a.txt, content: AAEC, encoding: base64}}
"""


def run(
    capfd: pytest.CaptureFixture[str], text: str, folder: Path, *options: str
) -> tuple[int, list[str]]:
    """The exit code, and the lines on standard error without their times."""
    job = compiled(HEAD + text)
    code = main(job, None, ["--workspace", str(folder), *options])
    said = capfd.readouterr()
    assert said.out == ""
    return code, [line.partition("  ")[2].strip() or line for line in said.err.splitlines()]


@pytest.mark.parametrize("option", ["--dry-run", "--check"])
def test_it_says_what_would_change(
    option: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "started").mkdir()
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "started")
    before = world(tmp_path)
    code, lines = run(capfd, WRITE, tmp_path / "workspace", option)
    assert code == 0
    assert lines[0].endswith("save: would write a.txt (8 bytes)")
    assert lines[-1].endswith("dry run: 1 would change, 0 unchanged, 0 unknown")
    assert world(tmp_path) == before, "no output is copied, nothing is written"


def test_the_exit_code_says_whether_something_would_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(capfd, WRITE, tmp_path, "--check", "--detailed-exitcode")[0] == 3
    assert run(capfd, WRITE, tmp_path, "--outputs", str(tmp_path))[0] == 0
    code, lines = run(capfd, WRITE, tmp_path, "--check", "--detailed-exitcode")
    assert code == 0
    assert lines[0].endswith("save: would leave a.txt as it is")
    assert lines[-1].endswith("dry run: 0 would change, 1 unchanged, 0 unknown")


def test_only_a_dry_run_has_a_detailed_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(capfd, WRITE, tmp_path, "--detailed-exitcode")
    assert code == 2
    assert lines[-1] == "hint: add --dry-run"
    assert not list(tmp_path.iterdir())


def test_the_report_of_a_dry_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    options = ["--check", "--report", str(report), "--log-level", "error"]
    assert run(capfd, WRITE, tmp_path, *options) == (0, [])
    save: dict[str, Any] = read_report(report)["workload_results"]["save"]
    assert save["status"] == "Completed"
    assert save["reason"] == "would write a.txt (8 bytes)"
    assert save["summary"] == {
        "path": "a.txt",
        "bytes_written": 8,
        "changed": True,
        "dry_run": True,
    }


@pytest.mark.parametrize("options", [["--diff", "--check"], ["--diff"]])
def test_the_difference_in_a_dry_run_and_in_a_run(
    options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("one\n2\n")
    _, lines = run(capfd, WRITE, tmp_path, *options, "--outputs", str(tmp_path))
    assert lines[0].endswith("save: changes a.txt")
    assert lines[1:7] == ["--- a.txt", "+++ a.txt", "@@ -1,2 +1,2 @@", "one", "-2", "+two"]
    assert (tmp_path / "a.txt").read_text() == ("one\n2\n" if len(options) > 1 else "one\ntwo\n")


def test_a_difference_is_redacted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "hunter2-hunter2")
    (tmp_path / "a.txt").write_text("key hunter2-hunter2\n")
    _, lines = run(capfd, SECRET, tmp_path, "--check", "--diff")
    assert "hunter2" not in "".join(lines)
    assert lines[1:6] == [
        *("--- a.txt", "+++ a.txt", "@@ -1 +1,2 @@", "+first"),
        "key [REDACTED_SECRET]",
    ]


def test_a_difference_only_in_what_is_redacted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "hunter2-hunter2")
    (tmp_path / "a.txt").write_text("first\nkey hunter2-hunter2")
    _, lines = run(capfd, SECRET, tmp_path, "--check", "--diff")
    assert lines[0].endswith("changes a.txt: only in what is redacted, or in its line ends")


@pytest.mark.parametrize(
    ("text", "before", "told"),
    [
        (BINARY, None, "creates a.txt: 3 bytes of binary data"),
        (BINARY, b"text", "changes a.txt: 4 bytes, then 3 bytes of binary data"),
        (WRITE, b"x" * 300_000, "changes a.txt: over 256 KiB, then 8 bytes"),
        (WRITE, b"\n" * 9_000, "changes a.txt: 9000 bytes, then 8 bytes"),
        (WRITE, b"\xff\xfe", "changes a.txt: 2 bytes, then 8 bytes"),
    ],
)
def test_what_is_no_short_text_is_not_shown(
    text: str,
    before: bytes | None,
    told: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if before is not None:
        (tmp_path / "a.txt").write_bytes(before)
    _, lines = run(capfd, text, tmp_path, "--check", "--diff")
    assert lines[0].endswith(told)
    assert "would write" in lines[1]


def test_control_characters_do_not_reach_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("one\n\x1b]0;title\x07\u202e\n")
    _, lines = run(capfd, WRITE, tmp_path, "--check", "--diff")
    assert "-\\x1b]0;title\\x07\\u202e" in lines


def test_long_differences_are_cut(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("".join(f"line {number}\n" for number in range(2_000)))
    _, lines = run(capfd, WRITE, tmp_path, "--check", "--diff")
    assert "... 1505 more lines" in lines


def test_a_large_spool_is_written_whole_after_its_difference_was_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "big.txt").write_text("x" * 1000 + "\n")
    copy = """
  - name: lines
    lifecycle: {policy: run_once}
    process: {module: data:generate_from_list, params: {items: "{{ until 3000 }}"}}
  - name: wide
    lifecycle: {policy: run_once}
    stream_inputs: [lines]
    process: {module: data:map, params: {fields: {line: '{{ repeat 300 "y" }}{{ .item }}'}}}
  - name: big
    lifecycle: {policy: run_once}
    stream_inputs: [wide]
    process: {module: data:format, params: {format: text, path: big.txt}}
"""
    _, lines = run(capfd, copy, tmp_path, "--diff", "--outputs", str(tmp_path))
    assert any(line.endswith("changes big.txt: 1001 bytes, then over 256 KiB") for line in lines)
    expected = "".join(f"{'y' * 300}{number}\n" for number in range(3000))
    assert (tmp_path / "big.txt").read_text() == expected
