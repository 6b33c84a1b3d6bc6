"""The page's words for figures and statuses.

850 ms, 4.2 s, 3 min 20 s      1,234,567      Failed, ignored
"""

from gxo.runtime.kernel.node import CANCELLED, COMPLETED, FAILED, PENDING, SKIPPED
from gxo.runtime.reporting.html.markup import Markup, tag
from gxo.runtime.reporting.html.model import IGNORED, Row

STATUSES = (FAILED, IGNORED, CANCELLED, SKIPPED, PENDING, COMPLETED)
"""What wants attention first."""

LABELS = {IGNORED: "Failed, ignored"}


def label(status: str) -> str:
    """The status as the page writes it."""
    return LABELS.get(status, status)


def icon(status: str) -> Markup:
    """A sign whose shape, not only whose colour, tells the status. For the eye only."""
    use = tag("use", href=f"#icon-{status.lower()}")
    return tag("svg", use, class_=f"icon {status.lower()}", width=16, height=16, aria_hidden="true")


def number(value: int) -> str:
    """With commas between thousands."""
    return f"{value:,}"


def counted(value: int, what: str) -> str:
    """`1 record`, `1,200 records`."""
    return f"{value:,} {what}" if value == 1 else f"{value:,} {what}s"


def duration(milliseconds: int | None) -> str:
    """With the two largest units; empty when there is none."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def in_short(row: Row) -> str:
    """What the graph says below a workload's name."""
    parts = [] if row.status == COMPLETED else [label(row.status)]
    parts.append(duration(row.result.get("duration_ms")))
    for key, what in (("records_in", "in"), ("records_out", "out")):
        if count := row.result[key]:
            parts.append(f"{count:,} {what}")
    return " · ".join(part for part in parts if part)
