"""The table of diagnostic codes: every finding of the compiler, explained and shown.

    01-file-and-yaml.md:   ## GXO0101 error: the file is empty
                           <what it means, why gxo refuses it, what to do>
                           Fails: <example>  Passes: <example>
    table()["GXO0101"]     Code("GXO0101", level="error", title="the file is empty", ...)

The first two digits are the stage, a file each. A code keeps its meaning for good. The files are
read when somebody asks, never to compile a playbook.

An example is told by the word behind its fence:

yaml        a part of a playbook: `complete` adds what every playbook has (`yaml whole` has it all)
yaml test   a whole test playbook
python      a file that declares modules
console     commands that end with one of gxo's
text        a description, where showing it needs more than a small file
"""

import re
from dataclasses import dataclass
from functools import cache

from gxo.compiler.diagnostics import Level

_HEADING = re.compile(
    r"^## (GXO\d{4}) (error|warning)(, error with --strict)?(, can be accepted)?: (.+)$", re.M
)
_EXAMPLE = re.compile(r"^(Fails|Passes):\n\n```(.+)\n((?:.*\n)*?)```$", re.M)
_MAIN = "process: {module: exec, params: {command: uname}}"


@dataclass(frozen=True, slots=True)
class Example:
    """A text of the kind `yaml`, `yaml whole`, `yaml test`, `python`, `console` or `text`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `strict`: with --strict, this warning is an error. `acceptable`: a
    comment in the playbook can accept it."""

    code: str
    level: Level
    strict: bool
    acceptable: bool
    title: str
    explanation: str
    fails: Example
    passes: Example


@dataclass(frozen=True, slots=True)
class Range:
    """The codes of one stage, and the Markdown that they were read from."""

    title: str
    text: str
    codes: tuple[Code, ...]


@cache
def ranges() -> tuple[Range, ...]:
    """The table by stage. Raises ValueError when an entry is not of the form above."""
    from importlib.resources import files  # compiling a playbook must not wait for it

    pages = sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith(".md")),
        key=lambda file: file.name,
    )
    return tuple(_read_range(page.read_text(encoding="utf-8")) for page in pages)


@cache
def table() -> dict[str, Code]:
    """Every code, sorted."""
    return {code.code: code for one in ranges() for code in one.codes}


def strict_codes() -> frozenset[str]:
    """The codes of the warnings that `--strict` makes errors."""
    return frozenset(code.code for code in table().values() if code.strict)


def complete(example: Example) -> str:
    """The whole playbook of a `yaml` example, with whatever its part leaves out.

    before:  "- name: build"
    after:   "name: example\\n...workloads:\\n  - name: build\\n    lifecycle: ..."
    """
    text = example.text
    if example.kind in ("yaml whole", "yaml test"):
        return text
    if text.startswith("- "):
        text = "workloads:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    if not re.search(r"^workloads:$", text, re.M):
        text += "workloads:\n  - name: main\n"
    before, _, rest = text.partition("workloads:\n")
    end = re.search(r"^\S", rest, re.M)
    listed, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    workloads = re.split(r"^(?=  - )", listed, flags=re.M)
    listed = "".join(_complete_workload(one) for one in workloads if one)
    return f"{_HEAD}{before}workloads:\n{listed}{after}"


_HEAD = "name: example\nschemaVersion: v1.0.0\n"


def _complete_workload(text: str) -> str:
    name, _, rest = text.partition("\n")
    lines = [name]
    if "\n    lifecycle:" not in text:
        lines.append("    lifecycle: {policy: run_once}")
    if "\n    process:" not in text:
        lines.append(f"    {_MAIN}")
    return "\n".join(lines) + f"\n{rest}"


def _read_range(text: str) -> Range:
    title, _, _ = text.partition("\n")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    codes = [
        _read_code(heading, text[heading.end() : end])
        for heading, end in zip(headings, ends, strict=True)
    ]
    return Range(title.removeprefix("# "), text, tuple(codes))


def _read_code(heading: re.Match[str], body: str) -> Code:
    code, level, strict, acceptable, title = heading.groups()
    examples = {word: Example(kind, text) for word, kind, text in _EXAMPLE.findall(body)}
    explanation = body.partition("\nFails:")[0].strip()
    if set(examples) != {"Fails", "Passes"} or not explanation:
        raise ValueError(
            f"{code} has no explanation, or not one example that fails and one that passes"
        )
    return Code(
        code,
        "error" if level == "error" else "warning",
        strict is not None,
        acceptable is not None,
        title,
        explanation,
        examples["Fails"],
        examples["Passes"],
    )
