"""Holds what a user's own modules need of others to one version each.

before:  @module("acme:ping", needs=["Boto3==1.44.5"])
after:   {"boto3": "2.32.5"}
"""

import re
from collections.abc import Iterable, Mapping

from gxo.compiler.diagnostics import Diagnostics, Note
from gxo.compiler.modules.spec import ModuleSpec, Need

UNPINNED = "GXO0524"


def pinned_needs(
    specs: Iterable[ModuleSpec], own: Mapping[str, str], diags: Diagnostics
) -> dict[str, str]:
    """Name to version of what these modules need besides `own`, the versions that gxo links.

    Names are as package indexes compare them. What has no version, or two, is an error.
    """
    found: dict[str, Need] = {}
    for spec in specs:
        for need in spec.needs if spec.is_users else ():
            name = re.sub(r"[-_.]+", "-", need.name).lower()
            if name in own:
                _check_own(spec, need, own[name], diags)
            elif not need.version:
                assert need.span is not None
                message = f"{spec.name} needs `{need.name}` of no certain version"
                diags.error(UNPINNED, need.span, message, f"write `{need.name}==VERSION`")
            else:
                _check_same(spec, need, found.setdefault(name, need), diags)
    return {name: need.version for name, need in found.items()}


def _check_own(spec: ModuleSpec, need: Need, version: str, diags: Diagnostics) -> None:
    if need.version in ("", version):
        return
    assert need.span is not None
    message = f"{spec.name} needs {need.name} {need.version}, and gxo links {version}"
    diags.error(UNPINNED, need.span, message, f"write `{need.name}` for the version of gxo")


def _check_same(spec: ModuleSpec, need: Need, first: Need, diags: Diagnostics) -> None:
    if need.version == first.version:
        return
    assert need.span is not None and first.span is not None
    message = f"{spec.name} needs {need.name} {need.version}, and another module {first.version}"
    notes = [Note(first.span, "the other one")]
    hint = "an artifact has one version of each distribution"
    diags.error(UNPINNED, need.span, message, hint, notes)
