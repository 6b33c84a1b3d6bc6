"""`--report-html`: the report as one page for people, complete in itself.

No script, no font, no picture and nothing from elsewhere: a policy in the page forbids it all, so
that it can be mailed, kept beside a build or opened years later. What it says comes from the
report, redacted as that is; every value is escaped by `markup`.
"""

import base64
import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from gxo.runtime.kernel.node import FAILED
from gxo.runtime.reporting.html.graph import graph
from gxo.runtime.reporting.html.markup import Markup, join, tag
from gxo.runtime.reporting.html.model import IGNORED, Page
from gxo.runtime.reporting.html.style import SIGNS, STYLE
from gxo.runtime.reporting.html.table import table
from gxo.runtime.reporting.html.words import STATUSES, counted, duration, icon, label
from gxo.runtime.reporting.report import report

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.reporting.html.attempts import Attempts

MOST_FAILURES = 20
"""Failures that are told at the top of the page; the table has all."""


def as_html(run: "Run", attempts: "Attempts | None" = None) -> str:
    """The page of a run that has ended. attempts: who ran when."""
    return render(Page(run, report(run), {} if attempts is None else attempts.spans))


def render(page: Page) -> str:
    """The page as HTML."""
    told = page.report
    name, status = told["playbook_name"], told["overall_status"]
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{status}: {name}{' (dry run)' if 'dry_run' in told else ''}"),
        tag("style", Markup(STYLE)),
    )
    body = tag(
        "body",
        Markup(SIGNS),
        tag("header", _title(page)),
        tag(
            "main",
            _failures(page),
            tag("section", tag("h2", "Graph"), _skip(), graph(page), class_="graphs"),
            tag("section", tag("h2", "Workloads", id="workloads"), _filters(page), table(page)),
        ),
        tag("footer", _footer(page)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _title(page: Page) -> Markup:
    told = page.report
    status = told["overall_status"]
    started = told["start_time"].replace("T", " ")[:19]
    heading = tag(
        "h1",
        told["playbook_name"],
        " ",
        tag("span", icon(status), " ", label(status), class_=f"badge {status.lower()}"),
    )
    when = tag("time", f"{started} UTC", datetime=told["start_time"])
    took = duration(told["duration_ms"])
    count = counted(told["total_workloads"], "workload")
    dry = " · a dry run: nothing was changed" if "dry_run" in told else ""
    line = tag("p", when, f" · {took} · {count}{dry}", class_="quiet")
    return join([heading, line])


def _failures(page: Page) -> Markup | None:
    """What went wrong, the first failure first."""
    rows = [row for row in page.rows if row.status in (FAILED, IGNORED)]
    rows.sort(key=lambda row: (row.status == IGNORED, row.end or 0.0, row.number))
    told = page.report["error"]
    entries = []
    if told is not None and not any(row.result["error"] in told for row in rows):
        entries.append(tag("li", icon(FAILED), tag("p", told, class_="error"), class_="failed"))
    for row in rows[:MOST_FAILURES]:
        link = tag("a", row.name, href=f"#w{row.number}")
        note = "ignored" if row.status == IGNORED else None
        where = [part for part in (note, row.module, row.place) if part]
        about = tag("span", " · ".join(where), class_="quiet")
        error = tag("p", row.result["error"], class_="error")
        told_of = tag("div", link, " ", about, error)
        entries.append(tag("li", icon(row.status), told_of, class_=row.status.lower()))
    if not entries:
        return None
    more = None
    if len(rows) > MOST_FAILURES:
        more = tag("p", f"And {len(rows) - MOST_FAILURES:,} more, in the table below.")
    return tag("section", tag("h2", "What failed"), tag("ul", *entries), more, class_="failures")


def _skip() -> Markup:
    return tag("a", "Skip the graph", href="#workloads", class_="skip")


def _filters(page: Page) -> Markup:
    """How many there are of each status; choosing one shows only those, without a script."""
    counts = Counter(row.status for row in page.rows)
    choices = [_choice("all", "All", len(page.rows), None, checked=True)]
    choices += [
        _choice(status.lower(), label(status), counts[status], icon(status))
        for status in STATUSES
        if counts[status]
    ]
    return tag("fieldset", tag("legend", "Show", class_="hidden"), *choices, class_="filters")


def _choice(
    value: str, words: str, count: int, sign: Markup | None, *, checked: bool = False
) -> Markup:
    button = tag("input", type="radio", name="show", id=f"show-{value}", checked=checked)
    text = tag("label", sign, f" {words} ", tag("b", f"{count:,}"), for_=f"show-{value}")
    return tag("span", button, text)


def _footer(page: Page) -> Markup:
    version = f" by gxo {page.version}" if page.version else ""
    return tag(
        "p",
        f"Run {page.report['run_id']}, written{version}. ",
        tag("code", "--report FILE"),
        " writes the same as JSON, with the workloads' summaries.",
    )
