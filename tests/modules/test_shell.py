"""Which commands run by the shell: the literal text decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.modules.shell import needs_shell

PROGRAMS = ["true", "/usr/bin/env", "./run.sh", "a-b_c.d", "x+y", "a,b", "a@b", "a%b", "c:/x"]
PROGRAMS += ["a{b}", "a!", "a#b", "a~b", "-x=1", "9=x", "", "ünï"]
LINES = ["df -P", "a\tb", "a\nb", " a", "a|b", "a&", "a;b", "a<b", "a>b", "(a)", "$A", "`a`"]
LINES += ["a\\b", '"a"', "'a'", "*.sh", "a?", "[ab]", "~/bin/x", "#x", "A=1", "_a1=b"]


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_program(text: str) -> None:
    assert not needs_shell(text)


@pytest.mark.parametrize("text", LINES)
def test_a_line_for_the_shell(text: str) -> None:
    assert needs_shell(text)


@given(st.text(), st.sampled_from(" |&;<>()$`\\\"'*?["), st.text())
def test_white_space_and_syntax_anywhere(before: str, character: str, after: str) -> None:
    assert needs_shell(before + character + after)


@given(st.from_regex(r"[a-z0-9_./-]+", fullmatch=True))
def test_a_plain_word_never(word: str) -> None:
    assert not needs_shell(word)
