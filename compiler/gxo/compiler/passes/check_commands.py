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
from gxo.compiler.ir.walk import computed, map_workloads
from gxo.compiler.modules.shell import needs_shell
from gxo.compiler.template import ast, walk
from gxo.compiler.template.check import type_of
from gxo.compiler.template.resolve import References, references
from gxo.compiler.types import BOOL, FLOAT, INT

INJECTION, UNQUOTED, SHORTHAND = "GXO0801", "GXO0802", "GXO0803"
SAY_WHICH = 'write $NAME or $${NAME} for the shell\'s, {{ secret "NAME" }} for the secret'
QUOTE = "write {{ shellquote (...) }}, or pass it in `args`"


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    return map_workloads(plan, lambda workload: _check(workload, diagnostics))


def _check(workload: Workload, diagnostics: Diagnostics) -> Workload:
    if workload.module is None or workload.module.name != "exec":
        return workload
    _refuse_shorthand(workload, diagnostics)
    given = {argument.name: argument for argument in workload.arguments}
    command = given.get("command")
    if command is None:
        return workload
    if "shell" not in given:
        if "args" in given or not needs_shell(_literal_text(command)):
            return workload
        shell = Argument("shell", Constant(True, workload.span), BOOL)
        workload = replace(workload, arguments=(*workload.arguments, shell))
    elif given["shell"].value == Constant(False, given["shell"].value.span):
        return workload
    _check_quoting(command, _loops_over_outside(workload), diagnostics)
    return workload


def _refuse_shorthand(workload: Workload, diagnostics: Diagnostics) -> None:
    """`${NAME}` is the shell's own notation too, so here it must be said which is meant."""
    for argument in workload.arguments:
        for value in computed(argument.value):
            template = value.template
            for node in walk.nodes(template) if isinstance(template, ast.Template) else ():
                if isinstance(node, ast.Action) and node.shorthand:
                    message = "`${...}` in a command can mean a secret or a shell variable"
                    diagnostics.error(SHORTHAND, node.span, message, SAY_WHICH)


def _loops_over_outside(workload: Workload) -> bool:
    """Whether the loop's items come from a result."""
    read = computed(workload.loop.items) if workload.loop else ()
    return any(one.references.registers or one.references.summaries for one in read)


def _literal_text(command: Argument) -> str:
    match command.value:
        case Constant(value):
            return str(value)
        case Computed(ast.Template() as template):
            return "".join(
                node.value if isinstance(node, ast.Text) else "word" for node in template.nodes
            )
    raise AssertionError(command)


def _check_quoting(command: Argument, loop_is_outside: bool, diagnostics: Diagnostics) -> None:
    """Look at everything that the command's text prints."""
    value = command.value
    if not isinstance(value, Computed) or not isinstance(value.template, ast.Template):
        return
    outer = references(value.template)
    for node in walk.nodes(value.template):
        if not isinstance(node, ast.Action | ast.Include) or _is_harmless(node):
            continue
        if _is_outside(node, outer, loop_is_outside):
            message = "a value from outside is pasted into a shell command"
            diagnostics.error(INJECTION, node.span, message, QUOTE)
        elif not all(isinstance(one, ast.Literal) for one in walk.pipes(node)):
            message = "a value is pasted into a shell command without quotes"
            diagnostics.warning(UNQUOTED, node.span, message, QUOTE)


def _is_outside(node: ast.Node, outer: References, loop_is_outside: bool) -> bool:
    """Whether what the statement prints can come from a result, through a variable or dot too."""
    for pipe in walk.pipes(node):
        read = references(pipe)
        if read.registers or read.summaries or read.records:
            return True
        for part in walk.expressions(pipe):
            if isinstance(part, ast.Dot | ast.Variable):
                return bool(outer.registers or outer.summaries) or loop_is_outside
            if isinstance(part, ast.Root) and _holds_output(part, loop_is_outside):
                return True
    return False


def _holds_output(root: ast.Root, loop_is_outside: bool) -> bool:
    """Whether the name means something that a command or a server said: an error quotes it."""
    if root.kind == "loop":
        return loop_is_outside
    return root.name == "failure.error" or (root.kind == "workload" and root.attribute == "error")


def _is_harmless(node: ast.Node) -> bool:
    """Whether what is printed is quoted, or a number or bool, or has its finding already."""
    if not isinstance(node, ast.Action):
        return False
    if node.shorthand:
        return True
    if isinstance(node.pipe, ast.Call) and node.pipe.function == "shellquote":
        return True
    return type_of(node.pipe) in (INT, FLOAT, BOOL)
