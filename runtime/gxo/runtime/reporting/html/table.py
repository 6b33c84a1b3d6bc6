"""The table of a run's workloads: what became of each, and when, as bars over the run's time.

One bar is one workload. Its attempts, where there are several, stand in it as blocks, and those of
iterations that ran at once below each other.
"""

import math
from collections.abc import Sequence

from gxo.runtime.kernel.node import COMPLETED, FAILED
from gxo.runtime.reporting.html.attempts import Span
from gxo.runtime.reporting.html.markup import Markup, join, tag
from gxo.runtime.reporting.html.model import IGNORED, Page, Row
from gxo.runtime.reporting.html.words import counted, duration, icon, label, number

COLUMNS = 6
TOP, BAR = 9, 18  # pixels: from the row's edge to the bar, and the bar
LANE = 9  # pixels, of iterations that ran at once
MOST_LANES = 6
LEAST = 0.35  # per cent of the time: a bar that can be seen
TICKS = 5
STEPS = (
    *(digit * unit for unit in (0.001, 0.01, 0.1) for digit in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 4, 6, 12, 24)),
)
"""Seconds from one mark of the time line to the next."""
NAMED = 8


def table(page: Page) -> Markup:
    """All workloads, those of blocks below a heading of their own."""
    main = [row for row in page.rows if row.owner is None and not row.in_finally]
    bodies = [_body(page, None, main)]
    for owner in dict.fromkeys(row.owner for row in page.rows if row.owner is not None):
        block = [row for row in page.rows if row.owner == owner]
        title = join([tag("code", "on_failure"), " of ", owner])
        bodies.append(_body(page, title, block))
    if last := [row for row in page.rows if row.in_finally]:
        bodies.append(_body(page, tag("code", "finally"), last))
    head = tag(
        "tr",
        tag("th", "Workload", scope="col"),
        tag("th", "Status", scope="col"),
        tag("th", _axis(page), scope="col", class_="time"),
        tag("th", "Duration", scope="col", class_="figure"),
        tag("th", "Records in", scope="col", class_="figure"),
        tag("th", "Records out", scope="col", class_="figure"),
    )
    return tag(
        "div",
        tag("table", tag("thead", head), *bodies),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="Workloads",
    )


def _body(page: Page, title: Markup | None, rows: Sequence[Row]) -> Markup:
    heading = None
    if title is not None:
        heading = tag("tr", tag("th", title, scope="rowgroup", colspan=COLUMNS), class_="block")
    return tag("tbody", heading, *(_row(page, row) for row in rows))


def _row(page: Page, row: Row) -> Markup:
    result = row.result
    cells = (
        tag("th", tag("span", row.name, class_="name"), _about(row), scope="row"),
        tag("td", icon(row.status), " ", label(row.status), class_="status"),
        tag("td", _bar(page, row), class_="time"),
        tag("td", duration(result.get("duration_ms")), class_="figure"),
        tag("td", number(result["records_in"]) if row.reads else None, class_="figure"),
        tag(
            "td", number(result["records_out"]) if result["records_out"] else None, class_="figure"
        ),
    )
    return tag("tr", *cells, id=f"w{row.number}", class_=f"row {row.status.lower()}")


def _about(row: Row) -> Markup:
    """What stands below the name: module and place, what it waited for, what went wrong."""
    result = row.result
    lines = []
    if row.module:
        place = f" · {row.place}" if row.place else None
        lines.append(tag("p", tag("code", row.module), place, class_="quiet"))
    waits = [("after ", row.after), ("reads ", row.reads)]
    told = [f"{word}{_listed(names)}" for word, names in waits if names]
    if told:
        lines.append(tag("p", "; ".join(told), class_="quiet"))
    if repeats := _repeats(row):
        lines.append(tag("p", repeats, class_="quiet"))
    lines += [tag("p", result[key], class_=key) for key in ("error", "reason") if result.get(key)]
    return join(lines)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _repeats(row: Row) -> str:
    """Iterations, attempts and lost records, where there is something to say about them."""
    result = row.result
    parts = []
    if result.get("iterations") is not None:
        parts.append(counted(result["iterations"], "iteration"))
    if result["attempts"] > 1:
        most = "at most " if result.get("iterations") else ""
        parts.append(f"{most}{counted(result['attempts'], 'attempt')}")
    for key, what in (("record_errors", "record error"), ("records_dropped", "dropped record")):
        if result.get(key):
            parts.append(counted(result[key], what))
    return ", ".join(parts)


