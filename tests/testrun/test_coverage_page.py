"""The page that shows what the tests have reached."""

import re

from gxo.testrun.coverage import Covered, Point
from gxo.testrun.coverage_page import page

TEXT = """\
# <b>
- name: fetch
  when: "{{ .a }}"
  on_failure:
    - name: undo
- {name: save, when: "{{ .b }}"}
"""
POINTS = (
    Point("fetch", "workload", 2, 5, True),
    Point("fetch:true", "when", 3, 3, True),
    Point("fetch:false", "when", 3, 3, False),
    Point("undo", "on_failure", 5, 5, False),
    Point("save", "workload", 6, 6, True),
    Point("save:true", "when", 6, 6, True),
    Point("save:false", "when", 6, 6, True),
)


def shown() -> str:
    return page([Covered("a <b>.gxo.yaml", POINTS)], {"a <b>.gxo.yaml": TEXT})


def test_each_line_has_its_state_and_what_was_missed() -> None:
    lines = re.findall(
        r'<div(?: class="(\w+)")?><span class="n">(\d+)</span><span class="m">(.)</span>'
        r'[^<]*(?:<span class="why">([^<]*)</span>)?</div>',
        shown(),
    )
    assert lines == [
        ("", "1", " ", ""),
        ("reached", "2", "✓", ""),
        ("partly", "3", "~", "`when` of &#x27;fetch&#x27; was never false"),
        ("reached", "4", "✓", ""),
        ("missed", "5", "✗", "&#x27;undo&#x27; of `on_failure` never ran"),
        ("reached", "6", "✓", ""),
    ]


def test_it_needs_nothing_else_and_escapes_what_it_shows() -> None:
    text = shown()
    assert not re.search(r"<script|src=|https?:|url\(|<b>", text)
    assert "71.4%" in text


def test_a_playbook_may_be_shorter_or_gone_by_then() -> None:
    for text in ("", "- name: fetch\n"):
        assert "71.4%" in page([Covered("a", POINTS)], {"a": text})


def test_less_than_all_is_never_shown_as_all() -> None:
    many = tuple(Point(f"w{number}", "workload", 1, 1, number > 0) for number in range(10_000))
    assert "99.9%" in page([Covered("a", many)], {"a": "x"})
