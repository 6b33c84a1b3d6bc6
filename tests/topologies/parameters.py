"""Random records, and random parameters for the modules that make and take them."""

import json
from random import Random
from typing import Any

import yaml

from tests.topologies.records import CONDITIONS, TEMPLATES, VALUES, WHOLE, Record

TWICE = ["p", "q"]
"""Two fields with one value."""

REPEATS = [text for text in VALUES if "* 2 " in text or ", " in text]
"""Values of which parts are often computed for others, too."""

SECRETS = {'{{ secret "WORD" }} == "known"': True, '{{ secret "WORD" }} == "guessed"': False}
"""Conditions that take time, and whether they hold."""

Params = dict[str, Any]
Workload = dict[str, Any]


class Luck:
    """What is drawn from. trouble: how likely each thing that can go wrong is. ignoring: how likely
    a failure is ignored. early: how likely a workload ends early. lossy: how likely a stream may
    overflow. large: some sources have more records than a batch, and there is no join of theirs, which
    would have too many.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.trouble = random.choice([0.0, 0.0, 0.0, 0.06, 0.06, 0.15])
        self.ignoring = random.choice([0.1, 0.95]) if self.trouble else 0.05
        self.large = random.random() < 0.08
        self.early = random.choice([0.0, 0.0, 0.1, 0.2])
        self.lossy = random.choice([0.05] * 9 + [0.9])

    def sometimes(self, chance: float) -> bool:
        return self.random.random() < chance


def call(module: str, **params: Any) -> Params:
    """A workload's `process`."""
    return {"module": module, "params": params}


def sending(luck: Luck, rows: list[Record]) -> Params:
    """How `flow:source` sends them."""
    sizes = [luck.random.choice([1, 2, 3, 7, 600]) for _ in range(luck.random.randint(1, 3))]
    params: Params = {"sizes": sizes}
    if len(rows) < 30 and luck.sometimes(0.3):
        params["every"] = luck.random.choice(["1s", "7s"])
    if luck.sometimes(luck.trouble):
        params["fails_after"] = luck.random.randint(0, len(rows))
    if luck.sometimes(0.1):
        params["fails_first"] = luck.random.choice([1, 2, 3])
    return params


def make_rows(luck: Luck, name: str) -> list[Record]:
    """The records of a source, some of them bad when there is to be trouble."""
    count = luck.random.choice([0, 1, 2, 3, 5, 8, 13, 13, 21, 21, 40])
    if luck.large and luck.sometimes(0.5):
        count = luck.random.choice([499, 500, 501, 1300])
    rows = []
    for place in range(count):
        row = {"by": name, "n": place, "k": luck.random.randrange(4), "tags": [place] * (place % 3)}
        if luck.sometimes(0.2):
            row["more"] = [place]
        if luck.sometimes(luck.trouble / 2):
            spoil(luck, row)
        rows.append(row)
    return rows


def yaml_items(luck: Luck, rows: list[Record]) -> str:
    """The records as a YAML list, with maps in them; what is one object is an alias there."""
    aliased: list[Record] = []
    for row in rows:
        shared = aliased[-1].get("m") if aliased and luck.sometimes(0.5) else None
        row["m"] = shared or {"a": row["k"]}
        if luck.sometimes(0.5):
            row["o"] = row["m"]
        aliased.append(luck.random.choice(aliased) if aliased and luck.sometimes(0.5) else row)
    return yaml.dump(aliased, Dumper=yaml.CSafeDumper, sort_keys=False)


def spoil(luck: Luck, row: Record) -> None:
    """Make a bad record of it."""
    what = luck.random.randrange(5)
    if what == 0:
        del row["n"]
    elif what == 1:
        row["tags"] = 5
    else:
        row["n"] = [None, "x", [1], True][luck.random.randrange(4)]


def json_lines(luck: Luck, rows: list[Record]) -> str:
    """The records as a text for `data:parse`."""
    lines = [json.dumps(row) for row in rows]
    if luck.sometimes(luck.trouble):
        lines.insert(luck.random.randint(0, len(lines)), "no JSON")
    return "".join(f"{line}\n" for line in lines)


def map_params(luck: Luck, full: bool) -> Params:
    """full: the records have all fields."""
    kind = luck.random.randrange(4) if full else 3
    choose = luck.random.choice
    if kind == 0:
        return {"template": choose(list(TEMPLATES))}
    if kind == 1:
        return {"drop": ["more"]} | ({"fields": {"was": choose(WHOLE)}} if choose([0, 1]) else {})
    wanted = choose(
        [
            ["n"],
            ["k"],
            ["via"],
            *[["n", "via"], ["via", "k", "n"], TWICE] * 2,
            ["was"],
            ["n", "was"],
        ]
    )
    choices = {
        "n": ["{{ .n * 2 }}", "{{ .n + 1 }}", "{{ .n | default 7 }}"],
        "k": ["{{ .k }}", "{{ add .k 1 }}"],
        "via": ["via", "{{ upper .by }}", "{{ len . }}", *REPEATS],
        "was": WHOLE,
        "p": [choose(["{{ list .k }}", "{{ list .k }}", "{{ .tags }}" if full else "{{ . }}"])],
    }
    fields = {one: choose(choices["p" if one == "q" else one]) for one in wanted}
    assert all(text in VALUES for text in fields.values())
    return {"fields": fields, "keep": True}