def _axis(page: Page) -> Markup:
    """The time line's marks, and the lines that go down from them through all bars."""
    marks = _marks(page.seconds)
    lines = [
        tag("line", x1=f"{100 * at:.2f}%", x2=f"{100 * at:.2f}%", y2="100%") for at, _ in marks
    ]
    texts = [
        tag("text", words, x=f"{100 * at:.2f}%", y=12, class_="start" if not at else None)
        for at, words in marks
    ]
    grid = tag("defs", tag("g", *lines, id="grid"))
    svg = tag("svg", grid, *texts, class_="axis", height=16, aria_hidden="true")
    return join([tag("span", "Time", class_="hidden"), svg])


def _marks(seconds: float) -> list[tuple[float, str]]:
    """Round moments of the run as fractions of it, with their words; none near the end."""
    step = next((one for one in STEPS if seconds / one <= TICKS), STEPS[-1])
    step *= max(1, math.ceil(seconds / step / TICKS))
    moments = [step * index for index in range(int(seconds / step) + 1)]
    return [(at / seconds, _moment(at)) for at in moments if at / seconds <= 0.94]


def _moment(seconds: float) -> str:
    """`0`, `250 ms`, `1.5 s`, `2.5 min`, `36 h`."""
    for size, unit in ((3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1000:.4g} ms" if seconds else "0"


def _bar(page: Page, row: Row) -> Markup:
    """When it ran; nothing but the marks for what did not."""
    grid = tag("use", href="#grid")
    if row.begin is None or row.end is None:
        return tag("svg", grid, aria_hidden="true")
    lanes, blocks = _blocks(page, row)
    height = BAR if lanes == 1 else lanes * LANE + 1
    kind = f"bar {row.status.lower()}{' wait' if blocks else ''}"
    whole = _rectangle(row.begin, row.end, TOP, height, kind)
    said = f"from {page.clock_time(row.begin)} to {page.clock_time(row.end)} UTC"
    return tag("svg", grid, whole, *blocks, role="img", aria_label=said)


def _blocks(page: Page, row: Row) -> tuple[int, list[Markup]]:
    """The attempts as blocks, when there are several, and in how many lanes."""
    spans = row.spans
    if len(spans) < 2:
        return 1, []
    lane_of, lanes = _lanes(spans)
    if lanes > MOST_LANES:
        return 1, []
    height = BAR if lanes == 1 else LANE - 1
    last = {span.iteration: span for span in spans}
    blocks = []
    for span, lane in zip(spans, lane_of, strict=True):
        again = last[span.iteration] is not span
        status = FAILED if again else _ended(row, span, last)
        begin, end = page.fraction(span.start), page.fraction(span.end or span.start)
        words = f"attempt {span.attempt}" + (", failed" if again else "")
        if span.iteration is not None:
            words = f"iteration {span.iteration + 1}, {words}"
        words += f": {duration(round((span.end or span.start) * 1000 - span.start * 1000))}"
        top = TOP if lanes == 1 else TOP + lane * LANE + 1
        blocks.append(_rectangle(begin, end, top, height, f"bar part {status.lower()}", words))
    return lanes, blocks


def _ended(row: Row, span: Span, last: dict[int | None, Span]) -> str:
    """How an iteration's last attempt ended, as far as that is known: the report does not say."""
    if row.status == COMPLETED or span.iteration is None:
        return row.status
    latest = max(other.end or other.start for other in last.values())
    if row.status in (FAILED, IGNORED) and (span.end or span.start) < latest:
        return COMPLETED
    return row.status


def _lanes(spans: Sequence[Span]) -> tuple[list[int], int]:
    """The lane of each: iterations that ran at once stand below each other."""
    free: list[float] = []  # when each lane's last iteration ends
    of_iteration: dict[int | None, int] = {}
    ends: dict[int | None, float] = {}
    for span in spans:
        ends[span.iteration] = max(ends.get(span.iteration, 0.0), span.end or span.start)
    lanes = []
    for span in spans:
        lane = of_iteration.get(span.iteration)
        if lane is None:
            ready = (index for index, end in enumerate(free) if end <= span.start)
            lane = next(ready, len(free))
            if lane == len(free):
                free.append(0.0)
            free[lane] = ends[span.iteration]
            of_iteration[span.iteration] = lane
        lanes.append(lane)
    return lanes, len(free)


def _rectangle(
    begin: float, end: float, top: int, height: int, kind: str, words: str | None = None
) -> Markup:
    left = min(100 * begin, 100 - LEAST)
    width = max(100 * (end - begin), LEAST)
    return tag(
        "rect",
        tag("title", words) if words else None,
        x=f"{left:.2f}%",
        y=top,
        width=f"{width:.2f}%",
        height=height,
        rx=2,
        class_=kind,
    )
