"""Makes `docs/images/benchmarks.svg` and the figures in `docs/benchmarks.md` of the last `make bench`.

    build/bench/figures.json  ->  one panel a data job, one bar a contestant, seconds beside it

The chart is plain SVG on no background; its two greys are legible on white and on black.
"""

import json
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "build" / "bench" / "figures.json"
CHART = ROOT / "docs" / "images" / "benchmarks.svg"
PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- figures -->", "<!-- end of figures -->"
WIDTH, NAMES, ROW, HEAD, BAR = 760, 150, 22, 44, 520
TEXT, OTHER, OURS = "#808890", "#98a2ad", "#2f81d6"


def chart(jobs: dict[str, Any]) -> str:
    """The SVG: within a panel the longest bar is the slowest contestant."""
    parts: list[str] = []
    top = 8
    for name, job in jobs.items():
        parts.append(_text(0, top + 18, f"{name}: {job['title']}", weight=600))
        top += HEAD - 14
        slowest = max(job["seconds"].values())
        for who, seconds in sorted(job["seconds"].items(), key=lambda pair: float(pair[1])):
            ours = who.startswith("gxo")
            length = max(2.0, seconds / slowest * BAR)
            colour = OURS if ours else OTHER
            parts.append(
                _text(NAMES - 10, top + 15, who, anchor="end", weight=600 if ours else 400)
            )
            parts.append(
                f'<rect x="{NAMES}" y="{top + 3}" width="{length:.1f}" height="{ROW - 6}" rx="2" fill="{colour}"/>'
            )
            parts.append(_text(NAMES + length + 8, top + 15, f"{seconds:.2f} s"))
            top += ROW
        top += HEAD - 22
    style = f"font-family:system-ui,sans-serif;font-size:13px;fill:{TEXT}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" style="{style}">'
    title = "<title>Seconds that each tool takes, start-up included; shorter is better</title>"
    return "\n".join([head, title, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, anchor: str = "start", weight: int = 400) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'


def tables(jobs: dict[str, Any]) -> str:
    """The figures as Markdown, a table a job and the bounds below it."""
    lines: list[str] = []
    for name, job in jobs.items():
        lines += [f"### {name}: {job['title']}", "", "| | seconds | CPU seconds |", "|---|--:|--:|"]
        for who, seconds in sorted(job["seconds"].items(), key=lambda pair: float(pair[1])):
            lines.append(f"| {who} | {seconds:.2f} | {job['cpu_seconds'][who]:.2f} |")
        lines += [f"| {who} | not installed | |" for who in job["not_installed"]]
        lines += ["", "| bound | at least | reached | |", "|---|--:|--:|---|"]
        for one in job["bounds"]:
            what = f"{one['who']}, times as fast as {one['times_as_fast_as']}"
            lines.append(f"| {what} | {one['least']:.2f} | {one['speed']:.2f} | {one['verdict']} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    known = json.loads(FIGURES.read_text())
    jobs = {name: one for name, one in sorted(known.items()) if "seconds" in one}
    CHART.write_text(chart(jobs), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{tables(jobs)}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
