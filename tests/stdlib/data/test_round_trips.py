"""What a format writes or another program wrote is read as it was, in pieces of any size."""

import datetime as dt
import io
import itertools
import json
import math
import xml.etree.ElementTree as ET
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.stdlib.data._formats import xlsx_book
from gxo.stdlib.data._formats.grok import Grok
from gxo.stdlib.data._formats.grok_patterns import PATTERNS
from tests.stdlib.data.oracle import play
from tests.stdlib.data.test_formats import in_pieces, read, records, values

# Texts that a YAML reader could take for something else, or that an escape belongs to.
odd_texts = st.sampled_from(
    [
        *("", " ", "yes", "No", "null", "~", "1", "1.5", "0x1f", "0o17", "1_000", "12:30", ".inf"),
        *("2024-01-31", "- a", "? a", "a: b", "a:", "a #b", "#", "&a", "*a", "!a", "%a", "@a", "`"),
        *(
            "{",
            "[",
            "]",
            "}",
            ",",
            "|",
            ">",
            "'",
            '"',
            "---",
            "...",
            "<<",
            "=",
            "é",
            "\x85",
            "\x7f",
        ),
        *("a\nb", "a\n", "a\n\n", "\na", " a\nb", "a\n b", "a\n \nb", "a\nb ", "a\r\nb", "a\tb\n"),
        *(
            "\u2028",
            "\ufeff",
            "\U0001f600",
            "\x00",
            "true",
            "on",
            "y",
            "a" * 2000,
            "http://a/?b=c#d",
        ),
    ]
)
odd_values = st.recursive(
    odd_texts | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=8,
)
odd_records = st.lists(st.dictionaries(odd_texts, odd_values, max_size=4), max_size=4)


def formatted(kind: str, rows: list[Any], options: dict[str, Any] | None = None) -> str:
    summary = play("data:format", {"format": kind, "format_options": options or {}}, {"rows": rows})
    assert not summary.record_errors
    return str(summary.summary["formatted_content"])


@given(odd_records, st.integers(1, 40))
def test_yaml_comes_back_as_it_went(rows: list[dict[str, Any]], size: int) -> None:
    text = formatted("yaml", rows)
    found, faults = read("yaml", text.encode(), size)
    assert (repr(found), faults) == (repr(rows), [])


@given(odd_records)
def test_other_readers_of_yaml_read_the_same(rows: list[dict[str, Any]]) -> None:
    """PyYAML follows YAML 1.1, in which fewer texts stand for themselves."""
    text = formatted("yaml", rows)
    assert repr(yaml.safe_load(text)) == repr(rows)


@given(odd_records, st.booleans(), st.integers(1, 40))
def test_yaml_of_another_program(rows: list[dict[str, Any]], flow: bool, size: int) -> None:
    """PyYAML with every value in quotes, and with a tag if it is no text."""
    text = yaml.safe_dump(
        rows, default_flow_style=flow, allow_unicode=True, sort_keys=False, default_style='"'
    )
    found, faults = read("yaml", text.encode(), size)
    assert (repr(found), faults) == (repr(rows), [])


@settings(max_examples=20)
@given(st.lists(odd_records, max_size=3), st.integers(1, 40))
def test_documents_of_yaml(documents: list[list[dict[str, Any]]], size: int) -> None:
    text = "".join(f"---\n{formatted('yaml', rows)}" for rows in documents)
    found, faults = read("yaml", text.encode(), size)
    assert (repr(found), faults) == (repr([row for rows in documents for row in rows]), [])


JSON_KINDS = ("json", "jsonl", "yaml")


@pytest.mark.parametrize("second", JSON_KINDS)
@pytest.mark.parametrize("first", JSON_KINDS)
@settings(max_examples=10)
@given(records)
def test_from_format_to_format(first: str, second: str, rows: list[dict[str, Any]]) -> None:
    there, _ = read(first, formatted(first, rows).encode(), 10**6)
    back, _ = read(second, formatted(second, there).encode(), 10**6)
    assert repr(back) == repr(rows)


# XML against xml.etree ---------------------------------------------------------------------------

names = st.text(st.sampled_from("abcé-_1"), min_size=1, max_size=3).filter(
    lambda s: s[0] in "abcé_"
)
xml_text = st.text(st.sampled_from("ab<>&\"' \té\U0001f600]\n"), max_size=5)


