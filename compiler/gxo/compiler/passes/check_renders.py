"""What `template:render` renders is known when compiling, and so are the names in its `vars`.

before:  template: "{{ .page.content }}"      a template that another workload has read
after:   error: the template would only be known when the job runs
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Computed, ForEach, Plan, Value, Workload
from gxo.compiler.ir.walk import every_call
from gxo.compiler.template.ast import Field, Root, Template
from gxo.compiler.template.parse import single_action

MODULE = "template:render"
AT_RUN_TIME, NOT_WRITTEN_OUT = "GXO0530", "GXO0504"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for workload in every_call(plan):
        if workload.module is not None and workload.module.name == MODULE:
            _check(workload, diagnostics)
    return plan


def _check(workload: Workload, diagnostics: Diagnostics) -> None:
    given = {argument.name: argument.value for argument in workload.arguments}
    template, vars_ = given.get("template"), given.get("vars")
    if template is not None and _is_value(template):
        message = "the template would only be known when the job runs"
        hint = (
            "a template stands in the playbook or in an `asset`; the value itself needs no render"
        )
        diagnostics.error(AT_RUN_TIME, template.span, message, hint)
    if isinstance(vars_, Computed):
        message = "parameter 'vars' of template:render must be written out: the template names it"
        hint = 'write a map, as in `vars: {page: "{{ .page }}"}`, and `.page.title` in the template'
        diagnostics.error(NOT_WRITTEN_OUT, vars_.span, message, hint)


def _is_value(value: Value) -> bool:
    """Whether the text is a value from outside of `vars`, and nothing else."""
    match value:
        case ForEach(Computed(Template() as template)):
            head = single_action(template)
            while isinstance(head, Field):
                head = head.base
            return isinstance(head, Root) and head.kind not in ("dot", "field")
    return False
