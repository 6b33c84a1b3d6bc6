"""Which parameters a shell reads, as far as the playbook's text decides it.

module: exec, params: {command: "df | tail -1"}             command, once `shell` is true
module: exec, params: {command: sh, args: [-c, "df | tail -1"]}   args[1]
"""

import posixpath
import re
from collections.abc import Collection

from gxo.compiler.flow.uses import has_use, uses
from gxo.compiler.ir.nodes import Argument, Constant, Items, Value, Workload
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.types import Use

SWITCH = "shell"
"""The parameter that says whether a shell runs the command."""
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
_RUNS_TEXT = re.compile(r"-[A-Za-z]*c")


def command_of(workload: Workload) -> Argument | None:
    """The given parameter that is a command."""
    return _of_use(workload, "command")


_COMMAND_LINE: Collection[Use] = ("command", "argument", "shell")


def runs_commands(module: ModuleSpec) -> bool:
    """Whether a parameter is a command, an argument of one, or a text for a shell."""
    return any(use in _COMMAND_LINE for param in module.params for use, _ in uses(param.type))


def _of_use(workload: Workload, use: Use) -> Argument | None:
    given = (one for one in workload.arguments if has_use(one.type, use))
    return next(given, None)


def shell_runs(workload: Workload) -> bool:
    """Whether a shell runs the command; where only the run decides, it may."""
    switch = next((one.value for one in workload.arguments if one.name == SWITCH), None)
    return switch is not None and not (isinstance(switch, Constant) and not switch.value)


def shell_argument(workload: Workload) -> str | None:
    """The place of the text that `sh -c TEXT` runs: `args[1]`."""
    command, arguments = command_of(workload), _of_use(workload, "argument")
    if command is None or arguments is None or not isinstance(arguments.value, Items):
        return None
    if posixpath.basename(_text(command.value)) not in _SHELLS:
        return None
    for index, value in enumerate(arguments.value.values):
        if _RUNS_TEXT.fullmatch(_text(value)):
            return f"{arguments.name}[{index + 1}]"
    return None


def _text(value: Value) -> str:
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""
