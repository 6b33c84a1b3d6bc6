"""What the language has and this version of gxo does not build yet.

Each of it gets one clear error: a playbook is never accepted with a part of it ignored. A stage
that learns one of these takes its line out here.
"""

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import Mapping, Scalar, Sequence

_TEST_ENDING = ".test.gxo.yaml"
_POLICIES = ("supervise", "event_driven", "scheduled")
_TEST_KEYS = ("include", "secrets", "allow", "expect")


def is_test_playbook(file: str, tree: Mapping, diags: Diagnostics) -> bool:
    """Whether the file is a test playbook (language, section 10), which is reported."""
    if not file.endswith(_TEST_ENDING):
        return False
    place = tree.entries[0].key.span if tree.entries else tree.span
    _report("a test playbook", place, diags)
    return True


def check(tree: Mapping, diags: Diagnostics) -> frozenset[Span]:
    """Report every part of a playbook that is legal and not built yet.

    Returns the spans of the lifecycle policies among them, which the reader leaves out: a later
    stage would report them once more, as policies that the module does not support.
    """
    for name in (*_TEST_KEYS, "security_context"):
        if key := tree.key(name):
            _report(f'the key "{name}"', key.span, diags)
    policies: set[Span] = set()
    for name in ("workloads", "finally"):
        _check_workloads(tree.get(name), policies, diags)
    return frozenset(policies)


def _check_workloads(workloads: object, policies: set[Span], diags: Diagnostics) -> None:
    for workload in workloads.items if isinstance(workloads, Sequence) else ():
        if not isinstance(workload, Mapping):
            continue
        if key := workload.key("security_context"):
            _report('the key "security_context"', key.span, diags)
        lifecycle = workload.get("lifecycle")
        policy = lifecycle.get("policy") if isinstance(lifecycle, Mapping) else None
        if isinstance(policy, Scalar) and policy.value in _POLICIES:
            _report(f'the lifecycle policy "{policy.value}"', policy.span, diags)
            policies.add(policy.span)
        _check_workloads(workload.get("on_failure"), policies, diags)


def _report(what: str, span: Span, diags: Diagnostics) -> None:
    diags.error("GXO0206", span, f"{what} is not supported by this version of gxo yet")
