"""The graph of a run's workloads, as SVG: who waited for whom, and where records went.

What is drawn is laid out by `layout`, in rows or, where that is too wide and columns are not, in
columns. Each box leads to its workload's row in the table, which says the same in words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gxo.runtime.reporting.html.collapse import fold
from gxo.runtime.reporting.html.layout import Layout, arrange
from gxo.runtime.reporting.html.markup import Markup, join, tag
from gxo.runtime.reporting.html.model import Edge, Page, Row
from gxo.runtime.reporting.html.words import counted, icon, in_short, label
from gxo.runtime.reporting.text import columns, fit

HEIGHT = 46  # of a box, in pixels
LEAST_WIDTH, MOST_WIDTH = 130, 210
NAME, LINE = 7.6, 6.6  # of a character of a box's two lines
INDENT = 35  # where they begin
WIDE, ALMOST = 1120, 1500  # what fits into the page, and what does when it is made smaller
MARGIN = 8
NAMED = 12  # names in the tooltip of a box that stands for many

LEGEND = (
    ("state", "waits for"),
    ("stream", "reads records of"),
    ("failure", "runs when it has failed"),
    ("order", "runs after, in its block"),
)


class Box(NamedTuple):
    """What stands for one workload, or for several that are alike."""

    row: Row
    name: str
    line: str
    tooltip: str
    is_folded: bool

    @property
    def width(self) -> float:
        """What its two lines take."""
        return INDENT + 10 + max(columns(self.name) * NAME, columns(self.line) * LINE)


class Form(NamedTuple):
    """How layers become pixels: as rows, or sideways as columns. width: of every box."""

    width: int
    is_sideways: bool

    @property
    def gap(self) -> int:
        """The distance of two boxes in a layer."""
        return 18 if self.is_sideways else 24

    @property
    def between(self) -> int:
        """The distance of two layers."""
        return 64 if self.is_sideways else 40

    @property
    def across(self) -> int:
        """The size of a box within its layer."""
        return HEIGHT if self.is_sideways else self.width

    @property
    def along(self) -> int:
        """The size of a box in the direction of the edges."""
        return self.width if self.is_sideways else HEIGHT

    def point(self, along: float, across: float) -> str:
        """A point of a path."""
        x, y = (along, across) if self.is_sideways else (across, along)
        return f"{x + MARGIN:.1f},{y + MARGIN:.1f}"


def graph(page: Page) -> Markup:
    """The figures of the playbook's workloads and of its `finally`, with a legend."""
    figures = []
    for title, in_finally in (("", False), ("finally", True)):
        rows = [row for row in page.rows if row.in_finally == in_finally]
        names = {row.name for row in rows}
        edges = [edge for edge in page.edges if edge.source in names and edge.target in names]
        if rows:
            caption = (
                tag("figcaption", tag("code", title), " runs in every ending") if title else None
            )
            figures.append(tag("figure", caption, _drawing(rows, edges)))
    kinds = {edge.kind for edge in page.edges}
    return join([*figures, _legend([one for one in LEGEND if one[0] in kinds])])


def _drawing(rows: Sequence[Row], edges: Sequence[Edge]) -> Markup:
    """One figure, that scrolls where it is larger than the page."""
    folded = fold(rows, edges)
    drawn = [_described(group) for group in folded.groups]
    width = round(min(MOST_WIDTH, max(LEAST_WIDTH, *(box.width for box in drawn))))
    svg = _svg(drawn, folded.links, width, f"Graph of {counted(len(rows), 'workload')}")
    note = tag("p", folded.note, class_="quiet") if folded.note else None
    frame = tag("div", svg, class_="scroll", tabindex=0, role="region", aria_label="Graph")
    return join([note, frame])


def _svg(
    drawn: Sequence[Box], links: Mapping[tuple[int, int], str], width: int, title: str
) -> Markup:
    form, layout = _laid_out(len(drawn), list(links), width)
    length = (max(layout.layer) + 1) * (form.along + form.between) - form.between
    size = (length, layout.width) if form.is_sideways else (layout.width, length)
    wide, high = (round(one) + 2 * MARGIN for one in size)
    ordered = sorted(links.items(), key=_streams_last)
    return tag(
        "svg",
        *(_edge(form, layout, link, kind) for link, kind in ordered),
        *(_box(form, layout, number, box) for number, box in enumerate(drawn)),
        class_="graph fits" if wide <= ALMOST else "graph",
        width=wide,
        height=high,
        viewBox=f"0 0 {wide} {high}",
        role="group",
        aria_label=title,
    )


