"""What the lines of a journal say, and what is known when all have been read.

    {"record": "job", "format": 1, "artifact": ..., "inputs": ...}     the first line
    {"record": "ready", "vars": {"release": "2026-11-26"}}             assets and vars are there
    {"record": "started", "workload": "deploy"}        only of what may not happen twice
    {"record": "harmless", "workload": "fetch"}        it turned out to change nothing
    {"record": "ended", "workload": "deploy", "status": "Completed", "summary": ...,
     "secrets": ["TOKEN"]}                         the names of all that the job knows by then
    {"record": "resumed", "again": ["report"]}         what was known of these is void
    {"record": "completed"}                            the job is; its workspace goes

An input is a hash, so that no value stands here that the job has not left itself.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.bundle import MANIFEST
from gxo.runtime.errors import UsageError
from gxo.runtime.journal.lines import Record
from gxo.runtime.journal.values import InexactError, read, written
from gxo.runtime.jsontext import plain
from gxo.runtime.kernel.node import CANCELLED, COMPLETED, SKIPPED, Node

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run

FORMAT = 1
STARTED = "started"
RESTORED = "restored from the journal"

PLAIN_FIELDS = (
    "status",
    "reason",
    "error",
    "ignored",
    "attempts",
    "iterations",
    "records_in",
    "records_out",
    "record_errors",
    "records_dropped",
)


class Entry:
    """The last that the journal says of a workload: that it started, or how it ended."""

    __slots__ = ("record",)

    def __init__(self, record: Record) -> None:
        self.record = record

    @property
    def status(self) -> str:
        """As the report has it; `started` when the end is not known."""
        return str(self.record.get("status", STARTED))

    @property
    def is_cut_off(self) -> bool:
        """Whether it came to no end of its own: the job was killed, or has cancelled it."""
        return self.status in (STARTED, CANCELLED)

    @property
    def is_half_done(self) -> bool:
        """Whether it was cut off after it had begun, so that nobody knows how far it has come."""
        had_begun = self.status == STARTED or self.record["started"] is not None
        return self.is_cut_off and had_begun

    @property
    def is_ignored(self) -> bool:
        """Whether it failed, and the playbook went on."""
        return bool(self.record.get("ignored"))

    @property
    def lost(self) -> str | None:
        """Why its result cannot be restored; None when it can."""
        why: str | None = self.record.get("lost")
        return why


class Past:
    """All that a journal says.

    is_ready: vars and assets are as the job's workloads have seen them. harmless: workloads whose
    module has said, as it was called, that it changes nothing. secrets: the names of those
    that the job has read.
    """

    def __init__(self, records: Iterable[Record], path: str) -> None:
        """UsageError for a journal of another format. path: how messages call it."""
        self.entries: dict[str, Entry] = {}
        self.vars: dict[str, Any] = {}
        self.harmless: set[str] = set()
        self.secrets: set[str] = set()
        self.is_ready = False
        self.is_completed = False
        head, *rest = records
        if head.get("record") != "job" or head.get("format") != FORMAT:
            raise UsageError(
                f"the journal {path} has a format that this job does not know",
                hint=f"it was written by gxo {head.get('gxo', '?')}; resume with that artifact",
            )
        self.head = head
        for record in rest:
            self._take(record)

    def _take(self, record: Record) -> None:
        self.secrets.update(record.get("secrets", ()))
        match record["record"]:
            case "ready":
                self.is_ready = True
                self.vars = {name: read(value) for name, value in record["vars"].items()}
            case "started" | "ended":
                self.entries[record["workload"]] = Entry(record)
                if record["record"] == "started":
                    self.harmless.discard(record["workload"])
            case "harmless":
                self.harmless.add(record["workload"])
            case "resumed":
                for name in record["again"]:
                    self.entries.pop(name, None)
            case "completed":
                self.is_completed = True


def first(run: "Run", facts: Mapping[str, Any]) -> Record:
    """The first line of a run's journal. facts: the manifest."""
    return {
        "record": "job",
        "format": FORMAT,
        "gxo": facts.get("gxo", ""),
        "playbook": run.name,
        "artifact": artifact(run),
        "inputs": _hashes(run.settings.inputs, run.settings.secret_inputs),
        "vars": _hashes(run.settings.vars, ()),
        "run_id": run.run_id,
        "time": run.clock.seconds(),
    }


