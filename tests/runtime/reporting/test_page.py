"""`--report-html`: what the page says, and that nothing in it can do harm."""

import base64
import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime import Context, Job
from gxo.runtime.reporting.html.attempts import MOST
from gxo.runtime.reporting.html.markup import Markup, tag
from gxo.runtime.reporting.html.page import as_html
from tests.runtime.kernel.harness import Stage, play
from tests.runtime.reporting.pages import CASE, Element, page_of, read_page, rows, run_of, words

COMPLETED = [
    "login",
    "fetch",
    "parse",
    "table",
    "flaky",
    "hosts",
    "told",
    "roll-back",
    "tell",
    "backup",
    "clean",
]
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style></title></textarea><b>x",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "a\0b\x1b[31mc\x7f\u202ed\u2066e",
    "caf\udce9",
    "javascript:alert(1)",
]


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(CASE)


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    return read_page(page)


def test_every_workload_has_a_row(root: Element) -> None:
    found = {name: row.classes - {"row"} for name, row in rows(root).items()}
    assert found == {
        **{name: {"completed"} for name in COMPLETED},
        "off": {"skipped"},
        "ping": {"ignored"},
        "publish": {"failed"},
        "slow": {"cancelled"},
        "pong": {"pending"},
        "restore": {"pending"},
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("login", "login Completed 1.0 s"),
        ("fetch", "fetch after login Completed 1.0 s 1,200"),
        ("table", "table reads parse Completed 1.0 s 1,200"),
        ("flaky", "flaky 3 attempts Completed"),
        ("hosts", "hosts after login 4 iterations Completed"),
        ("off", "off its `when` is false Skipped"),
        ("ping", "ping no answer to [REDACTED_SECRET] Failed, ignored"),
        ("pong", "pong after ping workload 'ping' did not complete Pending"),
        ("publish", "publish after hosts, flaky no <b>luck</b> Failed"),
        ("restore", "restore its block was not started Pending"),
    ],
)
def test_a_row_says_what_became_of_it(name: str, expected: str, root: Element) -> None:
    assert words(rows(root)[name]).startswith(expected)


def test_failures_come_first(root: Element) -> None:
    [section] = root.all("section", "failures")
    told = [(words(one.all("a")[0]), one["class"]) for one in section.all("li")]
    assert told == [("publish", "failed"), ("ping", "ignored")]
    assert root.all("title")[0].text == "Failed: case"


def test_a_failure_of_no_workload_is_told_too() -> None:
    case = {
        "workloads": {"a": {"do": ["sleep 100"]}},
        "settings": {"timeout": 2.0},
    }
    section = read_page(as_html(run_of(case))).all("section", "failures")[0]
    assert words(section) == "What failed the job took longer than its --timeout of 2 s"


def test_blocks_have_headings(root: Element) -> None:
    bodies = [[words(one) for one in body.all("tr", "block")] for body in root.all("tbody")]
    assert bodies == [[], ["on_failure of publish"], ["on_failure of backup"], ["finally"]]
    assert list(rows(root))[-4:] == ["roll-back", "tell", "restore", "clean"]


def tooltip(element: Element) -> str:
    return "".join(words(title) for title in element.all("title"))


def test_bars_show_who_ran_when(root: Element) -> None:
    whole = {name: row.all("rect") for name, row in rows(root).items()}
    assert [bar["class"] for bar in whole["flaky"]] == [
        "bar completed wait",
        "bar part failed",
        "bar part failed",
        "bar part completed",
    ]
    assert [tooltip(bar) for bar in whole["flaky"]] == [
        "",
        "attempt 1, failed: 1.0 s",
        "attempt 2, failed: 1.0 s",
        "attempt 3: 1.0 s",
    ]
    assert [tooltip(bar) for bar in whole["hosts"][1:]] == [
        f"iteration {number}, attempt 1: {number}.0 s" for number in (1, 2, 3, 4)
    ]
    assert len({bar["y"] for bar in whole["hosts"][1:]}) == 2, "two at once are two lanes"
    assert whole["off"] == whole["pong"] == []
    for bars in whole.values():
        for bar in bars:
            begin, width = (float(bar[name].removesuffix("%")) for name in ("x", "width"))
            assert 0 <= begin <= begin + width <= 100.01


def test_what_follows_begins_where_that_ends(root: Element) -> None:
    def span(name: str) -> tuple[float, float]:
        bar = rows(root)[name].all("rect")[0]
        begin, width = (float(bar[key].removesuffix("%")) for key in ("x", "width"))
        return begin, begin + width

    assert span("login")[0] == 0
    assert span("fetch")[0] == pytest.approx(span("login")[1], abs=0.02)
    assert span("clean")[1] == pytest.approx(100, abs=0.02)
    assert span("roll-back")[0] == pytest.approx(span("slow")[1], abs=0.4)


def test_the_graph_has_boxes_and_arrows(root: Element) -> None:
    figures = root.all("figure")
    assert len(figures) == 2
    boxes = {words(box.all("text", "name")[0]): box for box in figures[0].all("a", "box")}
    assert boxes.keys() | {"clean"} == rows(root).keys()
    for name, box in boxes.items():
        assert box["href"] == f"#{rows(root)[name]['id']}"
    kinds = [path["class"] for path in figures[0].all("path", "edge")]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "edge state": 6,
        "edge stream": 2,
        "edge bore": 2,
        "edge failure": 2,
        "edge order": 1,
    }
    assert [words(one) for one in root.all("ul", "legend")[0].all("li")] == [
        "waits for",
        "reads records of",
        "runs when it has failed",
        "runs after, in its block",
    ]