def steps(luck: Luck, full: bool) -> list[Params]:
    """Steps of a pipeline in a row; those behind see no field that the event has and they have not.
    full: the events have all fields."""
    made: list[Params] = []
    for _ in range(luck.random.randint(1, 3)):
        made.append({"uses": "data:map", "with": map_params(luck, False)})
        if luck.sometimes(0.4):
            templates = [one for one in CONDITIONS if isinstance(one, str)]
            made[-1] = {
                "uses": "data:filter",
                "with": {"condition": luck.random.choice(templates)},
            }
    # Behind a flatten, a record that is bad would be so several times.
    if full and luck.sometimes(0.4):
        made.append({"uses": "data:flatten", "with": {"field": "tags"}})
    if luck.sometimes(0.3):
        count = luck.random.choice([0, 1, 3, 8, 50])
        made.append({"uses": "data:limit", "with": {"count": count}})
    for place, step in enumerate(made):
        step["id"] = f"i{place}"
        if place:
            step["needs"] = [f"i{place - 1}"]
    return made


def condition(luck: Luck) -> Any:
    """One for `data:filter`, seldom a constant."""
    templates = [one for one in CONDITIONS if isinstance(one, str)]
    return luck.random.choice([True, False] if luck.sometimes(0.05) else templates)


def aggregate_params(luck: Luck) -> Params:
    """One that leaves `by`, `k` and `n` in the records."""
    groups = luck.random.choice([["by"], ["k"], ["by", "k"], []])
    ops = ["sum", "count", "min", "max", "avg", "first", "last", "distinct"]
    fields = [{"name": "n", "op": luck.random.choice(ops), "source_field": "n"}]
    fields += [
        {"name": name, "op": "max", "source_field": name}
        for name in ("k", "by")
        if name not in groups
    ]
    params: Params = {"aggregate_fields": fields}
    if groups:
        params["group_by_fields"] = groups
    return params


def join_params(luck: Luck, streams: list[str]) -> Params:
    """The first stream flows past the second one."""
    return {
        "join_type": luck.random.choice(["inner", "left", "right", "outer"]),
        "on": [
            {"stream": stream, "role": role, "field": luck.random.choice(["k", "n"])}
            for stream, role in zip(streams, ("probe", "build"), strict=True)
        ],
    }


def block(prefix: str) -> list[Workload]:
    """A short stream that tells how things stand."""
    rows = [{"by": prefix, "n": place, "k": 1, "tags": []} for place in range(3)]
    return [
        {"name": f"{prefix}1", "process": call("data:generate_from_list", items=rows)},
        {
            "name": f"{prefix}2",
            "stream_inputs": [f"{prefix}1"],
            "process": call("data:map", fields={"n": "{{ .n + 1 }}"}),
        },
        {
            "name": f"{prefix}3",
            "stream_inputs": [f"{prefix}2"],
            "process": {"module": "data:collect"},
            "register": f"y{prefix}",
        },
    ]


def channel(luck: Luck) -> Params:
    """A `channel_policy`."""
    if luck.sometimes(luck.lossy):
        strategy = luck.random.choice(["drop_new", "drop_oldest", "error"])
        return {"buffer_size": luck.random.choice([0, 3, 5000]), "overflow_strategy": strategy}
    return {"buffer_size": luck.random.choice([0, 1, 2, 5, 30, 500, 2000])}


def policies(luck: Luck, made: Workload) -> None:
    """Give the workload what any of them can have."""
    if luck.sometimes(max(0.06, luck.lossy / 3)):
        choices = ["{{ .yes }}", "{{ .yes }}", "{{ .no }}", False]
        made["when"] = luck.random.choice([*choices, *SECRETS] if luck.lossy > 0.5 else choices)
    if luck.sometimes(0.15):
        made["workload_policy"] = {"skip_on_no_input": luck.sometimes(0.8)}
    if luck.sometimes(luck.ignoring):
        made["ignore_errors"] = luck.sometimes(0.95)
    if luck.sometimes(0.05 + luck.trouble / 3):
        made["timeout"] = "3500ms" if luck.sometimes(luck.trouble) else "1h"
    if luck.sometimes(luck.trouble / 3):
        made["on_failure"] = block(f"{made['name']}f")
