"""Event-driven workloads: where their events come from, with a module of the tests' own."""

from pathlib import Path

import pytest

from tests.passes.own_modules import add_module, compiled

MODULE = '''
"""The module `handle`."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Each, module
from gxo.runtime.streams.ports import Out, Records


class Handled(TypedDict):
    count: int


@module("handle", lifecycles=["event_driven"])
async def handle(ctx: Context, records: Records, out: Out | None, *, text: Each[str]) -> Handled:
    """Handle events."""
'''
LOG = """\
- name: log
  lifecycle: {policy: supervise}
  process: {module: exec, params: {command: "tail -F app.log", stdout_to: lines}}
"""


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_module("handle", MODULE, tmp_path, monkeypatch)


def told(text: str) -> list[str]:
    return [
        f"{item.span.line}:{item.span.column}: {item.code} {item.message} ({item.hint})"
        for item in compiled(text).diagnostics.sorted()
    ]


def handler(lifecycle: str, more: str = "", text: str = "{{ .line }}", name: str = "handle") -> str:
    return (
        f"- name: {name}\n  lifecycle: {lifecycle}\n{more}"
        f'  process: {{module: handle, params: {{text: "{text}"}}}}\n'
    )


def test_events_are_the_records_of_the_source() -> None:
    compilation = compiled(LOG + handler("{policy: event_driven, source: log, concurrency: 8}"))
    assert compilation.diagnostics.items == []
    assert "  event driven, 8 at once\n  events of log\n" in compilation.stage_text("plan")
    python = compilation.stage_text("python")
    assert '"handle", lifecycle=EventDriven(source="log", concurrency=8))' in python
    assert "async def handle(ctx: Context, records: Records, out: Out | None) -> Handled:" in python
    assert "async def log(ctx: Context, out: Out | None) -> Executed:" in python


def test_a_handler_can_be_the_source_of_another() -> None:
    first = handler("{policy: event_driven, source: log}", name="first")
    second = handler("{policy: event_driven, source: first}", text="{{ .x }}", name="second")
    assert told(LOG + first + second) == []


def test_a_source_of_any_lifecycle() -> None:
    for lifecycle in ("{policy: run_once}", '{policy: scheduled, cron: "@hourly"}'):
        log = LOG.replace("{policy: supervise}", lifecycle)
        assert told(log + handler("{policy: event_driven, source: log}")) == []


@pytest.mark.parametrize(
    ("lifecycle", "finding"),
    [
        (
            "{policy: event_driven, source: lgo}",
            "8:47: GXO0309 `source` names a workload that does not exist: lgo"
            ' (did you mean "log"?)',
        ),
        (
            "{policy: event_driven, source: handle}",
            "8:47: GXO0602 workload 'handle' cannot be its own source (None)",
        ),
    ],
)
def test_a_source_that_is_none(lifecycle: str, finding: str) -> None:
    assert told(LOG + handler(lifecycle)) == [finding]


def test_a_source_without_a_stream() -> None:
    log = LOG.replace(", stdout_to: lines", "")
    assert told(log + handler("{policy: event_driven, source: log}")) == [
        "8:47: GXO0620 workload 'log' has no stream, so it gives no events"
        " (exec has a stream with the parameter `stdout_to`)"
    ]
    sleep = "- name: log\n  process: {module: control:sleep, params: {duration: 1s}}\n"
    assert told(sleep + handler("{policy: event_driven, source: log}")) == [
        "8:47: GXO0620 workload 'log' has no stream, so it gives no events (None)"
    ]


def test_events_from_two_places() -> None:
    both = handler("{policy: event_driven, source: log}", "  stream_inputs: [log]\n")
    assert told(LOG + both) == [
        "9:21: GXO0621 workload 'handle' gets its events from `source`, or reads streams"
        " (take out `stream_inputs`, or the lifecycle event_driven)"
    ]


def test_a_loop_takes_no_events() -> None:
    looped = handler("{policy: event_driven, source: log}", "  loop: [1, 2]\n")
    assert told(LOG + looped) == [
        "8:47: GXO0605 a workload with a loop cannot read a stream (None)"
    ]


def test_sources_in_a_circle() -> None:
    one = handler("{policy: event_driven, source: two}", name="one")
    two = handler("{policy: event_driven, source: one}", name="two")
    [finding] = compiled(one + two).diagnostics.sorted()
    assert finding.code == "GXO0610"
    assert finding.message == (
        "records would flow in a circle: one (line 5) -> two (line 8) -> one"
    )
    assert [note.message for note in finding.notes] == [
        "'one' waits for 'two': it takes its events",
        "'two' waits for 'one': it takes its events",
    ]


def test_the_register_of_the_source_is_not_there_yet() -> None:
    log = LOG + "  register: log\n"
    reading = handler(
        "{policy: event_driven, source: log}", '  when: "{{ .log.exit_code == 0 }}"\n'
    )
    [finding] = compiled(log + reading).diagnostics.sorted()
    assert finding.code == "GXO0609"


def test_one_mistake_is_one_finding() -> None:
    process = "{module: filesystem:read, params: {path: a}}"
    text = f"- name: r\n  lifecycle: {{policy: event_driven, source: log}}\n  process: {process}\n"
    assert [line.split()[1] for line in told(LOG + text)] == ["GXO0510"]
    missing = handler("{policy: event_driven}")
    assert [line.split()[1] for line in told(LOG + missing)] == ["GXO0202"]
