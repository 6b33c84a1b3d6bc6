"""One slip of the pen in a clean playbook is one finding, on its line, that gives the word back."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostic
from gxo.compiler.driver import Compilation
from tests.diagnostics.slips import Slip, misspelt, slips

ROOT = Path(__file__).parents[2]
PLAYBOOKS = [
    path
    for pattern in ("docs/examples/*/*.gxo.yaml", "golden/*/playbook.gxo.yaml")
    for path in sorted(ROOT.glob(pattern))
    if path.parent.name != "findings"
    and path.name.partition(".")[0] in (path.parent.name, "playbook")
]
"""With one test of each example, which is called as it is."""
SLIPS = [(path, slip) for path in PLAYBOOKS for slip in slips(path)]
_DEFINED = re.compile(r"(?:register|loop_var|index_var|- name): ([\w-]{4,})")
NEARER = {
    *(("site-deploy", "host"), ("site-deploy", "styles"), ("names", "class_")),
    ("fleet-check", "host"),
}
"""Where another name of the playbook is as near as the misspelt one."""


def found(path: Path, text: str) -> list[Diagnostic]:
    """What is said about the text besides what is said about the clean playbook."""
    compilation = Compilation(str(path))
    if compilation.read(text.encode()):
        compilation.analyse()
    known = said(path)
    return [one for one in compilation.diagnostics.sorted() if one.message not in known]


@cache
def said(path: Path) -> frozenset[str]:
    compilation = Compilation(str(path))
    compilation.read(path.read_bytes())
    compilation.analyse()
    assert not compilation.diagnostics.has_errors
    return frozenset(one.message for one in compilation.diagnostics.items)


def problems(path: Path, slip: Slip) -> Iterator[str]:
    findings = found(path, slip.text)
    told = [f"{one.span.line}: {one.code} {one.message} ({one.hint})" for one in findings]
    if len(findings) != 1:
        yield f"{len(findings)} findings: {told}"
        return
    if findings[0].level != "error" or findings[0].span.line != slip.line:
        yield f"not an error on the line: {told}"
    if f'"{slip.word}"' not in (findings[0].hint or "") and slip.kind != "result":
        yield f"the word is not given back: {told}"


@pytest.mark.parametrize(
    ("path", "slip"),
    SLIPS,
    ids=[f"{path.parent.name}:{slip.line}: {slip.kind} {slip.word}" for path, slip in SLIPS],
)
def test_a_misspelt_word(path: Path, slip: Slip) -> None:
    assert list(problems(path, slip)) == []


def test_every_kind_of_word_is_misspelt_somewhere_and_many_everywhere() -> None:
    assert min(Counter(path for path, _ in SLIPS if ".test." not in path.name).values()) > 30
    assert {slip.kind for _, slip in SLIPS} == {
        *("key", "choice", "module", "parameter", "key of a parameter", "choice of a parameter"),
        *("needs", "stream_inputs", "register", "field", "input or var", "workload", "result"),
        "function",
    }


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_a_misspelt_definition_is_one_finding_at_its_first_reader(path: Path) -> None:
    """Which of the two is wrong nobody can know, but it is one mistake, however many read it."""
    text = path.read_text()
    for match in _DEFINED.finditer(text):
        word = misspelt(match[1])
        findings = found(path, text[: match.start(1)] + word + text[match.end(1) :])
        if match[0] == "- name: unread":
            continue  # a warning names it
        assert len(findings) <= 1, (match[0], findings)
        for one in findings:
            assert one.level == "error"
            near = (path.parent.name, match[1]) in NEARER
            assert near or f'"{word}"' in (one.hint or ""), (match[0], one)
