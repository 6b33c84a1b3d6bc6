"""Formats against Python's own modules, in pieces of any size, and there and back."""

import csv
import io
import json
import re
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.stdlib.data._json import PAUSE, Document, Unfit, decode
from gxo.stdlib.data._lines import (
    JsonLines,
    TableLines,
    decode_lines,
    native_decoder,
)
from gxo.stdlib.data._readers import READERS, ParseOptions
from gxo.stdlib.data._writers import CsvWriter, JsonLinesWriter
from tests.stdlib.data.oracle import play

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
cells = st.text(st.sampled_from("ab\"',;\n\r \té\U0001f600\x00"), max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
)
records = st.lists(st.dictionaries(text, values, max_size=4), max_size=6)


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def read(kind: str, data: bytes, size: int, options: ParseOptions | None = None) -> Any:
    """All records and messages of a reader that gets its input in pieces of this size."""
    found: list[Any] = []
    faults: list[str] = []
    for part, bad in READERS[kind](in_pieces(data, size), options or {}):
        found += part
        faults += [fault.why for fault in bad]
    return found, faults


@given(values, st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_json_is_what_json_reads(value: Any, size: int, indent: int | None, escape: bool) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=escape).encode()
    elements = value if isinstance(value, list) else [value]
    expected = [each if isinstance(each, dict) else {"value": each} for each in elements]
    found, faults = read("json", data, size)
    assert repr(found) == repr(expected)
    assert faults == []


@given(values, values, st.integers(1, 40))
def test_a_path_selects_what_subscripts_do(value: Any, other: Any, size: int) -> None:
    data = json.dumps({"x": other, "a": [other, {"b": value}], "y": other}).encode()
    elements = value if isinstance(value, list) else [value]
    expected = [each if isinstance(each, dict) else {"value": each} for each in elements]
    found, _ = read("json", data, size, {"json_path": "a.1.b"})
    assert repr(found) == repr(expected)


@given(values, st.integers(1, 40), st.data())
def test_damaged_json_is_refused_as_json_refuses_it(value: Any, size: int, data: Any) -> None:
    good = json.dumps(value)
    at = data.draw(st.integers(0, len(good)))
    bad = (
        good[:at]
        + data.draw(st.sampled_from(["", "]", "}", ",", '"', "1", "x", " "]))
        + good[at + 1 :]
    )
    try:
        json.loads(bad)
    except ValueError:
        with pytest.raises(ValueError, match="line 1, column"):
            read("json", bad.encode(), size)
    else:
        read("json", bad.encode(), size)


@given(records, st.integers(1, 40))
def test_json_lines_are_what_json_reads(rows: list[dict[str, Any]], size: int) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    found, faults = read("jsonl", data, size)
    assert (repr(found), faults) == (repr(rows), [])


hostile = st.sampled_from(
    [
        *("NaN", "-Infinity", "1e999", "18446744073709551616", "-9223372036854775809", "-0"),
        *(
            '"\\ud800"',
            '"\\udc00\\ud800"',
            '"\\ud83d\\ude00"',
            '"\\x"',
            '"\x7f"',
            '"\t"',
            '"',
            "\ufeff1",
        ),
        *(
            "01",
            "-",
            "1.",
            "0.1e-400",
            "tru",
            "nul",
            "1 2",
            "{",
            "[1,]",
            '{"a" 1}',
            '{"a":1,"a":2}',
        ),
        *("[" * 1001 + "]" * 1001, "[" * 1000 + "]" * 1000, '{"k":' * 1001 + "1" + "}" * 1001),
    ]
)


