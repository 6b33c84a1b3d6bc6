"""Input that is damaged, hostile or far too long: bounded, and one error that names file and place."""

import gzip
import io
import json
import os
import random
import re
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.data import _json, _lines, _source, _text
from gxo.stdlib.data._formats import xml, yaml
from gxo.stdlib.data._readers import READERS
from tests.stdlib.data import bad_input
from tests.stdlib.data.bad_input import ONE_LINE, parse
from tests.stdlib.harness import bench, module_spec, run

MIB = 2**20
LINES = b"".join(b'{"n": %d}\n' % n for n in range(100_000))


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sixty-fourth of the limits, so that a sixty-fourth of the bytes passes them."""
    monkeypatch.setattr(_text, "MAX_LINE", MIB)
    monkeypatch.setattr(_json, "MAX_VALUE", MIB)
    monkeypatch.setattr(xml, "MAX_VALUE", MIB)
    monkeypatch.setattr(yaml, "MAX_TEXT", MIB // 2)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("kind", ONE_LINE)
def test_one_line_without_an_end(kind: str, tmp_path: Path) -> None:
    """tests/proof/bad_input.py does the same with 1 GB and the real limits."""
    bad_input.write_one_line(tmp_path / "a", kind, 48 * MIB)
    tracemalloc.start()
    try:
        outcome = parse(tmp_path, kind, "a")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(outcome.error, ModuleError)
    message = str(outcome.error)
    assert message.startswith(("cannot parse 'a': line ", "cannot parse 'a': byte ")), message
    assert "longer than" in message
    assert peak < 16 * MIB


def jsonl_of(folder: Path, data: bytes, name: str = "a.jsonl") -> Any:
    (folder / name).write_bytes(data)
    return parse(folder, "jsonl", name)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("jsonl", b'{"a": 1}', b'{"a": "\xff"}'),
        ("csv", b"1", b"\xff"),
        ("tsv", b"1", b"\xff"),
        ("text_lines", b"1", b"\xff"),
        ("regex", b"1", b"\xff"),
        ("logfmt", b"a=1", b"a=\xff"),
        ("grok", b"1", b"\xff"),
    ],
)
def test_bytes_that_are_no_text(kind: str, good: bytes, bad: bytes, tmp_path: Path) -> None:
    lines = [good] * 20_000
    lines[10_000] = bad
    (tmp_path / "a").write_bytes(b"\n".join(lines))
    options = {
        "csv": {"headers": ["a"]},
        "tsv": {"headers": ["a"]},
        "regex": {"pattern": "(?P<a>.)"},
    }
    outcome = parse(tmp_path, kind, "a", options.get(kind))
    assert outcome.record_errors == ["'a', line 10001: not valid UTF-8"]
    assert len(outcome.sent) == 19_999


def test_bytes_that_are_no_text_in_a_document_whose_encoding_is_its_own(tmp_path: Path) -> None:
    """Those of JSON and YAML are in the table of cases."""
    (tmp_path / "a").write_bytes(b"<a><r>1</r>\n\xff</a>")
    error = parse(tmp_path, "xml", "a").error
    assert str(error).startswith("cannot parse 'a': line 2, column 1: ")


@pytest.mark.parametrize("kind", [kind for kind in ONE_LINE if kind != "xml"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_a_text_in_utf_16(kind: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("a b c d e f g h\n".encode(encoding))
    error = parse(tmp_path, kind, "a").error
    assert str(error) == "cannot parse 'a': byte 0: it is in UTF-16, not in UTF-8"
    assert isinstance(error, ModuleError)
    assert error.hint == "iconv -f UTF-16 -t UTF-8 changes it"


@pytest.mark.parametrize("kind", ["jsonl", "text_lines", "json", "csv"])
def test_gzip_is_unpacked(kind: str, tmp_path: Path) -> None:
    data = {"json": b"[" + LINES.replace(b"\n", b",\n") + b"0]", "csv": b"a\n" + b"1\n" * 100_001}
    text = data.get(kind, LINES)
    half = len(text) // 2
    packed = gzip.compress(text[:half]) + gzip.compress(text[half:]) + bytes(512)
    (tmp_path / "a.gz").write_bytes(packed)
    outcome = parse(tmp_path, kind, "a.gz")
    assert outcome.error is None
    assert len(outcome.sent) == (100_000 if kind in ("jsonl", "text_lines") else 100_001)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "yaml", "xml"])
def test_gzip_that_ends_too_early(kind: str, tmp_path: Path) -> None:
    numbers = [random.Random(n).random() for n in range(20_000)]  # hardly packed
    texts = {
        "jsonl": "".join(f'{{"n": {n}}}\n' for n in numbers),
        "json": json.dumps([{"n": n} for n in numbers]),
        "csv": "n\n" + "".join(f"{n}\n" for n in numbers),
        "yaml": "".join(f"- {{n: {n}}}\n" for n in numbers[:2000]),
        "xml": "<a>" + "".join(f"<r>{n}</r>" for n in numbers) + "</a>",
    }
    packed = bad_input.cut_gzip(texts[kind].encode())
    (tmp_path / "a.gz").write_bytes(packed)
    outcome = parse(tmp_path, kind, "a.gz")
    assert isinstance(outcome.error, ModuleError)
    assert str(outcome.error) == (
        f"cannot parse 'a.gz': byte {len(packed)}: the gzip file ends too early"
    )
    total = 2000 if kind == "yaml" else 20_000
    assert 0.4 * total < len(outcome.sent) < 0.6 * total


@pytest.mark.parametrize("at", [12, 2000, -4])
def test_gzip_that_is_damaged(at: int, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[at] ^= 0x55
    outcome = jsonl_of(tmp_path, bytes(packed), "a.gz")
    assert re.fullmatch(
        r"cannot parse 'a.gz': byte \d+, or before: damaged gzip: [a-z ]+", str(outcome.error)
    )


def test_gzip_of_members_that_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"") * 10_002)
    assert str(parse(tmp_path, "text_lines", "a.gz").error) == (
        "cannot parse 'a.gz': byte 200040, or before: more than 10,000 members of the gzip file"
        " hold nothing"
    )


@pytest.mark.usefixtures("low_limits")
def test_gzip_that_becomes_one_endless_line(tmp_path: Path) -> None:
    outcome = jsonl_of(tmp_path, gzip.compress(b"x" * 64 * MIB), "a.gz")
    assert (
        str(outcome.error) == "cannot parse 'a.gz': byte 0: a line is longer than 1,048,576 bytes"
    )


@pytest.mark.parametrize("members", [1, 100])
def test_gzip_that_unpacks_to_more_and_more(
    members: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_source, "FREE", MIB)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * (8 * MIB // members) + b"\n") * members)
    outcome = parse(tmp_path, "text_lines", "a.gz")
    assert isinstance(outcome.error, ModuleError)
    assert re.fullmatch(
        r"cannot parse 'a.gz': byte \d+, or before: the gzip file unpacks to more than 200 times its size",
        str(outcome.error),
    )
    assert "gunzip" in str(outcome.error.hint)


def test_a_row_that_goes_on_over_all_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lines, "MAX_VALUE", MIB)
    (tmp_path / "a").write_bytes(b'a,b\n1,2\n"x\n' + b'",x,"\n' * (MIB // 2))
    outcome = parse(tmp_path, "csv", "a")
    assert str(outcome.error).startswith("cannot parse 'a': line 3: a row is longer than 1,048,576")


def test_a_row_with_too_many_fields(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'a,b\n1,2\n"x\ny",2,3\n4,5\n')
    outcome = parse(tmp_path, "csv", "a")
    assert outcome.record_errors == ["'a', line 3: the row has 3 fields, and there are 2 columns"]
    assert outcome.sent == [{"a": "1", "b": "2"}, {"a": "4", "b": "5"}]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5000])
def test_numbers_that_no_record_can_hold(number: str, tmp_path: Path) -> None:
    outcome = jsonl_of(tmp_path, f'{{"n": 1}}\n{{"n": {number}}}\n'.encode())
    [error] = outcome.record_errors
    assert error.startswith("'a.jsonl', line 2: ")
    assert outcome.sent == [{"n": 1}]


def test_a_number_without_end_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"- 1\n- " + b"9" * 5000 + b"\n- " + b"9" * 400 + b"\n")
    outcome = parse(tmp_path, "yaml", "a")
    assert [error[:22] for error in outcome.record_errors] == [
        "'a', value 2: line 2: ",
        "'a', value 3: line 3: ",
    ]


@pytest.mark.parametrize("kind", ["json", "yaml", "xml"])
@pytest.mark.parametrize("depth", [1001, 100_000])
def test_nested_without_end(kind: str, depth: int, tmp_path: Path) -> None:
    data = (b"<a>" if kind == "xml" else b"[") * (depth + 1)
    (tmp_path / "a").write_bytes(data + (b"]" * (depth + 1) if kind == "json" else b""))
    error = parse(tmp_path, kind, "a").error
    assert str(error).startswith("cannot parse 'a': line 1, column ")
    assert "nested deeper than 1,000" in str(error)


def test_names_that_are_all_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser keeps each, also those that are in no record."""
    monkeypatch.setattr(xml, "MAX_NAMES", 1000)
    names = "".join(f"<a{number}/>" for number in range(1001))
    (tmp_path / "a").write_text(f"<a>{names}</a>")
    error = parse(tmp_path, "xml", "a", {"record_tag": "r"}).error
    assert str(error).startswith("cannot parse 'a': line 1, column ")
    assert str(error).endswith("it has more than 1,000 different names")


LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("logfmt", f"{LONG}=1 {LONG}=2"),
        ("xml", f"<!DOCTYPE a [<!ENTITY {LONG} 'b'>]><a/>"),
        ("yaml", f"- *{LONG}"),
        ("yaml", f"- !{LONG} {{}}"),
        ("yaml", f"- !{LONG} a"),
    ],
)
def test_a_long_name_is_cut_where_it_is_told(kind: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    outcome = parse(tmp_path, kind, "a")
    for message in outcome.record_errors or [str(outcome.error)]:
        assert "x" * 40 in message
        assert len(message) < 200


def test_entities_that_stand_for_more_and_more(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bad_input.entity_bomb(12))
    error = parse(tmp_path, "xml", "a").error
    assert str(error).startswith("cannot parse 'a': line 1, column ")
    assert "it declares the entity 'e0'" in str(error)


def test_aliases_that_stand_for_more_and_more(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bad_input.alias_bomb(12))
    error = parse(tmp_path, "yaml", "a").error
    assert str(error).startswith("cannot parse 'a': line ")
    assert "anchors hold more than 8,388,608 characters" in str(error)


def test_aliases_of_a_record_that_stand_for_too_much(tmp_path: Path) -> None:
    text = "- &a " + "x" * 100_000 + "\n- [" + "*a, " * 100 + "]\n- good\n"
    (tmp_path / "a").write_text(text)
    outcome = parse(tmp_path, "yaml", "a")
    assert outcome.record_errors == [
        "'a', value 2: line 2: its aliases stand for more than 8,388,608 characters"
    ]
    assert len(outcome.sent) == 2


def test_a_pattern_that_backtracks_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 100_000 + b"!\naaa\n")
    outcome = parse(tmp_path, "regex", "a", {"pattern": "(?P<all>(a+)+)$"})
    assert outcome.record_errors == ["'a', line 1: does not match the pattern"]
    assert outcome.sent == [{"all": "aaa"}]