@st.composite
def elements(draw: Any, depth: int = 2) -> ET.Element:
    element = ET.Element(draw(names), draw(st.dictionaries(names, xml_text, max_size=2)))
    element.text = draw(xml_text)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = draw(elements(depth - 1))
        child.tail = draw(xml_text)
        element.append(child)
    return element


def as_field(element: ET.Element) -> Any:
    """What the documentation of data:parse says of an element, said once more."""
    fields: list[tuple[str, Any]] = [*element.attrib.items()]
    fields += [(child.tag, as_field(child)) for child in element]
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if not fields:
        return text
    if text.strip():
        fields.append(("value", text.strip()))
    found: dict[str, list[Any]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return {name: held[0] if len(held) == 1 else held for name, held in found.items()}


@given(st.lists(elements(), max_size=4), st.integers(1, 40), st.sampled_from(["utf-8", "utf-16"]))
def test_xml_is_what_etree_reads(rows: list[ET.Element], size: int, encoding: str) -> None:
    root = ET.Element("root")
    root.extend(rows)
    data = ET.tostring(root, encoding=encoding, xml_declaration=True)
    expected = [as_field(row) for row in ET.fromstring(data)]
    found, faults = read("xml", data, size)
    assert faults == []
    assert found == [one if isinstance(one, dict) else {"value": one} for one in expected]


# logfmt against a writer of it --------------------------------------------------------------------

keys = st.text(st.sampled_from("abé._-1"), min_size=1, max_size=3)
words = st.text(st.sampled_from('ab"\\= \n\té\U0001f600'), max_size=5)


def written(key: str, value: str | bool) -> str:
    if value is True:
        return key
    assert isinstance(value, str)
    plain = value and not set(value) & set(' "\\\n\t')
    return f"{key}={value if plain else json.dumps(value)}"


@given(
    st.lists(st.dictionaries(keys, words | st.just(True), min_size=1, max_size=3), max_size=4),
    st.integers(1, 40),
)
def test_logfmt_comes_back_as_it_was_written(rows: list[dict[str, Any]], size: int) -> None:
    text = "".join(" ".join(written(*pair) for pair in row.items()) + "\n" for row in rows)
    assert read("logfmt", text.encode(), size) == (rows, [])


# Workbooks of openpyxl ----------------------------------------------------------------------------

moments = st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2100, 1, 1))
cells = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e300, 1e300, allow_subnormal=False)
    | st.text(st.sampled_from("ab<&é \n"), min_size=1, max_size=4)
    | moments.map(lambda moment: moment.replace(microsecond=0))
    | moments.map(dt.datetime.date)
)


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    other = book.create_sheet("other")
    other.append(["x"])
    other.append([1])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cell_value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat() + "Z"
    return value.isoformat() if isinstance(value, dt.date) else value


@settings(max_examples=30)
@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=5), st.integers(100, 9000))
def test_a_workbook_is_what_openpyxl_wrote(rows: list[list[Any]], size: int) -> None:
    data = workbook([["a", "b", "c"], *rows])
    found, faults = read("xlsx", data, size)
    kept = [row for row in rows if any(cell is not None for cell in row)]
    expected = [dict(zip("abc", map(cell_value, row), strict=True)) for row in kept]
    assert faults == []
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        for name, value in wanted.items():
            if isinstance(value, float):
                assert math.isclose(got[name], value, rel_tol=1e-14)
            else:
                assert got[name] == value


def test_a_workbook_has_sheets_and_columns() -> None:
    data = workbook([["a", None, dt.date(2026, 1, 31)], [1, 2, 3, None], [], [1, 2, 3, 4]])
    assert read("xlsx", data, 1000) == (
        [{"a": 1, "column_2": 2, "2026-01-31": 3}],
        ["row 4: it has 4 cells, and there are 3 columns"],
    )
    assert read("xlsx", data, 1000, {"sheet": "other"})[0] == [{"x": 1}]
    assert read("xlsx", data, 1000, {"sheet": "other", "headers": False})[0] == [
        {"column_1": "x"},
        {"column_1": 1},
    ]
    assert read("xlsx", data, 1000, {"sheet": "other", "headers": ["n", "m"]})[0] == [
        {"n": "x", "m": None},
        {"n": 1, "m": None},
    ]


