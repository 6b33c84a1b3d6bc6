"""The table of codes for readers: what `gxo explain` prints, and `docs/diagnostics.md`."""

import re

from gxo.compiler.codes import Code, Example, ranges

_INTRODUCTION = """\
<!-- Made by tests/tools/generate_docs.py from compiler/gxo/compiler/codes; do not edit. -->

# Diagnostics

Everything that gxo says about a playbook when it validates or compiles it. `gxo explain GXO0301`
prints one of these on a terminal. Errors stop the compilation; warnings do not, unless you give
`--deny-warnings`. `--strict` makes errors of the warnings that say so. What can be accepted is
accepted by a comment in the playbook ([how](#secrets-and-injection)). Codes keep their meaning from
version to version.

`--output json` prints findings as data ([its schema](diagnostics.schema.json)), `--output sarif` as
SARIF 2.1.0 for code scanning, `--output github` as annotations of a pull request.

Examples show the part of a playbook that matters. What they leave out (`name`, `schemaVersion`,
each workload's `lifecycle` and `process`) is as in every playbook. Playbooks, module
files and commands among them are run as tests.
"""


def explain(code: Code) -> str:
    """The page of one code, for a terminal."""
    return (
        f"{code.code} ({_level(code)}): {code.title}\n\n{code.explanation}\n\n"
        f"Fails:\n\n{_indented(code.fails)}\nPasses:\n\n{_indented(code.passes)}"
    )


def document() -> str:
    """The text of `docs/diagnostics.md`: the table's own pages under one heading."""
    contents = "\n".join(f"- [{one.title}](#{_anchor(one.title)})" for one in ranges())
    pages = "\n".join(_page(one.text) for one in ranges())
    return f"{_INTRODUCTION}\n{contents}\n\n{pages}"


def _level(code: Code) -> str:
    strict = ", error with --strict" if code.strict else ""
    return f"{code.level}{strict}" + (", can be accepted" if code.acceptable else "")


def _indented(example: Example) -> str:
    lines = [f"    {line}".rstrip() for line in example.text.splitlines()]
    return "\n".join(lines) + "\n"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _page(text: str) -> str:
    """A page with its headings one level down, and no fence words that are the table's own."""
    lowered = f"#{text}".replace("\n## GXO", "\n### GXO")
    return re.sub(r"^```yaml (whole|test)$", "```yaml", lowered, flags=re.M)
