"""The table of expressions: gxo's compiled templates against Jinja2's for the same text.

    {{ .name | upper }}   as the Python function that gxo prints
    {{ name | upper }}    as the template that Jinja2 compiles

All run in this process, warmed up, in turn; a row is the medians of its rounds. gxo must be at least
3 times as fast as Jinja2 on the median row, and on no row slower. What Jinja2 is given is all done
before: its context is built, only the template's generator runs. The column "render" is the usual
`template.render(values)`, which builds the context too; it has no bound. The inputs are typed as a
playbook's are.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template.ast import Root
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse
from gxo.compiler.template.resolve import Scope, resolve
from gxo.compiler.template.to_python import Want, function
from gxo.compiler.types import ANY, BOOL, FLOAT, INT, TEXT, ListOf, MapOf, Type

ROWS = Path(__file__).with_name("expressions.yaml")
ROUNDS, SECONDS = 15, 0.002
MEDIAN_BOUND, ROW_BOUND = 3.0, 1.0
_TYPES: dict[str, Type] = {
    "text": TEXT,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "texts": ListOf(TEXT),
    "ints": ListOf(INT),
    "map": MapOf(TEXT),
    "any": ANY,
}

Render = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One template: microseconds a rendering."""

    template: str
    gxo: float
    jinja: float
    render: float

    @property
    def times(self) -> float:
        """How many times as fast gxo is."""
        return self.jinja / self.gxo


class Values:
    """What the compiled templates get as `ctx`."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.vars = values


def compare() -> list[Comparison]:
    table = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    values = {name: one["value"] for name, one in table["values"].items()}
    roots = {name: Root("var", name, _TYPES[one["type"]]) for name, one in table["values"].items()}
    environment = jinja2.Environment(keep_trailing_newline=True)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": True}
    rows = []
    for gxo, jinja in table["rows"]:
        template = environment.from_string(jinja)
        ours = _ours(gxo, roots, values)
        if ours() != template.render(values):
            raise ValueError(f"{gxo}: {ours()!r} is not {template.render(values)!r}")
        rows.append(_measured(gxo, ours, template, values))
    return rows


def _ours(text: str, roots: dict[str, Root], values: dict[str, Any]) -> Render:
    """The template as gxo compiles it into a playbook's module."""
    diagnostics = Diagnostics()
    template = parse(plain(text, "bench"), diagnostics)
    if template is not None:
        template = resolve(template, Scope(roots), diagnostics)
        check(template, diagnostics)
    if template is None or diagnostics.has_errors:
        raise ValueError(f"{text}: {diagnostics.items}")
    made = function(template, "render", Want("text"))
    names: dict[str, Any] = {}
    exec("\n".join([*sorted(made.imports), *made.lines]), names)
    render, context = names["render"], Values(values)
    return (lambda: render(context)) if made.parameters else render


def _measured(
    text: str, ours: Render, template: jinja2.Template, values: dict[str, Any]
) -> Comparison:
    """Run all in turn, each round as often as takes a measurable time."""
    context = template.new_context(values)
    runs: list[Render] = [
        ours,
        lambda: "".join(template.root_render_func(context)),
        lambda: template.render(values),
    ]
    count = max(1, int(SECONDS / _seconds(runs[1], 20) * 20))
    rounds = [[_seconds(run, count) / count * 1e6 for run in runs] for _ in range(ROUNDS + 1)]
    return Comparison(text, *[statistics.median(one) for one in zip(*rounds[1:], strict=True)])


def _seconds(render: Render, count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        render()
    return time.perf_counter() - started


def report(rows: list[Comparison], write: Callable[[str], None]) -> bool:
    """Write the table; whether both bounds hold."""
    width = max(len(row.template) for row in rows)
    write(f"{'expressions':<{width}}  {'gxo':>8}  {'Jinja2':>8}  times as fast  render")
    for row in rows:
        verdict = "ok" if row.times >= ROW_BOUND else "MISSED"
        write(
            f"{row.template:<{width}}  {row.gxo:>5.2f} us  {row.jinja:>5.2f} us"
            f"  {row.times:>6.1f}  {verdict:<6} {row.render / row.gxo:>6.1f}"
        )
    median = statistics.median(row.times for row in rows)
    verdict = "ok" if median >= MEDIAN_BOUND else "MISSED"
    write(f"{'median, at least 3':<{width}}  {'':>8}  {'':>8}  {median:>6.1f}  {verdict}")
    return median >= MEDIAN_BOUND and all(row.times >= ROW_BOUND for row in rows)


def main(write: Callable[[str], None] = print) -> int:
    return 0 if report(compare(), write) else 1


if __name__ == "__main__":
    raise SystemExit(main())
