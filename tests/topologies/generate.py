"""Random stream topologies: `generate(Random(7))` is always the same playbook.

Workloads stand in up to three groups one after the other. Within a group streams connect them;
between groups registers and files do. What is wrong in a playbook, and where, is left to chance too.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.topologies.parameters import (
    Luck,
    Workload,
    aggregate_params,
    block,
    call,
    channel,
    condition,
    join_params,
    json_lines,
    make_rows,
    map_params,
    policies,
    sending,
    steps,
    yaml_items,
)
from tests.topologies.records import Record

TEXTS = ["{{ .by }}:{{ .k }}", "{{ .n }}", "{{ . | toJson }}"]
"""Templates for a line of text."""

REDUCES = ("template", "drop")
"""Parameters of `data:map` that leave fields out."""


@dataclass
class Topology:
    """A playbook, and the values of its inputs."""

    document: dict[str, Any]
    inputs: dict[str, Any]

    @property
    def workloads(self) -> list[Workload]:
        workloads: list[Workload] = self.document["workloads"]
        return workloads


def generate(random: Random) -> Topology:
    """A playbook that the language accepts."""
    return _Maker(Luck(random)).topology()


class _Maker:
    """Draws one topology. streams: what can be read in this group; unread: by nobody yet.
    full: those whose records have all fields. has_join: a join of a join would have too many records.
    """

    def __init__(self, luck: Luck) -> None:
        self.luck = luck
        self.workloads: list[Workload] = []
        self.inputs: dict[str, Any] = {"yes": True, "no": False}
        self.earlier: list[dict[str, Any]] = []  # calls that make records of what there is already
        self.numbers: list[str] = []  # and templates that give a number of it
        self.streams: list[str] = []
        self.full: set[str] = set()
        self.unread: list[str] = []
        self.has_join = luck.large

    def topology(self) -> Topology:
        random = self.luck.random
        for _ in range(random.choice([1, 1, 1, 2, 2, 3])):
            self._group()
        document: dict[str, Any] = {
            "inputs": {name: {"type": _type(value)} for name, value in self.inputs.items()},
            "workloads": self.workloads,
        }
        if self.luck.sometimes(0.1):
            document["finally"] = block("z")
        if self.luck.sometimes(0.1):
            document["workload_policy"] = {"skip_on_no_input": True}
        if self.luck.sometimes(0.3):
            document["channel_policy"] = {"buffer_size": random.choice([0, 1, 2, 5, 30, 2000])}
        return Topology(document, self.inputs)

    def _group(self) -> None:
        self.streams, self.unread = [], []
        first = len(self.workloads)
        if self.numbers and self.luck.sometimes(0.5):
            self._value()
        self._source()
        for _ in range(self.luck.random.randint(1, 5)):
            kind = self.luck.random.choices(
                [self._source, self._record_module, self._rare, self._sink], [2, 7, 2, 4]
            )[0]
            kind()
        while self.unread and self.luck.sometimes(0.93):
            self._sink()
        for sink in self.workloads[first:]:
            self._offer(sink)

    def _offer(self, sink: Workload) -> None:
        """Let later groups read what the sink leaves in the state."""
        register, module = sink.get("register"), sink["process"]["module"]
        if register is None:
            return
        if module in ("data:collect", "flow:take"):
            template = self._list_of(f".{register}.records")
            self.earlier.append(call("data:generate_from_list", items=template))
            self.numbers.append(f"{{{{ len .{register}.records }}}}")
        elif sink["process"]["params"] == {"format": "jsonl"}:
            template = f"{{{{ .{register}.formatted_content }}}}"
            self.earlier.append(call("data:parse", content=template, format="jsonl"))
        elif "path" in sink["process"]["params"]:
            template = f"{{{{ .{register}.path }}}}"
            self.earlier.append(call("data:parse", path=template, format="jsonl"))

    def _value(self) -> None:
        """A workload without streams that waits for what others leave."""
        name = f"v{len(self.workloads)}"
        value = self.luck.random.choice(self.numbers)
        made = self._workload(name, "") | {"register": f"x{len(self.workloads)}"}
        made["process"] = call("control:identity", number=value)
        if self.luck.sometimes(0.2):
            made["when"] = f"{value} > 2"
        self.workloads.append(made)

    # Sources

    def _source(self) -> None:
        name = f"s{len(self.workloads)}"
        made = self._workload(name, "")
        rows = make_rows(self.luck, name)
        kind = self.luck.random.choice(
            ["list", "list", "list", "text", "csv", "own", "own", "loop", "yaml", "yaml"]
        )
        if self.earlier and self.luck.sometimes(0.5):
            made["process"] = self.luck.random.choice(self.earlier)
        elif kind == "list":
            made["process"] = call("data:generate_from_list", items=self._list(name, rows))
        elif kind == "text":
            made["process"] = call(
                "data:parse", format="jsonl", content=self._input(name, json_lines(self.luck, rows))
            )
        elif kind == "yaml" and rows:
            content = self._input(name, yaml_items(self.luck, rows[:6]))  # it is slow to read
            made["process"] = call("data:parse", format="yaml", content=content)
        elif kind == "csv":
            lines = [f"{row['by']},{row.get('n')},{row['k']}" for row in rows]
            content = self._input(name, "\n".join(["by,n,k", *lines, ""]))
            made["process"] = call("data:parse", format="csv", content=content)
        elif kind == "own":
            made["process"] = call(
                "flow:source", items=self._input(name, rows), **sending(self.luck, rows)
            )
            if "fails_first" in made["process"]["params"]:
                made["retry"] = {"attempts": 3, "delay": "1s"}
        else:
            half = len(rows) // 2
            made["loop"] = self._input(name, [rows[:half], rows[half:]])
            if self.luck.sometimes(0.5):
                made["loop_control"] = {"parallel": 2}
            made["process"] = call("data:generate_from_list", items="{{ .item }}")
        is_text = made["process"]["params"].get("format") == "csv"
        self._produces(made, full=not is_text)
        if is_text:
            self._numbers(name)

    def _numbers(self, source: str) -> None:
        """Make numbers of a CSV's texts."""
        made = self._workload(f"t{len(self.workloads)}", "") | {"stream_inputs": [source]}
        fields = {"by": "{{ .by }}", "n": "{{ int .n }}", "k": "{{ int .k }}"}
        made["process"] = call("data:map", fields=fields, keep=self.luck.sometimes(0.7))
        if self.luck.sometimes(0.9):
            self.streams.remove(source)
        self.unread.remove(source)
        self._produces(made, full=False)

    def _list(self, name: str, rows: list[Record]) -> Any:
        """The rows as an input; or in the playbook, so that the compiler knows their shape."""
        # Else the compiler would see that no template can read them.
        has_numbers = any(type(row.get("n")) is int for row in rows)
        if not has_numbers or len(rows) > 20 or self.luck.sometimes(0.8):
            return self._list_of(self._input(name, rows)[3:-3])
        return [{"more": []} | row for row in rows]

    def _list_of(self, path: str) -> str:
        """The list; or the list twice, whose records are the same objects."""
        is_twice = not self.luck.large and self.luck.sometimes(0.15)
        return f"{{{{ concat {path} {path} }}}}" if is_twice else f"{{{{ {path} }}}}"

    # What reads and writes

    def _record_module(self) -> None:
        name = f"t{len(self.workloads)}"
        made = self._reader(name)
        if made is None:
            return
        full = self.full.issuperset(made["stream_inputs"])
        kind = self.luck.random.choice(
            ["map"] * 6 + ["filter"] * 4 + ["flatten", "pass", "pass", "steps"]
        )
        kind = "map" if kind == "flatten" and not full else kind
        if self.luck.sometimes(self.luck.early):
            kind = self.luck.random.choice(["limit", "limit", "stop"])
        if kind == "map":
            made["process"] = call("data:map", **map_params(self.luck, full))
        elif kind == "filter":
            made["process"] = call("data:filter", condition=condition(self.luck))
        elif kind == "steps":
            made["process"] = call("stream:pipeline", steps=steps(self.luck, full))
        elif kind == "flatten":
            made["process"] = call("data:flatten", field="tags")
        elif kind == "pass":
            made["process"] = {"module": "passthrough"}
        elif kind == "limit":
            made["process"] = call("data:limit", count=self.luck.random.choice([0, 1, 2, 3, 8, 50]))
        else:
            made["process"] = call("flow:stop", after=self.luck.random.choice([1, 2, 3, 8]))
        self._errors(made)
        self._produces(made, full=made["process"].get("params", {}).keys().isdisjoint(REDUCES))

    def _rare(self) -> None:
        """Aggregates, joins, and modules that no compiler knows."""
        name = f"r{len(self.workloads)}"
        kind = self.luck.random.choice(
            ["aggregate", "aggregate", "join", "turns", "slow", "change"]
        )
        if self.luck.sometimes(self.luck.trouble):
            kind = "fail"
        turns = kind in ("join", "turns")
        is_second_join = kind == "join" and self.has_join
        if turns and (is_second_join or len(self._plain()) < 2):
            kind, turns = "aggregate", False
        made = self._reader(name, exactly=2 if turns else None)
        if made is None:
            return
        self.has_join |= kind == "join"
        if kind == "aggregate":
            made["process"] = call("data:aggregate", **aggregate_params(self.luck))
        elif kind == "join":
            made["process"] = call("data:join", **join_params(self.luck, made["stream_inputs"]))
        elif kind == "turns":
            made["process"] = {"module": "flow:by_turns"}
        elif kind == "slow":
            made["process"] = call("flow:slow", every=self.luck.random.choice(["1ms", "1s"]))
        elif kind == "change":
            made["process"] = {"module": "flow:change"}
        else:
            made["process"] = call("flow:fail", after=self.luck.random.choice([0, 1, 3, 8, 50]))
        if kind in ("aggregate", "join"):
            self._errors(made)
        self._produces(made, full=kind not in ("aggregate", "join"))

    def _sink(self) -> None:
        name = f"c{len(self.workloads)}"
        made = self._reader(name)
        if made is None:
            return
        register = f"x{len(self.workloads)}"
        kind = self.luck.random.choice(
            ["collect"] * 4 + ["take", "take", "json", "file", "text", "barrier"]
        )
        if kind == "text" and not self.full.issuperset(made["stream_inputs"]):
            kind = "json"
        if kind == "collect":
            made["process"] = {"module": "data:collect"}
        elif kind == "take":
            made["process"] = {"module": "flow:take"}
        elif kind == "json":
            made["process"] = call(
                "data:format", format=self.luck.random.choice(["json", "jsonl", "csv"])
            )
        elif kind == "file":
            made["process"] = call("data:format", format="jsonl", path=f"out/{name}.jsonl")
        elif kind == "text":
            options = {"template": self.luck.random.choice(TEXTS)}
            made["process"] = call("data:format", format="text", format_options=options)
        else:
            made["process"] = {"module": "control:barrier"}
        if kind != "barrier":
            made["register"] = register
        if kind in ("json", "text"):
            self._errors(made)
        policies(self.luck, made)
        self.workloads.append(made)

    # What all have

    def _workload(self, name: str, module: str) -> Workload:
        return {"name": name, "lifecycle": {"policy": "run_once"}, "process": {"module": module}}

    def _input(self, name: str, value: Any) -> str:
        self.inputs[f"{name}_in"] = value
        return f"{{{{ .{name}_in }}}}"

    def _plain(self) -> list[str]:
        return [name for name in self.streams if not name.endswith(".errors")]

    def _reader(self, name: str, exactly: int | None = None) -> Workload | None:
        """A workload that reads one stream or more; mostly the newest, and mostly unread ones."""
        is_sink = name.startswith("c")
        choices = self.streams if is_sink else self._plain()
        if not choices:
            return None
        count = exactly or self.luck.random.choice([1] * 8 + [2, 2, 3])
        wanted: list[str] = []
        for _ in range(min(count, len(choices))):
            left = [one for one in choices if one not in wanted]
            fresh = [one for one in self.unread if one in left]
            newest = [fresh[-1]] if fresh and self.luck.sometimes(0.7) else left
            wanted.append(self.luck.random.choice(newest))
        self.unread = [one for one in self.unread if one not in wanted]
        return self._workload(name, "") | {"stream_inputs": wanted}

    def _errors(self, made: Workload) -> None:
        """What happens to its bad records."""
        chance = 0.25 if self.luck.trouble else 0.08
        if self.luck.sometimes(chance):
            made["on_record_error"] = "skip"
        elif self.luck.sometimes(chance):
            self.streams.append(f"{made['name']}.errors")
            self.unread.append(f"{made['name']}.errors")

    def _produces(self, made: Workload, *, full: bool) -> None:
        if self.luck.sometimes(max(0.25, self.luck.lossy)):
            made["channel_policy"] = channel(self.luck)
        policies(self.luck, made)
        self.workloads.append(made)
        self.streams.append(made["name"])
        self.unread.append(made["name"])
        if full and self.full.issuperset(made.get("stream_inputs", [])):
            self.full.add(made["name"])


def _type(value: Any) -> str:
    return {bool: "bool", list: "list", str: "string"}[type(value)]
