"""A policy: what jobs may touch, in a file that a reviewer owns.

    hosts: {allow: ["*.example.com"], deny: [old.example.com]}
    commands: {allow: [df, "git fetch *"], dynamic: deny}
    secrets: [API_TOKEN]
    others: deny

A kind that is not named is denied, unless `others` says otherwise. What only the run knows is
denied where `dynamic` does not allow it: no pattern covers it, not even `*`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gxo.compiler.diagnostics import Diagnostics, Span, did_you_mean
from gxo.compiler.effects import KINDS, Capability, EffectKind
from gxo.compiler.frontend.yaml import Mapping as Map
from gxo.compiler.frontend.yaml import Node, Scalar, Sequence
from gxo.compiler.trust.globs import matches

WRONG = "GXO0582"
OTHERS = "others"
_KEYS = ("allow", "deny", "dynamic")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said of a kind. allow: None allows all that is not denied. dynamic: whether all that
    only the run knows is allowed; or the expressions that are."""

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    dynamic: bool | tuple[str, ...] = False


@dataclass(frozen=True, slots=True)
class Policy:
    """others: whether what no rule is about is allowed."""

    file: str
    rules: Mapping[EffectKind, Rule] = field(default_factory=dict)
    others: bool = False

    def objection(self, one: Capability) -> tuple[str, str] | None:
        """Why it is not allowed, and what to do; None when it is."""
        rule = self.rules.get(one.kind)
        if rule is None:
            if self.others:
                return None
            hint = f"add `{one.kind}:` to the policy, or `others: allow`"
            return f"the policy says nothing of {one.kind}", hint
        return _objection(rule, one)


def _objection(rule: Rule, one: Capability) -> tuple[str, str] | None:
    if one.dynamic:
        if rule.dynamic is True or (rule.dynamic is not False and one.what in rule.dynamic):
            return None
        return (
            "only the run knows what it is",
            f"write it out in the playbook; or allow it: `{one.kind}: {{dynamic: allow}}`, or "
            "the expression itself in the list `dynamic`",
        )
    for pattern in rule.deny:
        if matches(pattern, one):
            return f"the policy denies {pattern!r}", "leave it out, or change the policy"
    if rule.allow is None or any(matches(pattern, one) for pattern in rule.allow):
        return None
    return "the policy does not allow it", f"add it to `{one.kind}: {{allow: [...]}}`, or leave it"


def read_policy(tree: Node, file: str, diagnostics: Diagnostics) -> Policy | None:
    """The policy of a YAML tree; None, with what is wrong told, when it is none."""
    reader = _Reader(diagnostics)
    if not isinstance(tree, Map):
        reader.wrong(tree.span, "a policy is a map of kinds of effects")
        return None
    rules: dict[EffectKind, Rule] = {}
    others = False
    for name, key, value in _entries(tree):
        kind = next((one for one in KINDS if one == name), None)
        if kind is not None:
            rules[kind] = reader.rule(value)
        elif name == OTHERS:
            others = reader.is_allowed(value)
        else:
            known = did_you_mean(name, (*KINDS, OTHERS))
            hint = known or f"the kinds are {', '.join(KINDS)}"
            reader.wrong(key.span, f'"{name}" is no kind of effect', hint)
    return None if diagnostics.has_errors else Policy(file, rules, others)


def _entries(tree: Map) -> Iterator[tuple[str, Scalar, Node]]:
    for entry in tree.entries:
        yield entry.key.text.value, entry.key, entry.value


@dataclass(frozen=True, slots=True)
class _Reader:
    diagnostics: Diagnostics

    def wrong(self, span: Span, message: str, hint: str | None = None) -> None:
        self.diagnostics.error(WRONG, span, message, hint)

    def rule(self, node: Node) -> Rule:
        """A list is what is allowed; a map says more."""
        if not isinstance(node, Map):
            return Rule(allow=self.patterns(node))
        found: dict[str, Node] = {}
        for name, key, value in _entries(node):
            if name in _KEYS:
                found[name] = value
            else:
                hint = did_you_mean(name, _KEYS) or f"the keys are {', '.join(_KEYS)}"
                self.wrong(key.span, f'"{name}" is no key of a rule', hint)
        allow, deny, dynamic = (found.get(key) for key in _KEYS)
        return Rule(
            self.patterns(allow) if allow else None,
            self.patterns(deny) if deny else (),
            self.dynamic(dynamic) if dynamic else False,
        )

    def patterns(self, node: Node) -> tuple[str, ...]:
        if not isinstance(node, Sequence):
            self.wrong(node.span, "this must be a list of patterns", "write [a, b], or [] for none")
            return ()
        for item in node.items:
            if not isinstance(item, Scalar) or not item.text.value:
                self.wrong(item.span, "a pattern is a text")
        return tuple(item.text.value for item in node.items if isinstance(item, Scalar))

    def dynamic(self, node: Node) -> bool | tuple[str, ...]:
        return self.patterns(node) if isinstance(node, Sequence) else self.is_allowed(node)

    def is_allowed(self, node: Node) -> bool:
        text = node.text.value if isinstance(node, Scalar) else ""
        if text not in ("allow", "deny"):
            self.wrong(node.span, "this must be `allow` or `deny`")
        return text == "allow"
