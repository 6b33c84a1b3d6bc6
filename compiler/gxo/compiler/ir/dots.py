"""What a template sees as dot that a module evaluates with a value of its own (`On[R, T]`).

success_when: "{{ .status_code }}"                         the answer, as `http:request` says
{template: "Hi {{ .name }}", vars: {name: "{{ .user }}"}}  `vars`, whose fields the playbook says
"""

from gxo.compiler.ir.nodes import Fields, ForEach, Workload
from gxo.compiler.ir.value_types import value_type
from gxo.compiler.types import MapOf, Shape, Type

_PARAMETERS = {"template:render": "vars"}
"""Of a module that evaluates a template with another parameter: that parameter."""


def dot_argument(workload: Workload) -> str | None:
    """The parameter that the workload's module evaluates templates with, if it is one."""
    return _PARAMETERS.get(workload.module.name) if workload.module else None


def dot_type(workload: Workload, value: ForEach) -> Type | None:
    """The type of the dot; None for what is evaluated with records."""
    name = dot_argument(workload)
    if name is None or value.dot is None:
        return value.dot
    given = next((one.value for one in workload.arguments if one.name == name), None)
    type_ = Shape(name, ()) if given is None else value_type(given)
    match type_:
        case Shape(fields=fields):
            return Shape(name, fields)
        case MapOf() if isinstance(given, Fields):  # an empty one
            return Shape(name, ())
    return value.dot
