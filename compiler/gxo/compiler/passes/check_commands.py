"""Decide for each `exec` whether a shell runs it, and what may stand in a shell's text.

    before:  command: "df -P | tail -n +2"
    after:   command: "df -P | tail -n +2", shell: true

Without `args`, a command whose literal text, each action counting as one plain word, has white
space or shell syntax runs by `/bin/sh -c` (catalogue, `exec`). A value from outside put into such
a text without `shellquote` is an error, any other value a warning.
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Argument, Computed, Constant, Plan, Workload
from gxo.compiler.ir.walk import map_workloads
from gxo.compiler.modules.shell import needs_shell
from gxo.compiler.template import ast
from gxo.compiler.template.resolve import references
from gxo.compiler.types import BOOL

INJECTION, UNQUOTED = "GXO0801", "GXO0802"
QUOTE = "write {{ shellquote (...) }}, or pass it in `args`"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _check(workload, diagnostics))


def _check(workload: Workload, diagnostics: Diagnostics) -> Workload:
    if workload.module is None or workload.module.name != "exec":
        return workload
    given = {argument.name: argument for argument in workload.arguments}
    command = given.get("command")
    if command is None or "args" in given:
        return workload
    if "shell" not in given:
        if not needs_shell(_literal_text(command)):
            return workload
        shell = Argument("shell", Constant(True, workload.span), BOOL)
        workload = replace(workload, arguments=(*workload.arguments, shell))
    elif given["shell"].value == Constant(False, given["shell"].value.span):
        return workload
    _check_quoting(command, diagnostics)
    return workload


def _literal_text(command: Argument) -> str:
    match command.value:
        case Constant(value):
            return str(value)
        case Computed(ast.Template() as template):
            return "".join(
                node.value if isinstance(node, ast.Text) else "word" for node in template.nodes
            )
    raise AssertionError(command)


def _check_quoting(command: Argument, diagnostics: Diagnostics) -> None:
    value = command.value
    if not isinstance(value, Computed) or not isinstance(value.template, ast.Template):
        return
    for node in value.template.nodes:
        if isinstance(node, ast.Text) or _is_quoted(node):
            continue
        read = references(replace(value.template, nodes=(node,)))
        if read.registers or read.summaries or read.records:
            message = "a value from outside is pasted into a shell command"
            diagnostics.error(INJECTION, node.span, message, QUOTE)
        elif read.inputs or read.vars or read.env or read.secrets:
            message = "a value is pasted into a shell command without quotes"
            diagnostics.warning(UNQUOTED, node.span, message, QUOTE)


def _is_quoted(node: ast.Node) -> bool:
    return (
        isinstance(node, ast.Action)
        and isinstance(node.pipe, ast.Call)
        and node.pipe.function == "shellquote"
    )
