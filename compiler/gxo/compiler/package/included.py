"""Puts the playbook that a test includes into the test's own package.

    gxo_job.py        the test          _gxo/sourcemap.json, playbook.yaml, manifest.json, assets/
    gxo_included/     the playbook      _gxo/included/, with the same in it

What both need is there once, and the manifest tells what either touches.
"""

from dataclasses import replace

from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.parts import Facts, Package

OF_INCLUDED = "included/"
"""How the workloads begin that effects of the included playbook are of."""


def with_package(test: Package, included: Package) -> Package:
    """The test's package with the included one in it.

    PackageError when both have a file for the same place in the artifact.
    """
    for path in sorted(test.sources.keys() & included.sources.keys()):
        if test.sources[path] != included.sources[path]:
            message = f"{path} is in two folders, and they differ"
            raise PackageError("GXO0520", message, "rename one of them")
    return replace(
        test,
        sources={**test.sources, **included.sources},
        heads={**test.heads, **included.heads},
        needs=tuple(sorted({*test.needs, *included.needs})),
        pins={**included.pins, **test.pins},
        imports={**included.imports, **test.imports},
        facts=_together(test.facts, included.facts),
        included=included,
    )


def _together(test: Facts, included: Facts) -> Facts:
    """The facts of the test, and what the playbook uses and touches besides."""
    touched = (
        replace(one, workload=f"{OF_INCLUDED}{one.workload}".rstrip("/"))
        for one in included.effects
    )
    return replace(
        test,
        modules={**included.modules, **test.modules},
        secrets=tuple(sorted({*test.secrets, *included.secrets})),
        environment=tuple(sorted({*test.environment, *included.environment})),
        effects=tuple(sorted({*test.effects, *touched})),
    )