@given(st.lists(hostile | values.map(json.dumps), max_size=6))
def test_with_orjson_json_lines_are_the_same(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    with_it = read("jsonl", data, 50)
    assert native_decoder() is not None, "orjson is not installed"
    hidden = sys.modules.pop("orjson")
    sys.modules["orjson"] = None  # type: ignore[assignment]
    native_decoder.cache_clear()
    try:
        assert native_decoder() is None
        without = read("jsonl", data, 50)
    finally:
        sys.modules["orjson"] = hidden
        native_decoder.cache_clear()
    assert repr(with_it) == repr(without)


tricks = st.sampled_from(
    [
        *("1,2", "[1", "2]", "]", "[", '{"a":', "1}", '{"a":[{}', "{}]}", "{},{}", '"a', 'b"'),
        *("0", "1,0,2", ",0,", '{"a":1', '"b":2}', "{}}", '"a\\', "{},0,{}"),
        *("9007199254740993", "9007199254740993.0", "9.007199254740993e15", "[9007199254740993]"),
        *("1,9007199254740993,2", "1e309", "1E+0400", '{"a":-1.5e999}', '"3e500"', "1e-400", "1e0"),
        *("", " ", "\r", " 1\t", "1\r", '{"a": 1}\r', "1\r2", "\ufeff1", "\x00", '"\u2028"'),
        *(
            '"\\ud83d\\ude00"',
            '"\\\\ud83d\\ude00"',
            '"\\ud83d\\\\ude00"',
            '"\\\\ud800"',
            '"\\u0041"',
        ),
    ]
)


@given(st.lists(tricks | hostile | values.map(json.dumps), max_size=6), st.booleans())
def test_lines_read_at_once_are_as_lines_read_one_by_one(lines: list[str], native: bool) -> None:
    data = "\n".join(lines).encode() or b"\n"  # no block is empty
    reader = JsonLines()
    if not native:
        reader._decode = decode_lines
    quick = reader.quick(data)
    with_care = JsonLines()
    records, faults = with_care.careful(data, iter(()))
    if quick is not None:
        assert (repr(quick), faults) == (repr(records), [])
        assert reader._number == with_care._number


@pytest.mark.parametrize(
    "lines",
    [
        ["[1", "2]", "3,4"],
        ["[1", "2]", "3,4,5"],
        ["[1", "2]", "3,9007199254740993,4"],
        ["[1", "2]", "3,9.007199254740993e15,4"],
        ["[" * 1001 + "]" * 1001],
    ],
    ids=["two values", "as many values", "the number", "a float near it", "too deep"],
)
def test_what_only_the_joined_text_would_allow_is_read_with_care(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2000)  # as it may be in a program that needs it
    try:
        with pytest.raises(ValueError, match=r"plain|one value|deeply"):
            decode_lines(data.split(b"\n"))
        assert JsonLines().quick(data) is None
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    "lines",
    [["1,0,2", "3"], ["1,0,2", '"a', 'b"'], ["{},0,{}", '{"a":1', '"b":2}'], ["1", "2,"]],
    ids=["two values", "a text over two lines", "a map over two lines", "a comma"],
)
def test_orjson_reads_no_lines_together_that_are_not_a_value_each(lines: list[str]) -> None:
    decode_natively = native_decoder()
    assert decode_natively is not None
    with pytest.raises(ValueError, match=r"one value|invalid|expected|control|comma"):
        decode_natively([line.encode() for line in lines])


@pytest.mark.parametrize(
    "line",
    [
        *("1e400", "-1E+400", "[1e400]", "[2,1e400]", '{"a":-12.5e400}', '{"a": 1e400}'),
        *(f"{'1' * 18}.{'1' * 18}e400", '["3e802", "8c3e802", 1e400]', "[0e100, 1e400]"),
    ],
)
def test_a_number_past_the_largest_float_is_found_wherever_it_stands(line: str) -> None:
    reader = JsonLines()
    reader._decode = decode_lines
    block = f'{{"note": "a3e802"}}\n{line}\n'.encode()
    assert reader.quick(block) is None
    records, faults = reader.careful(block, iter(()))
    assert records == [{"note": "a3e802"}]
    assert "does not fit" in faults[0].why


@pytest.mark.parametrize(
    "line",
    [
        '{"a": [1, "x\\ud83d\\ude00", 1.5e3, null]}',
        '"0e999"',
        '"8c3e802-3e802f_3e802"',
        "[[[[]]]]",
        "18446744073709551",
    ],
)
def test_what_is_plain_is_read_at_once(line: str) -> None:
    expected = JsonLines().careful(f"{line}\n".encode() * 3, iter(()))
    native, portable = JsonLines(), JsonLines()
    portable._decode = decode_lines
    for reader in (native, portable):
        assert reader.quick(f"{line}\n".encode() * 3) == expected[0] != []


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("jsonl", b"[" * 1001 + b"]" * 1001, "deeper than 1,000"),
        ("jsonl", b'{"k":' * 1001 + b"1" + b"}" * 1001, "deeper than 1,000"),
        ("jsonl", b"[" * 100_000 + b"]" * 100_000, "deeper than 1,000"),
    ],
)
def test_deep_json_lines_are_record_errors(kind: str, data: bytes, message: str) -> None:
    found, [fault] = read(kind, data + b"\n[1]", 1000)
    assert found == [{"value": [1]}]
    assert message in fault


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("depth", [1001, 2000, 30_000])
def test_a_deep_document_is_refused(depth: int, size: int) -> None:
    with pytest.raises(ValueError, match="deeper than 1,000"):
        read("json", b"[" + b"[" * depth + b"]" * depth + b"]", size)


