"""Pages of thousands of workloads: small enough, quick enough, and a graph that says something."""

import time
from typing import Any

import pytest

from gxo.runtime.reporting.html.page import as_html
from tests.runtime.reporting.pages import Element, read_page, rows, run_of, words

GROUPS = 400


def regions() -> dict[str, Any]:
    """The same five workloads for each of many regions; two of them fail."""
    workloads: dict[str, Any] = {}
    for number in range(GROUPS):
        failing = ["fail no luck"] if number in (7, 90) else []
        workloads |= {
            f"fetch-{number}": {"out": True, "do": ["send 3"]},
            f"parse-{number}": {"records": [f"fetch-{number}"], "out": True, "do": ["pass_on"]},
            f"save-{number}": {"records": [f"parse-{number}"], "do": ["read"]},
            f"check-{number}": {"after": [f"save-{number}"], "do": failing, "ignore_errors": True},
            f"tell-{number}": {"after": [f"check-{number}"]},
        }
    return {"workloads": workloads}


def tangle() -> dict[str, Any]:
    """Workloads that are all different: each waits for others, some of them far before it."""
    return {
        "workloads": {
            f"job-{number}": {
                "after": sorted(
                    {f"job-{number * 7 // 11}", f"job-{max(0, number - 37)}"} if number else ()
                )
            }
            for number in range(2000)
        }
    }


def boxes(root: Element) -> list[tuple[str, str]]:
    return [
        (words(box.all("text", "name")[0]), words(box.all("text", "line")[0]))
        for box in root.all("a", "box")
    ]


def test_what_is_alike_shares_a_box() -> None:
    root = read_page(as_html(run_of(regions())))
    assert len(rows(root)) == 5 * GROUPS
    steps = ("fetch", "parse", "save", "check", "tell")
    good = [(f"{one}-0 … {one}-399", "Completed × 398") for one in steps]
    bad = ["Completed × 2"] * 3 + ["Failed, ignored × 2", "Pending × 2"]
    assert sorted(boxes(root)) == sorted(
        good + [(f"{one}-7 … {one}-90", line) for one, line in zip(steps, bad, strict=True)]
    )
    assert "Workloads that are alike share a box; there are 10." in words(root)


def test_what_is_not_is_drawn_by_distance() -> None:
    root = read_page(as_html(run_of(tangle())))
    assert len(rows(root)) == 2000
    assert 5 < len(boxes(root)) < 80
    assert "Too many to tell apart" in words(root)


def test_a_chain_of_thousands() -> None:
    case = {
        "workloads": {
            f"job-{number}": {"after": [f"job-{number - 1}"] if number else []}
            for number in range(2000)
        }
    }
    root = read_page(as_html(run_of(case)))
    assert len(rows(root)) == 2000
    assert len(boxes(root)) == 2000


@pytest.mark.parametrize("case", [regions, tangle])
def test_it_is_quick_and_small(case: Any) -> None:
    run = run_of(case())
    before = time.thread_time()
    page = as_html(run)
    assert time.thread_time() - before < 5, "a page of 2,000 workloads takes a third of a second"
    assert len(page) < 2_500_000