def artifact(run: "Run") -> str:
    """What tells this job from every other: the hash of its manifest, which holds those of all
    its files. UsageError when it has none."""
    try:
        content = run.bundle.read(MANIFEST) if run.bundle is not None else b""
    except FileNotFoundError:
        content = b""
    if not content:
        raise UsageError("only a compiled job can have a journal: this one has no manifest")
    return hashlib.sha256(content).hexdigest()


def check_same(head: Record, now: Record, path: str) -> None:
    """UsageError when the journal is of another artifact, or of other inputs, than this run."""
    if head["artifact"] != now["artifact"]:
        then, this = (
            f"{one['playbook']} compiled by gxo {one['gxo']} ({one['artifact'][:12]})"
            for one in (head, now)
        )
        raise UsageError(
            f"the journal {path} is of another artifact: it began with {then}, this is {this}",
            hint="resume with the artifact that it began with, or start anew with --journal",
        )
    for kind in ("inputs", "vars"):
        then, this = head[kind], now[kind]
        for name in sorted({*then, *this}):
            if then.get(name) != this.get(name):
                raise UsageError(
                    f"the journal {path} is of other inputs: '{name}' {_change(name, then, this)}",
                    hint="give the values that the job began with, or start anew with --journal",
                )


def _change(name: str, then: Mapping[str, str], this: Mapping[str, str]) -> str:
    if name not in then:
        return "was not given"
    return "has another value" if name in this else "was given a value"


def _hashes(values: Mapping[str, Any], secret: Iterable[str]) -> dict[str, str]:
    hidden = set(secret)
    return {name: _hash(value) for name, value in values.items() if name not in hidden}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def started(run: "Run", node: Node) -> Record:
    """The line of a workload whose module is about to be called."""
    return {"record": "started", "workload": node.name, "secrets": _secrets(run)}


def _secrets(run: "Run") -> list[str]:
    return sorted(run.secret_use.loaded) if run.secret_use is not None else []


def ended(run: "Run", node: Node) -> Record:
    """The line of a workload that has ended; `writable` makes what is written of its summary."""
    record: Record = {"record": "ended", "workload": node.name}
    record |= {name: getattr(node, name) for name in PLAIN_FIELDS}
    record["started"] = None if node.started is None else run.wall(node.started)
    record["ended"] = run.wall(run.clock.monotonic())
    record["summary"] = node.summary
    if node.spec.background:
        record["lost"] = "it is of what runs in the background"
    record["secrets"] = _secrets(run)
    if run.secret_use is not None:
        record["redacted"] = run.secret_use.redacted.get(node.spec.register or "", [])
    return record


def handles(node: Node, field: str) -> Iterator[str]:
    """What is in this field of its result; of a loop, in the results of all items."""
    for summary in node.summary if node.spec.loop is not None else [node.summary]:
        if isinstance(summary, dict) and isinstance(summary.get(field), str):
            yield summary[field]


def writable(run: "Run", record: Record, handles: Container[str]) -> Record:
    """The record as JSON can hold it, redacted with all secrets of the job; says so when that is
    not its very summary, or of no use to another process. Blocks.

    handles: what names something that ends with this process.
    """
    shown = run.conceal(record["summary"])
    if shown is not record["summary"]:
        record = {"lost": "a secret was taken out of it", **record}
    try:
        summary = written(shown)
    except InexactError:
        lost = record.get("lost", "it holds what JSON has no words for")
        return {**record, "summary": plain(shown), "lost": lost}
    if handles and _holds(summary, handles):
        record = {"lost": "it holds a handle, which is gone with its process", **record}
    return {**record, "summary": summary}


def _holds(written: Any, handles: Container[str]) -> bool:
    """Whether one of the handles is a value in it."""
    waiting = [written]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value in handles:
            return True
    return False


def restore(run: "Run", node: Node, entry: Entry) -> None:
    """Let the workload be as it was when it ended; its result is read as if it had just run."""
    record = entry.record
    for name in PLAIN_FIELDS:
        setattr(node, name, record[name])
    if node.status != SKIPPED:
        node.reason = RESTORED
    began = run.wall(0)
    node.started = None if record["started"] is None else record["started"] - began
    node.ended = record["ended"] - began
    node.summary = read(record["summary"])
    node.over = node.entered = True
    if node.spec.register is None or node.status != COMPLETED or entry.lost:
        return
    run.state[node.spec.register] = node.summary
    if run.secret_use is not None and record.get("redacted"):
        run.secret_use.redacted[node.spec.register] = record["redacted"]
