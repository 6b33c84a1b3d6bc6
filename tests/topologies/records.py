"""What the records of random topologies look like, and what gxo's templates make of them, in Python.

A record is `{by: its source, n: a number, k: 0 to 3, tags: a list, more: a list}`; in a bad one `n` is
something else, or `tags` is no list. Some have maps as well, `m` and `o`, which may be one object; and
what stands twice in a value is one object in the model if it is one at -O0.
"""

import operator
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]


class Bad(Exception):
    """The record cannot be processed."""


def number(record: Record) -> int | float:
    value = record.get("n")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Bad
    return value


def key(record: Record) -> int | None:
    value: int | None = field("k")(record)
    if isinstance(value, str):
        raise Bad
    return value


def field(name: str) -> Callable[[Record], Any]:
    def value(record: Record) -> Any:
        if name not in record:
            raise Bad
        return record[name]

    return value


def text(record: Record) -> str:
    value = field("by")(record)
    if not isinstance(value, str):
        raise Bad
    return value


def shown(value: int | float) -> str:
    """A number as Go prints it."""
    return str(int(value) if value == int(value) else value)


def more(record: Record) -> int:
    return int(field("k")(record) or 0) + 1


VALUES: dict[str, Callable[[Record], Any]] = {
    "{{ .n * 2 }}": lambda record: number(record) * 2,
    "{{ .n + 1 }}": lambda record: number(record) + 1,
    "{{ .n | default 7 }}": lambda record: record.get("n") or 7,
    "{{ .by }}": field("by"),
    "{{ int .n }}": lambda record: int(record["n"]) if record["n"].isdigit() else 0,
    "{{ int .k }}": lambda record: int(record["k"]),
    "{{ .k }}": field("k"),
    "{{ add .k 1 }}": more,
    "{{ upper .by }}": lambda record: text(record).upper(),
    "{{ upper .by }}, {{ upper .by }}": lambda record: ", ".join([text(record).upper()] * 2),
    "{{ .n * 2 > 8 }}": lambda record: number(record) * 2 > 8,
    "{{ .n * 2 + 1 }}": lambda record: number(record) * 2 + 1,
    "{{ .n * 2 }} of {{ add .k 1 }}": lambda record: (
        f"{shown(number(record) * 2)} of {more(record)}"
    ),
    "{{ if .k }}{{ .n * 2 }}{{ end }}": lambda record: (
        shown(number(record) * 2) if record.get("k") else ""
    ),
    "via": lambda record: "via",
    "{{ .tags }}": field("tags"),
    "{{ list .k }}": lambda record: [field("k")(record)],
    "{{ . }}": lambda record: record,
    "{{ list $ }}": lambda record: [record],
    '{{ dict "all" . }}': lambda record: {"all": record},
    "{{ len . }}": len,
}
"""Templates for a field of `data:map`."""

WHOLE = ["{{ . }}", "{{ list $ }}", '{{ dict "all" . }}']
"""Those whose value holds the record itself."""

TEMPLATES = {
    f'{{"by": "{{{{ .by }}}}", "n": {{{{ .n }}}}, "k": {{{{ .k }}}}, "tags": {{{{ .tags }}}}{more}}}': fields
    for more, fields in {
        "": ("by", "n", "k", "tags"),
        ', "was": {{ . }}': ("by", "n", "k", "tags", "was"),
    }.items()
}
"""Those for a whole record, and the fields that they give it."""

CONDITIONS: dict[Any, Callable[[Record], bool]] = {
    "{{ .n > 3 }}": lambda record: number(record) > 3,
    "{{ .n }} <= 6": lambda record: number(record) <= 6,
    "{{ .n % 2 }} == 0": lambda record: number(record) % 2 == 0,
    "{{ .n * 2 > 8 }} && {{ .n * 2 < 30 }}": lambda record: 8 < number(record) * 2 < 30,
    "{{ .k }} == 1 || {{ .n * 2 }} > 8": lambda record: key(record) == 1 or number(record) * 2 > 8,
    "{{ add .k 1 }} > 1": lambda record: more(record) > 1,
    "{{ .k }} == 1": lambda record: key(record) == 1,
    "{{ .k != 2 }}": lambda record: key(record) != 2,
    '{{ .by }} == "s0"': lambda record: operator.eq(field("by")(record), "s0"),
    "{{ len . }} > 4": lambda record: len(record) > 4,
    '{{ hasKey . "more" }}': lambda record: "more" in record,
    True: lambda record: True,
    False: lambda record: False,
}
"""Conditions of `data:filter`."""
