"""Draws what the tests have reached as one HTML page that needs nothing else: no script, no font.

     12 ✓  - name: fetch                          green
     13 ~    when: "{{ .changed }}"               amber: `when` of 'fetch' was never false
     20 ✗  - name: notify                         red:   workload 'notify' never ran

Colour is not the only sign: each line has a mark, and what was missed stands behind it in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from gxo.testrun.coverage import Covered, Point, percent, total

REACHED, PARTLY, MISSED = "reached", "partly", "missed"
_MARKS = {REACHED: "✓", PARTLY: "~", MISSED: "✗", "": " "}

_STYLE = """\
:root { color-scheme: light dark; --text: #1f2328; --quiet: #59636e; --page: #fff; --line: #d1d9e0;
  --reached: #d5f2ea; --partly: #fff0c4; --missed: #ffd9cc; --bar: #08755c; --rest: #d1d9e0; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9198a1; --page: #0d1117;
  --line: #3d444d; --reached: #0f3a33; --partly: #473a10; --missed: #5c2416; --bar: #3cc2a0;
  --rest: #3d444d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; color: var(--text);
  background: var(--page); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 2.5rem 0 .5rem; }
a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: block; width: 8rem; height: .6rem; background: var(--rest); border-radius: .3rem; }
.bar span { display: block; height: 100%; background: var(--bar); border-radius: .3rem; }
.text { font: 13px/1.55 ui-monospace, monospace; overflow-x: auto; border: 1px solid var(--line);
  border-radius: .4rem; padding: .4rem 0; margin: 0; }
.text > div { display: inline-block; min-width: 100%; }
.text > div > div { white-space: pre; padding-right: 1rem; }
.text .n { display: inline-block; width: 4rem; padding-right: .8rem; text-align: right;
  color: var(--quiet); user-select: none; }
.text .m { display: inline-block; width: 1.4rem; user-select: none; }
.text .why { opacity: .8; font-style: italic; padding-left: 2rem; user-select: none; }
.reached { background: var(--reached); } .partly { background: var(--partly); }
.missed { background: var(--missed); }
.key span { padding: .1rem .5rem; border-radius: .3rem; margin-right: .5rem; }
"""


def page(covered: Sequence[Covered], texts: Mapping[str, str]) -> str:
    """The page. texts: of the playbooks, by their path."""
    rows = "".join(_row(number, one) for number, one in enumerate(covered))
    files = "".join(_file(number, one, texts[one.path]) for number, one in enumerate(covered))
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8"><title>Coverage by gxo test</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE}</style></head><body>\n"
        f"<h1>Tests reach {total(covered)} of workloads and their branches</h1>\n"
        '<p class="key"><span class="reached">✓ reached</span>'
        '<span class="partly">~ one branch</span><span class="missed">✗ missed</span></p>\n'
        '<table><thead><tr><th>Playbook</th><th></th><th class="number">Reached</th>'
        f'<th class="number">Of</th><th class="number">Share</th></tr></thead><tbody>\n{rows}'
        f"</tbody></table>\n{files}</body></html>\n"
    )


def _row(number: int, one: Covered) -> str:
    width = f"{one.share * 100:.1f}%"
    return (
        f'<tr><td><a href="#file{number}">{escape(one.path)}</a></td>'
        f'<td><span class="bar"><span style="width:{width}"></span></span></td>'
        f'<td class="number">{one.reached}</td><td class="number">{len(one.points)}</td>'
        f'<td class="number">{percent(one.share)}</td></tr>\n'
    )


def _file(number: int, one: Covered, text: str) -> str:
    lines = text.splitlines()
    states = _states(one.points, len(lines))
    shown = "".join(_line(place, line, *states[place]) for place, line in enumerate(lines, 1))
    head = f'<h2 id="file{number}">{escape(one.path)}: {percent(one.share)}</h2>'
    return f'{head}\n<div class="text"><div>\n{shown}</div></div>\n'


def _line(number: int, text: str, state: str, why: Sequence[str]) -> str:
    said = f'<span class="why">{escape("; ".join(why))}</span>' if why else ""
    kind = f' class="{state}"' if state else ""
    return (
        f'<div{kind}><span class="n">{number}</span><span class="m">{_MARKS[state]}</span>'
        f"{escape(text)}{said}</div>\n"
    )


def _states(points: Sequence[Point], count: int) -> dict[int, tuple[str, list[str]]]:
    """Of each line whether it was reached, and what was missed; the innermost point decides.

    The text may have become shorter since the tests ran.
    """
    states: dict[int, str] = dict.fromkeys(range(1, count + 1), "")
    why: dict[int, list[str]] = {number: [] for number in states}
    for point in points:  # what stands inside of another comes after it
        if point.kind != "when":
            for number in range(point.line, min(point.end, count) + 1):
                states[number] = REACHED if point.reached else MISSED
        if not point.reached and point.line <= count:
            why[point.line].append(point.missed())
    states |= {number: state for number, state in _of_branches(points) if number <= count}
    return {number: (states[number], why[number]) for number in states}


def _of_branches(points: Sequence[Point]) -> Iterator[tuple[int, str]]:
    """Yield each line of a `when`, and whether both, one or none of its branches was taken."""
    branches = [point for point in points if point.kind == "when"]
    for one, other in zip(branches[::2], branches[1::2], strict=True):
        taken = one.reached + other.reached
        for number in range(one.line, one.end + 1):
            yield number, (MISSED, PARTLY, REACHED)[taken]