def test_a_document_as_deep_as_allowed_is_read() -> None:
    value = decode("[" * 1000 + "]" * 1000)
    for _ in range(999):
        [value] = value
    assert value == []


def test_a_value_without_end_is_refused_before_it_fills_the_memory() -> None:
    """A line of gigabytes: the pieces are made one at a time, and not many are asked for."""
    asked = 0

    def endless(piece: str) -> Iterator[str]:
        nonlocal asked
        while True:
            asked += 1
            yield piece

    for start in ('["', "[{", "[[1,"):
        with pytest.raises(ValueError, match=r"longer than 67,108,864|expected|Expecting"):
            for _ in Document(endless(start + "x" * 2**20)).records([]):
                pass
    assert asked < 3 * 300


@pytest.mark.parametrize(
    "text", ['["' + "y" * 10**6 + '"]', '["' + "\\n" * 10**6 + '"]'], ids=["text", "escapes"]
)
def test_a_long_text_is_read_in_the_memory_of_its_value(text: str) -> None:
    """Looking how deep a document is kept 120 bytes of each character."""
    tracemalloc.start()
    try:
        decode(text)
        assert tracemalloc.get_traced_memory()[1] < 5 * len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "text_lines"])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(kind: str) -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 2**20

    with pytest.raises(ValueError, match="byte 0: a line is longer than 67,108,864 bytes"):
        list(READERS[kind](endless(), {}))
    assert asked < 70


def test_what_lies_beside_the_path_is_passed_over_in_pieces() -> None:
    """A sibling far larger than the limit for one value does not matter."""
    sizes: list[int] = []

    def pieces() -> Iterator[str]:
        yield '{"skip": ['
        for number in range(3000):
            sizes.append(len(document._text))
            yield f'{{"n": [{number}, "{"x" * 500}"]}},' * 20
        yield '0], "rows": [1, 2]}'

    document = Document(pieces())
    found = list(document.records(["rows"]))
    assert [one for one in found if one is not PAUSE] == [1, 2]
    assert len(found) > 1000, "a cancelled job would go on"
    assert max(sizes) < 200_000


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), max_size=6),
    st.integers(1, 30),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_csv_is_what_csv_reads(rows: list[list[str]], size: int, bom: bool, end: str) -> None:
    buffer = io.StringIO(newline="")
    # With a lone \n as end, csv leaves a \r unquoted.
    quoting = csv.QUOTE_ALL if end == "\n" else csv.QUOTE_MINIMAL
    csv.writer(buffer, lineterminator=end, quoting=quoting).writerows([["a", "b"], *rows])
    expected = list(csv.DictReader(io.StringIO(buffer.getvalue(), newline="")))
    data = (b"\xef\xbb\xbf" if bom else b"") + buffer.getvalue().encode()
    assert read("csv", data, size) == (expected, [])


def table_by_one_reader(data: str) -> tuple[list[dict[str, str]], list[tuple[int, str]]]:
    """What one `csv.reader` over all lines makes of columns a and b; no more than that."""
    lines = list(io.StringIO(data, newline=""))
    rows = csv.reader(lines, strict=True)
    found: list[dict[str, str]] = []
    faults: list[tuple[int, str]] = []
    while True:
        began = rows.line_num
        try:
            row = next(rows)
        except StopIteration:
            return found, faults
        except csv.Error:
            faults.append((began + 1, "".join(lines[began : rows.line_num])))
            continue
        if len(row) == 2:
            found.append({"a": row[0], "b": row[1]})
        elif row:
            faults.append((began + 1, ",".join(row)))


@given(st.text(st.sampled_from('ab",\n\r\n'), max_size=40), st.integers(1, 30), st.integers(1, 12))
def test_a_table_is_the_same_however_it_is_cut(data: str, size: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableLines, "block", block)
        slices = list(READERS["csv"](in_pieces(data.encode(), size), {"headers": ["a", "b"]}))
    found = [record for records, _ in slices for record in records]
    faults = [fault.record for _, faults in slices for fault in faults]
    expected, wrong = table_by_one_reader(data)
    assert found == expected
    assert faults == [{"line": line, "number": number} for number, line in wrong]