def test_links_and_references_lead_somewhere(root: Element) -> None:
    ids = [one["id"] for one in root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    for one in root.all():
        for name in ("href", "for"):
            if name in one.attributes:
                assert one[name].removeprefix("#") in ids
    style = root.all("style")[0].own
    assert set(re.findall(r"url\(#([^)]+)\)", style)) <= set(ids)


def test_it_needs_nothing_from_elsewhere(root: Element) -> None:
    style = root.all("style")[0].own
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = [one["content"] for one in root.all("meta") if "http-equiv" in one.attributes]
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert "@import" not in style and not re.search(r"url\((?!#)", style)
    for one in root.all():
        assert one.name not in ("script", "link", "img", "iframe", "object", "base", "form")
        for name, value in one.attributes.items():
            assert not name.startswith("on") and name not in ("src", "style", "action")
            assert name != "href" or (value or "").startswith("#")


def test_it_reads_without_sight(root: Element) -> None:
    assert root.all("html")[0]["lang"] == "en"
    assert [one.name for one in root.all("body")[0].children] == ["svg", "header", "main", "footer"]
    headings = [one.name for one in root.all() if re.fullmatch("h[1-6]", one.name)]
    assert headings == ["h1", "h2", "h2", "h2"]
    for icon in root.all("svg", "icon"):
        assert icon["aria-hidden"] == "true"
    for frame in root.all("div", "scroll"):
        assert frame["tabindex"] == "0" and frame["aria-label"]
    for box in root.all("a", "box"):
        assert re.search(": (Completed|Failed|Skipped|Cancelled|Pending)", box["aria-label"])
    for cell in root.all("th"):
        assert cell["scope"] in ("col", "row", "rowgroup")
    bars = [one for row in rows(root).values() for one in row.all("svg") if one.all("rect")]
    assert all(bar["role"] == "img" and bar["aria-label"].startswith("from ") for bar in bars)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.004, "0|1 ms|2 ms|3 ms"),
        (0.0221, "0|5 ms|10 ms|15 ms|20 ms"),
        (1.7, "0|500 ms|1 s|1.5 s"),
        (9, "0|2 s|4 s|6 s|8 s"),
        (61, "0|15 s|30 s|45 s"),
        (400, "0|2 min|4 min|6 min"),
        (5400, "0|30 min|1 h"),
        (90000, "0|6 h|12 h|18 h"),
        (2_000_000, "0|120 h|240 h|360 h|480 h"),
    ],
)
def test_the_time_line_has_round_marks(seconds: float, expected: str) -> None:
    root = read_page(page_of({"workloads": {"a": {"do": [f"sleep {seconds}"]}}}))
    assert "|".join(words(one) for one in root.all("svg", "axis")[0].all("text")) == expected


def test_statuses_can_be_chosen(root: Element) -> None:
    shown = {words(label): label["for"] for label in root.all("label")}
    assert shown == {
        "All 17": "show-all",
        "Failed 1": "show-failed",
        "Failed, ignored 1": "show-ignored",
        "Cancelled 1": "show-cancelled",
        "Skipped 1": "show-skipped",
        "Pending 2": "show-pending",
        "Completed 11": "show-completed",
    }
    style = root.all("style")[0].own
    for name in set(shown.values()) - {"show-all"}:
        assert f"#{name}:checked" in style


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str, root: Element) -> None:
    names = {one.name for one in root.all()}
    job = Job(text)

    @job.workload(text, register="r")
    async def fails(ctx: Context) -> None:
        raise ValueError(text)

    job.on_failure(text, f"block {text}")(fails)
    root = read_page(as_html(play(job, Stage()).run))
    assert {one.name for one in root.all()} <= names
    visible = text.translate({code: f"\\u{code:04x}" for code in (0, 27, 127, 0x202E, 0x2066)})
    assert visible in root.all("h1")[0].text
    assert list(rows(root)) == [visible, f"block {visible}"]
    assert visible in rows(root)[visible].all("p", "error")[0].text


@given(st.text(st.characters(codec=None)), st.text())
def test_markup_escapes_whatever_it_gets(text: str, more: str) -> None:
    shown = tag("p", text, tag("b", more), title=text)
    root = read_page(shown)
    [paragraph] = root.children
    assert [one.name for one in paragraph.children] == ["b"]
    assert isinstance(shown, Markup)
    assert "<" not in shown.removeprefix("<p").replace("</p>", "").replace("<b>", "").replace(
        "</b>", ""
    )


def test_secrets_are_redacted(page: str) -> None:
    """Also in an error that was told before anybody knew that it holds one."""
    assert "s3cr3t" not in page
    assert "no answer to [REDACTED_SECRET]" in page


def test_a_run_of_nothing_but_one() -> None:
    root = read_page(page_of({"workloads": {"only": {"do": ["sleep 1"]}}}))
    assert list(rows(root)) == ["only"]
    assert root.all("section", "failures") == []
    assert root.all("ul", "legend") == []
    assert len(root.all("a", "box")) == 1


def test_attempts_past_the_most_are_not_kept() -> None:
    case: dict[str, Any] = {
        "workloads": {"a": {"loop": list(range(MOST + 50)), "do": ["sleep 0.01"]}}
    }
    root = read_page(page_of(case))
    assert f"{MOST + 50} iterations" in words(rows(root)["a"])
    assert len(rows(root)["a"].all("rect")) == MOST + 1


def test_many_at_once_are_one_bar() -> None:
    case: dict[str, Any] = {
        "workloads": {"a": {"loop": list(range(20)), "parallel": 20, "do": ["sleep 1"]}}
    }
    assert len(rows(read_page(page_of(case)))["a"].all("rect")) == 1


def test_it_is_the_same_for_the_same_run() -> None:
    run = run_of(CASE)
    assert as_html(run) == as_html(run)