@pytest.mark.parametrize("kind", ["jsonl", "json", "yaml", "xml"])
def test_a_nul(kind: str, tmp_path: Path) -> None:
    texts = {"jsonl": b'{"a": 1}\n\0\n', "json": b"[1,\n\0]", "yaml": b"- 1\n- \0\n"}
    (tmp_path / "a").write_bytes(texts.get(kind, b"<a>\n\0</a>"))
    outcome = parse(tmp_path, kind, "a")
    [message] = outcome.record_errors or [str(outcome.error)]
    assert "'a'" in message
    assert "line " in message


@pytest.mark.parametrize("kind", ["text_lines", "csv", "logfmt", "grok"])
def test_a_nul_in_a_text(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a=\0\na=\0\n")
    outcome = parse(tmp_path, kind, "a", {"pattern": "%{GREEDYDATA:a}"} if kind == "grok" else {})
    assert outcome.error is None
    assert "\0" in str(list(outcome.sent[0].values())) or "\\x00" in str(outcome.sent[0])


@pytest.mark.parametrize("what", ["fifo", "folder", "socket"])
def test_what_is_no_file(what: str, tmp_path: Path) -> None:
    if what == "fifo":
        os.mkfifo(tmp_path / "a")
    elif what == "folder":
        (tmp_path / "a").mkdir()
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "a"))
    error = parse(tmp_path, "jsonl", "a").error
    assert isinstance(error, ModuleError)
    assert "'a'" in str(error)


def test_an_endless_device(tmp_path: Path) -> None:
    """As a path that the playbook allows; a link to it leads out of the workspace."""
    with pytest.raises(ModuleError, match="cannot read '/dev/zero': it is not a regular file"):
        next(_source.FilePieces(_Open(), "/dev/zero"))  # type: ignore[arg-type]


class _Open:
    """What opens any path."""

    def open(self, path: str, flags: int) -> int:
        return os.open(path, flags)