def _streams_last(item: tuple[tuple[int, int], str]) -> tuple[bool, tuple[int, int]]:
    return item[1] == "stream", item[0]


def _laid_out(count: int, links: list[tuple[int, int]], width: int) -> tuple[Form, Layout]:
    """Layers as rows; as columns where only those fit into the page."""
    rows, sideways = Form(width, is_sideways=False), Form(width, is_sideways=True)
    layout = arrange(count, links, rows.across, rows.gap)
    depth = (max(layout.layer) + 1) * (sideways.along + sideways.between) - sideways.between
    if layout.width <= WIDE or depth > WIDE:
        return rows, layout
    return sideways, arrange(count, links, sideways.across, sideways.gap)


def _edge(form: Form, layout: Layout, link: tuple[int, int], kind: str) -> Markup:
    """A curve from box to box, straight beside the boxes of the layers between."""
    source, target = link
    step = form.along + form.between
    leave = layout.layer[source] * step + form.along
    path = [f"M{form.point(leave, layout.across[source])}"]
    last = layout.across[source]
    for number in (*layout.bends[link], target):
        across = layout.across[number]
        enter = layout.layer[number] * step
        middle = (leave + enter) / 2
        stops = (form.point(middle, last), form.point(middle, across), form.point(enter, across))
        path.append(f"C{' '.join(stops)}")
        leave, last = enter + form.along, across
        if number != target:
            path.append(f"L{form.point(leave, across)}")
    drawn = "".join(path)
    if kind == "stream":
        return join(
            [tag("path", d=drawn, class_="edge stream"), tag("path", d=drawn, class_="edge bore")]
        )
    return tag("path", d=drawn, class_=f"edge {kind}")


def _described(group: Sequence[Row]) -> Box:
    first = group[0]
    status = label(first.status)
    if len(group) > 1:
        name = f"{first.name} … {group[-1].name}"
        names = ", ".join(row.name for row in group[:NAMED])
        more = ", …" if len(group) > NAMED else ""
        tooltip = f"{counted(len(group), 'workload')}, {status}: {names}{more}"
        return Box(first, name, f"{status} × {len(group):,}", tooltip, is_folded=True)
    line, tooltip = in_short(first), f"{first.name}: {status}"
    if first.owner is not None:
        line = f"on_failure · {line}"
    if first.result.get("error"):
        tooltip += f", {first.result['error']}"
    return Box(first, first.name, line, tooltip, is_folded=False)


def _box(form: Form, layout: Layout, number: int, box: Box) -> Markup:
    along = layout.layer[number] * (form.along + form.between)
    across = layout.across[number] - form.across / 2
    x, y = (along, across) if form.is_sideways else (across, along)
    face = {"width": form.width, "height": HEIGHT, "rx": 6}
    room = form.width - INDENT - 8
    return tag(
        "a",
        tag("title", box.tooltip),
        tag("rect", class_="behind", x=4, y=4, **face) if box.is_folded else None,
        tag("rect", class_="face", **face),
        tag("svg", icon(box.row.status), x=10, y=15),
        tag(
            "svg",  # which cuts off what is wider than letters usually are
            tag("text", fit(box.name, int(room / NAME)), class_="name", y=19),
            tag("text", fit(box.line, int(room / LINE)), class_="line", y=36),
            x=INDENT,
            width=form.width - INDENT - 2,
            height=HEIGHT,
        ),
        href=f"#w{box.row.number}",
        class_=f"box {box.row.status.lower()}",
        transform=f"translate({x + MARGIN:.1f} {y + MARGIN:.1f})",
        aria_label=box.tooltip,
    )


def _legend(kinds: Sequence[tuple[str, str]]) -> Markup | None:
    if not kinds:
        return None
    entries = []
    for kind, words in kinds:
        drawn = [tag("path", d="M2,8L44,8", class_=f"edge {kind}")]
        if kind == "stream":
            drawn.append(tag("path", d="M2,8L44,8", class_="edge bore"))
        sample = tag("svg", *drawn, width=56, height=16, aria_hidden="true")
        entries.append(tag("li", sample, f" {words}"))
    return tag("ul", *entries, class_="legend", aria_label="Arrows")