CODES = (
    (
        "General 0 0.00E+00 @ d h:mm [h]:mm [mm]:ss [s].0 mm:ss.0 ss m/d/yy dddd yyyy-mm-dd*HH:MM:SS"
        r' 0"days" 0\d _d0 [Red]0.00 [$-409]d\-mmm\-yy;@ [$-F800]dddd\,\ mmmm\ dd #,##0_);[Red](#,##0)'
    )
    .replace("*", " ")
    .split(" ")
)
VALUES = [0, 0.5, 1, 59, 60, 61, 46053, 46053.5, -3, 0.9999999999, 46053.999999999, 12345.678]


@pytest.mark.parametrize("year", [1900, 1904])
def test_what_a_number_stands_for_is_what_openpyxl_says(year: int) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    if year == 1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for number, (code, value) in enumerate(itertools.product(CODES, VALUES), 1):
        cell = book.active.cell(number, 1, value)
        cell.number_format = code
    file = io.BytesIO()
    book.save(file)
    found, faults = read("xlsx", file.getvalue(), 1000, {"headers": ["n"]})
    assert faults == []
    cells = [row[0] for row in openpyxl.load_workbook(file).active.iter_rows()]
    for record, cell in zip(found, cells, strict=True):
        wanted = cell.value
        if isinstance(wanted, dt.timedelta):
            wanted = wanted.total_seconds()
        elif isinstance(wanted, dt.datetime) and wanted.time() == dt.time():
            shows_time = set(cell.number_format.lower()) & set("hs")
            wanted = wanted.isoformat() + "Z" if shows_time else wanted.date().isoformat()
        elif isinstance(wanted, dt.datetime):
            wanted = wanted.isoformat() + "Z"
        elif isinstance(wanted, dt.time):
            wanted = wanted.isoformat()
        assert record["n"] == wanted, (cell.number_format, cell.coordinate)


@pytest.mark.parametrize("code", ["mmmm", '"a;b"yyyy', '"hours"yyyy'])
def test_formats_that_openpyxl_does_not_understand(code: str) -> None:
    assert xlsx_book.format_of(code) == "date"


# grok ---------------------------------------------------------------------------------------------

GROK = {
    "IP": [
        "1.2.3.4",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "2001:db8:0:0:0:0:0:1",
        "::ffff:1.2.3.4",
    ],
    "MAC": ["00:1a:2B:3c:4d:5e", "001a.2b3c.4d5e"],
    "HOSTNAME": ["a", "a-b.example.org", "web_1"],
    "HOSTPORT": ["a.example:80", "1.2.3.4:8080"],
    "URI": ["https://user@a.example:8080/x/y?z=1", "file:///etc/hosts"],
    "EMAILADDRESS": ["a.b+c@example.org"],
    "UUID": ["123e4567-e89b-12d3-a456-426614174000"],
    "NUMBER": ["1", "-1.5", ".5", "+10."],
    "BASE16NUM": ["0x1F", "ff"],
    "QS": ['"a \\" b"', "'c'"],
    "TIMESTAMP_ISO8601": ["2026-01-31T10:00:00Z", "2026-01-31 10:00:00,123+01:00"],
    "HTTPDATE": ["31/Jan/2026:10:00:00 +0100"],
    "SYSLOGTIMESTAMP": ["Jan  5 10:00:01"],
    "DATESTAMP_RFC2822": ["Mon, 5 Jan 2026 10:00:00 +0000"],
    "LOGLEVEL": ["INFO", "warning", "Error"],
    "PATH": ["/a/b", "C:\\a\\b"],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in GROK.items() for text in texts]
)
def test_a_named_pattern_matches(name: str, text: str) -> None:
    assert Grok(f"^%{{{name}:found}}$").record(text) == {"found": text}


@pytest.mark.parametrize(
    ("name", "text"),
    [("IP", "10:00:01"), ("IP", "1.2.3"), ("MAC", "00:1a"), ("UUID", "x"), ("LOGLEVEL", "in")],
)
def test_a_named_pattern_does_not_match(name: str, text: str) -> None:
    assert Grok(f"^%{{{name}:found}}$").record(text) is None


@pytest.mark.parametrize("name", PATTERNS)
def test_every_named_pattern_is_one(name: str) -> None:
    Grok(f"%{{{name}:found}}")


@pytest.mark.parametrize("data", [b"a: 1\n", b"- 1\n", b"<a><b/></a>", b"a=1\n"])
def test_one_byte_at_a_time(data: bytes) -> None:
    kind = "xml" if data[:1] == b"<" else "logfmt" if b"=" in data else "yaml"
    assert len(list(in_pieces(data, 1))) == len(data)
    assert read(kind, data, 1) == read(kind, data, 100)