@given(st.binary(max_size=60), st.integers(1, 20))
def test_no_bytes_are_lost_or_crash_a_reader(data: bytes, size: int) -> None:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    expected = len(lines) - (not lines[-1])
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found, faults = read("text_lines", data, size)
        assert len(found) + len(faults) == expected
    for kind, options in DAMAGED.items():
        try:
            found, faults = read(kind, data, size, options)
            assert json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
        except ValueError as error:
            assert re.search("line |byte ", str(error))


DAMAGED: dict[str, ParseOptions] = {
    "csv": {"headers": ["a", "b"]},
    **{kind: {} for kind in ("json", "jsonl", "logfmt", "xml", "yaml")},
    "grok": {"pattern": "%{WORD:a:int}"},
}


@given(st.data(), st.sampled_from(["json", "yaml", "xml", "logfmt"]), st.integers(1, 60))
def test_a_document_that_was_damaged_is_refused_or_read(draw: Any, kind: str, size: int) -> None:
    """With its place, and what is read of it can be written again."""
    good = {
        "json": b'[{"a": 1}, "\\ud83d\\ude00", {"b": [true, -1.5e3]}]',
        "yaml": b'%YAML 1.2\n---\n- &a {x: 1, y: [a, "b\\n"]}\n- <<: *a\n  k: |\n    t\n  ? z\n--- >-\n  b\n...\n',
        "xml": b"<?xml version='1.0' encoding='utf-8'?><!DOCTYPE a SYSTEM 'x'><a><r b='&lt;'>c<d/></r></a>",
        "logfmt": b'level=info msg="say \\"hi\\"" cached\n',
    }[kind]
    at = draw.draw(st.integers(0, len(good)))
    put = draw.draw(
        st.binary(max_size=2) | st.sampled_from([b"&b;", b"\t", b"1.", b"\xed\xa0\x80"])
    )
    cut = draw.draw(st.integers(0, 3))
    try:
        found, _ = read(kind, good[:at] + put + good[at + cut :], size)
        assert json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    except ValueError as error:
        assert re.search("line |byte ", str(error))


@given(records)
def test_json_comes_back_as_it_went(rows: list[dict[str, Any]]) -> None:
    for kind in ("json", "jsonl"):
        summary = play("data:format", {"format": kind}, {"rows": rows}).summary
        assert summary["records"] == len(rows)
        sent = play("data:parse", {"format": kind, "content": summary["formatted_content"]}).sent
        assert repr(sent) == repr(rows)


@given(st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), max_size=6))
def test_csv_comes_back_as_it_went(rows: list[dict[str, str]]) -> None:
    formatted = play("data:format", {"format": "csv"}, {"rows": rows}).summary["formatted_content"]
    assert play("data:parse", {"format": "csv", "content": formatted}).sent == rows
    assert list(csv.DictReader(io.StringIO(formatted, newline=""))) == rows


numbered = st.sampled_from([2**53 + 1, [1, 2**53 + 1, 2], "9007199254740993", ",9007199254740993,"])


@given(st.lists(st.dictionaries(text, values | numbered, max_size=3), min_size=1, max_size=5))
def test_json_lines_are_what_json_writes_of_each(rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    assert JsonLinesWriter({}).encode(rows) == "".join(f"{line}\n" for line in lines)


plain = scalars | cells
tables = st.lists(
    st.fixed_dictionaries({"a": plain, "b": plain})
    | st.fixed_dictionaries({"b": plain, "a": plain})
    | st.fixed_dictionaries({"a": values}),
    min_size=1,
    max_size=5,
)


@given(tables, st.sampled_from([True, ["a", "b"], ["b", "c"], ["a"]]))
def test_a_table_written_at_once_is_as_rows_written_one_by_one(
    rows: list[dict[str, Any]], headers: bool | list[str]
) -> None:
    at_once, one_by_one = CsvWriter({"headers": headers}), CsvWriter({"headers": headers})
    one_by_one._plain_rows = lambda batch: None  # type: ignore[method-assign]
    first = {"a": 1, "b": 2}
    assert at_once.open(first) == one_by_one.open(first)
    assert at_once.encode(rows) == "".join(one_by_one.encode([row]) for row in rows)


def test_unfit_is_a_value_error() -> None:
    with pytest.raises(Unfit):
        decode("NaN")


def test_blank_lines_are_passed_over_at_once() -> None:
    """One by one they would keep the reader of a small gzip of them busy for minutes."""
    reader = JsonLines()
    assert reader.quick(b"\n" * 1000) == []
    _, [fault] = reader.careful(b"x\n", iter(()))
    assert "line 1001" in fault.why
