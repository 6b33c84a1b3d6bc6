"""Playbooks compiled at -O0 and at -O1 in this process; what both levels do alike is done once.

No black and no archive: the generated module is taken as it is rendered.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation, Dump, Options, ignore_dump
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.modules.index import Root
from gxo.compiler.passes import PASSES

SHARED = next(place for place, one in enumerate(PASSES) if one.optimizes)
"""So many passes do the same at both levels. They take half of the time."""

HEADER = {"name": "case", "schemaVersion": "v1.0.0"}


class Refused(Exception):
    """The compiler has found errors; the message holds them."""


@dataclass(frozen=True)
class Program:
    """A generated module and its source map."""

    text: str
    source_map: str


def programs(document: dict[str, Any], root: Root) -> tuple[Program, Program]:
    """What a playbook is compiled to at -O0 and at -O1. Refused when there are errors in it.

    document: without HEADER. root: where modules are besides gxo's own.
    """
    text = json.dumps(HEADER | document)  # which is YAML too, and faster to write
    front = Compilation("case.gxo.yaml")
    front.read(text.encode())
    plans: dict[str, Plan] = {}
    optimized = program(front, root, optimize=True, dump=plans.__setitem__)
    return _plain(front, plans[PASSES[SHARED - 1].name]), optimized


def _plain(front: Compilation, plan: Plan) -> Program:
    """What becomes at -O0 of a plan that all passes which both levels share have seen."""
    for one in PASSES[SHARED:]:
        if not one.optimizes:
            plan = one.run(plan, Diagnostics())
    module = replace(front, plan=plan).generate(pretty=False)
    return Program(module.text, module.source_map)


def program(front: Compilation, root: Root, *, optimize: bool, dump: Dump = ignore_dump) -> Program:
    """What becomes of a playbook that has been read. Refused when there are errors in it."""
    options = Options(optimize=optimize, module_roots=(root,), dump=dump)
    diagnostics = deepcopy(front.diagnostics)
    compilation = replace(front, options=options, diagnostics=diagnostics)
    if compilation.playbook is None or not compilation.analyse():
        errors = [one for one in diagnostics.sorted() if one.level == "error"]
        raise Refused("\n".join(f"{one.code} {one.message}" for one in errors))
    module = compilation.generate(pretty=False)
    return Program(module.text, module.source_map)
