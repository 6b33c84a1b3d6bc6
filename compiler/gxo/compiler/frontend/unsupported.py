"""What the language has and this version of gxo does not build yet.

Each of it gets one clear error: a playbook is never accepted with a part of it ignored. A stage
that learns one of these takes its line out here.
"""

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import Mapping

_TEST_ENDING = ".test.gxo.yaml"
_TEST_KEYS = ("include", "secrets", "allow", "expect")


def is_test_playbook(file: str, tree: Mapping, diags: Diagnostics) -> bool:
    """Whether the file is a test playbook (language, section 10), which is reported."""
    if not file.endswith(_TEST_ENDING):
        return False
    place = tree.entries[0].key.span if tree.entries else tree.span
    _report("a test playbook", place, diags)
    return True


def check(tree: Mapping, diags: Diagnostics) -> None:
    """Report every part of a playbook that is legal and not built yet."""
    for name in _TEST_KEYS:
        if key := tree.key(name):
            _report(f'the key "{name}"', key.span, diags)


def _report(what: str, span: Span, diags: Diagnostics) -> None:
    diags.error("GXO0206", span, f"{what} is not supported by this version of gxo yet")
