"""What the language has and this version of gxo does not build yet.

Each of it gets one clear error: a playbook is never accepted with a part of it ignored. A stage
that learns one of these takes its line out here.
"""

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.yaml import Mapping

_TEST_KEYS = ("include",)


def check(tree: Mapping, diags: Diagnostics) -> bool:
    """Report every part of a playbook that is legal and not built yet; whether there is one."""
    found = [key for name in _TEST_KEYS if (key := tree.key(name))]
    for key in found:
        _report(f'the key "{key.text.value}"', key.span, diags)
    return bool(found)


def _report(what: str, span: Span, diags: Diagnostics) -> None:
    diags.error("GXO0206", span, f"{what} is not supported by this version of gxo yet")
