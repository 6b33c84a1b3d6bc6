"""`gxo eval`: a table of command lines, what they print and how they end."""

import io
import json
from pathlib import Path

import pytest

from gxo.cli.main import main
from tests.casefile import Case, read_cases

CASES = read_cases(Path(__file__).with_name("eval.test"))


class Input(io.TextIOWrapper):
    """A standard input with the given bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), "utf-8")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_template_is_evaluated(
    case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = case.sections.get("options", "").split()
    if "data" in case.sections:
        monkeypatch.setattr("sys.stdin", Input(case.sections["data"].encode()))
        options += ["--data", "-"]
    code = main(["eval", case.input.rstrip("\n"), *options])
    printed = capsys.readouterr()
    assert f"{printed.out}{printed.err}{code}\n" == case.sections["out"]


def test_data_comes_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.yaml"
    data.write_text("port: 0x50\n")
    assert main(["eval", "{{ .port }}", "--data", str(data)]) == 0
    assert capsys.readouterr().out == "80\nint\n"
    assert main(["eval", "{{ .port }}", "--data", str(tmp_path / "none")]) == 2
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["{{ . }}", "--jsonl"]])
def test_a_template_or_lines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments])
    assert ended.value.code == 2
    assert "give a template, or --jsonl" in capsys.readouterr().err


def test_lines_are_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [
        {"id": "a", "template": "{{ . }}", "data": [None, 1.0, "é"]},
        {"id": 2, "template": "{{ .x }}", "data": {}},
        {"template": "{{ .x"},
        {"id": "bytes", "template": '{{ "/w==" | b64dec }}'},
    ]
    lines = "\n".join(json.dumps(one) for one in questions)
    monkeypatch.setattr("sys.stdin", Input(lines.encode()))
    assert main(["eval", "--jsonl"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0] == {"id": "a", "ok": True, "output": "[<nil> 1 é]"}
    assert answers[1] == {
        "id": 2,
        "ok": False,
        "error": "exec",
        "message": 'the map has no key "x" (template:1:4: .x)',
    }
    assert (answers[2]["id"], answers[2]["error"]) == (None, "parse")
    assert answers[3]["output"] == "\ufffd"


@pytest.mark.parametrize("line", ["[1]", "{", '{"template": 1}', "\udcff"])
def test_a_line_that_asks_nothing_ends_it(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Input(line.encode("utf-8", "surrogateescape")))
    assert main(["eval", "--jsonl"]) == 2
    assert capsys.readouterr().err.startswith("gxo: line 1 is no")
