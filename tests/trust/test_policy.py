"""What a policy allows, and what it cannot be."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.effects import Capability, EffectKind
from gxo.compiler.frontend.yaml import load
from gxo.compiler.trust.globs import text_matches
from gxo.compiler.trust.policy import Policy, read_policy

CASES = yaml.safe_load(Path(__file__).with_name("policies.yaml").read_text(encoding="utf-8"))
EFFECT = re.compile(r"(?P<kind>\w+) (?P<dynamic>dynamic: )?(?P<what>.*?)(?: \((?P<detail>.*)\))?")


def policy(text: str) -> tuple[Policy | None, list[str]]:
    """The policy, and what is said of it."""
    diagnostics = Diagnostics()
    tree = load(text.encode(), "policy.yaml", diagnostics)
    found = read_policy(tree, "policy.yaml", diagnostics) if tree else None
    said = [f"{one.span.line}: {one.code} {one.message} ({one.hint})" for one in diagnostics.items]
    return found, said


def capability(text: str) -> Capability:
    found = EFFECT.fullmatch(text)
    assert found is not None
    kind = cast("EffectKind", found["kind"])
    return Capability(kind, found["what"], bool(found["dynamic"]), found["detail"] or "", "")


ALL = [
    (case["policy"], text, is_allowed)
    for case in CASES
    for key, is_allowed in (("allowed", True), ("denied", False))
    for text in case.get(key, ())
]


@pytest.mark.parametrize(("written", "text", "is_allowed"), ALL)
def test_policy(written: dict[str, Any], text: str, is_allowed: bool) -> None:
    found, said = policy(yaml.safe_dump(written))
    assert found is not None, said
    assert (found.objection(capability(text)) is None) == is_allowed


WRONG = {
    "- a": "1: GXO0582 a policy is a map of kinds of effects (None)",
    "host: [a]": '1: GXO0582 "host" is no kind of effect (did you mean "hosts"?)',
    "hosts: a": "1: GXO0582 this must be a list of patterns (write [a, b], or [] for none)",
    "hosts: {alow: [a]}": '1: GXO0582 "alow" is no key of a rule (did you mean "allow"?)',
    "hosts: [[a]]": "1: GXO0582 a pattern is a text (None)",
    "hosts: {dynamic: yes}": "1: GXO0582 this must be `allow` or `deny` (None)",
    "others: [a]": "1: GXO0582 this must be `allow` or `deny` (None)",
    "hosts: [a]\nhosts: [b]": '2: GXO0111 the key "hosts" stands twice in this map (None)',
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_policy(text: str) -> None:
    found, said = policy(text)
    assert found is None
    assert WRONG[text] in said


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_star_is_any_text(pattern: str, text: str) -> None:
    assert text_matches(pattern, text) == fnmatchcase(text, pattern)


def test_nothing_but_the_star_is_special() -> None:
    assert not text_matches("[a]?", "ab")
    assert text_matches("[a]?.", "[a]?.")


def test_a_long_text_takes_no_time() -> None:
    assert not text_matches("*a" * 100 + "b", "a" * 1_000_000)
