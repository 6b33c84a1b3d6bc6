"""Decide for each command whether a shell runs it.

    before:  command: "df -P | tail -n +2"
    after:   command: "df -P | tail -n +2", shell: true

Without `args`, a command whose literal text, each action counting as one plain word, has white
space or shell syntax runs by `/bin/sh -c` (catalogue, `exec`). It is so for every module with a
parameter that is declared as a `Command` and one that is called `shell`. What may be put into such
a text is for `check_flows`.
"""

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.flow.shells import SWITCH, command_of, runs_commands
from gxo.compiler.flow.uses import has_use
from gxo.compiler.frozen import replace
from gxo.compiler.ir.nodes import Argument, Computed, Constant, Plan, Workload
from gxo.compiler.ir.walk import computed, map_workloads
from gxo.compiler.modules.shell import needs_shell
from gxo.compiler.template import ast, walk
from gxo.compiler.types import BOOL

SHORTHAND = "GXO0803"
SAY_WHICH = 'write $NAME or $${NAME} for the shell\'s, {{ secret "NAME" }} for the secret'


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _check(workload, diagnostics))


def _check(workload: Workload, diagnostics: Diagnostics) -> Workload:
    if workload.module is None or not runs_commands(workload.module):
        return workload
    _refuse_shorthand(workload, diagnostics)
    command = command_of(workload)
    if command is None or workload.module.param(SWITCH) is None or not _asks_for_shell(workload):
        return workload
    if not needs_shell(_literal_text(command)):
        return workload
    shell = Argument(SWITCH, Constant(True, workload.span), BOOL)
    return replace(workload, arguments=(*workload.arguments, shell))


def _asks_for_shell(workload: Workload) -> bool:
    """Whether the command's own text decides: nobody says otherwise, and it stands alone."""
    return not any(
        argument.name == SWITCH or has_use(argument.type, "argument")
        for argument in workload.arguments
    )


def _refuse_shorthand(workload: Workload, diagnostics: Diagnostics) -> None:
    """`${NAME}` is the shell's own notation too, so here it must be said which is meant."""
    for argument in workload.arguments:
        for value in computed(argument.value):
            template = value.template
            for node in walk.nodes(template) if isinstance(template, ast.Template) else ():
                if isinstance(node, ast.Action) and node.shorthand:
                    message = "`${...}` in a command can mean a secret or a shell variable"
                    diagnostics.error(SHORTHAND, node.span, message, SAY_WHICH)


def _literal_text(command: Argument) -> str:
    match command.value:
        case Constant(value):
            return str(value)
        case Computed(ast.Template() as template):
            return "".join(
                node.value if isinstance(node, ast.Text) else "word" for node in template.nodes
            )
    raise AssertionError(command)
