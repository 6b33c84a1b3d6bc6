"""How far the references of a template are checked: `gxo validate --verbose` counts them.

.users.status_code      checked     the module declares the register's field
.users.json_body.id     partly      what a JSON body holds is not known
.id                     unchecked   a record's field, of a record that nothing is known of
"""

from collections import Counter
from typing import Literal

from gxo.compiler.template import ast
from gxo.compiler.template.infer import Env, infer
from gxo.compiler.template.typed import visit
from gxo.compiler.types import ANY, Type, field_type

Coverage = Literal["checked", "partly", "unchecked"]


def coverage(template: ast.Template | ast.Expr) -> Counter[Coverage]:
    """How many of the template's references are checked, partly checked and unchecked."""
    counts: Counter[Coverage] = Counter()
    heads: set[int] = set()
    for part, env in visit(template):
        if isinstance(part, ast.Field):
            heads.add(id(part.base))
            counts[_chain(part, env)] += 1
        elif isinstance(part, ast.Root) and id(part) not in heads:
            counts["checked" if _resolves(part) else "unchecked"] += 1
    return counts


def _chain(chain: ast.Field, env: Env) -> Coverage:
    type_: Type = infer(chain.base, env).type
    known = type_ != ANY or (isinstance(chain.base, ast.Root) and _resolves(chain.base))
    for name in chain.names:
        if type_ == ANY:
            return "partly" if known else "unchecked"
        type_ = field_type(type_, name) or ANY
    return "checked"


def _resolves(root: ast.Root) -> bool:
    """Whether the name stands for something that the playbook or a module declares."""
    return root.kind not in ("record", "field", "dot") or root.type != ANY
