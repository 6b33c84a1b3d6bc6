"""Report what arrives where it must not: values from outside in code, secrets in the open.

    before:  a registers `kernel`; b runs "echo {{ .kernel.stdout }} | wc"
    after:   error[GXO0801]: a value from outside is pasted into a shell command

The plan stays as it is. `flow` follows the values; the rules are in its `injection` and `exposure`.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.flow import exposure, injection
from gxo.compiler.flow.trace import arrivals
from gxo.compiler.ir.nodes import Plan


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    for arrival in arrivals(plan):
        injection.check(arrival, diagnostics)
        exposure.check(arrival, diagnostics)
    return plan