def test_a_file_that_shrinks_or_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for change, message in (
        (lambda: os.truncate(path, MIB), r"byte \d+: the file became shorter"),
        (lambda: os.utime(path, (1, 1)), r"byte \d+: the file was changed"),
    ):
        path.write_bytes(b"x\n" * MIB)
        pieces = _source.FilePieces(_Open(), str(path))  # type: ignore[arg-type]
        next(pieces)
        change()
        with pytest.raises(ValueError, match=message):
            list(pieces)


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x\n" * MIB)
    pieces = _source.FilePieces(_Open(), str(path))  # type: ignore[arg-type]
    read = len(next(pieces))
    with path.open("ab") as file:
        for piece in pieces:
            read += len(piece)
            file.write(b"more\n" * MIB)
            file.flush()
    assert read == 2 * MIB


def test_a_file_whose_size_the_kernel_does_not_tell() -> None:
    pieces = _source.FilePieces(_Open(), "/proc/self/status")  # type: ignore[arg-type]
    assert b"".join(pieces).startswith(b"Name:")


# Records with keys and values that a module cannot use ---------------------------------------------


SIDES = [
    {"stream": "rows", "role": "probe", "field": "key"},
    {"stream": "others", "role": "build", "field": "key"},
]
COUNT = {"name": "n", "op": "count"}


@pytest.mark.parametrize(
    ("module", "params", "refused"),
    [
        ("data:aggregate", {"group_by_fields": ["key"], "aggregate_fields": [COUNT]}, [1, 3]),
        ("data:join", {"join_type": "left", "on": SIDES}, [1, 3]),
        ("data:sort", {"by": "key"}, [1, 3]),
        ("data:dedupe", {"by": ["key"]}, []),  # only equality is asked for, and they have that
    ],
)
def test_a_key_that_is_a_list_or_a_map(
    module: str, params: dict[str, Any], refused: list[int], tmp_path: Path
) -> None:
    async def call() -> Any:
        async with bench(tmp_path) as workbench:
            streams = {"rows": [{"key": [1]}, {"key": "a"}, {"key": {"b": 1}}]}
            if module == "data:join":
                streams["others"] = [{"key": "a"}]
            return await workbench.call(module_spec(module), params, streams)

    outcome = run(call())
    assert outcome.error is None
    assert len(outcome.record_errors) == len(refused)
    assert all("a list of 1" in one or "a map" in one for one in outcome.record_errors)
    assert len(outcome.sent) == 3 - len(refused)


def test_what_stands_for_bytes_that_are_no_text_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a,b\n1,2\n\xff,3\n")
    skipped = [fault.record for _, faults in _slices(tmp_path / "a") for fault in faults]
    assert skipped == [{"line": "\ufffd,3", "number": 3}]
    assert json.dumps(skipped, ensure_ascii=False).encode()


def _slices(path: Path) -> Iterator[_text.Slice]:

    return READERS["csv"](iter([path.read_bytes()]), {})


class _FullDisk(io.BytesIO):
    """A file that takes a mebibyte."""

    def writelines(self, lines: Any) -> None:
        super().writelines(lines)
        if self.tell() > MIB:
            raise OSError(28, os.strerror(28))


@pytest.mark.parametrize("records", [1000, 5000])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_disk_that_is_full_is_told(
    records: int, at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Any) -> _FullDisk:
        if at_once:
            raise OSError(28, os.strerror(28))
        return _FullDisk()

    async def call() -> Any:
        async with bench(tmp_path) as workbench:
            monkeypatch.setattr(tempfile, "TemporaryFile", full)
            rows = {"rows": [{"text": "x" * (2 * MIB // records)}] * records}
            params = {"format": "jsonl", "path": "out.jsonl"}
            return await workbench.call(module_spec("data:format"), params, rows)

    outcome = run(call())
    assert str(outcome.error) == "cannot write 'out.jsonl': no space left on device"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["json", "jsonl", "yaml", "csv", "html_table"])
def test_no_file_is_left_under_its_name_where_the_input_is_bad(kind: str, tmp_path: Path) -> None:
    async def call() -> Any:
        async with bench(tmp_path) as workbench:
            rows: dict[str, list[Any]] = {
                "rows": [*({"a": "x" * 1000} for _ in range(2000)), "fail"]
            }
            params = {"format": kind, "path": "out"}
            return await workbench.call(module_spec("data:format"), params, rows)

    outcome = run(call())
    assert outcome.error is not None
    assert list(tmp_path.iterdir()) == []


def test_options_are_checked_before_a_file_is_opened(tmp_path: Path) -> None:
    outcome = parse(tmp_path, "jsonl", "none", {"sheet": "x"})
    assert isinstance(outcome.error, ParameterError)
