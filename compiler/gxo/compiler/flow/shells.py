"""Which parameters a shell reads, as far as the playbook's text decides it.

module: exec, params: {command: "df | tail -1"}             command, once `shell` is true
module: exec, params: {command: sh, args: [-c, "df | tail -1"]}   args[1]
"""

import posixpath
import re
from collections.abc import Iterator

from gxo.compiler.ir.nodes import Argument, Constant, Items, Value, Workload
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.types import ListOf, MapOf, OneOf, Scalar, Shape, Type, Use

SWITCH = "shell"
"""The parameter that says whether a shell runs the command."""
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
_RUNS_TEXT = re.compile(r"-[A-Za-z]*c")


def declared_uses(type_: Type) -> Iterator[Use]:
    """Every use that the type declares for a text in it."""
    match type_:
        case Scalar(use=use) if use is not None:
            yield use
        case ListOf(item) | MapOf(item):
            yield from declared_uses(item)
        case OneOf(options):
            for option in options:
                yield from declared_uses(option)
        case Shape(fields=fields):
            for _, item in fields:
                yield from declared_uses(item)


def command_of(workload: Workload) -> Argument | None:
    """The given parameter that is a command."""
    return _of_use(workload, "command")


def runs_commands(module: ModuleSpec) -> bool:
    """Whether one of the module's parameters is a command, or a text for a shell."""
    uses = {use for param in module.params for use in declared_uses(param.type)}
    return not uses.isdisjoint(("command", "shell"))


def _of_use(workload: Workload, use: Use) -> Argument | None:
    given = (one for one in workload.arguments if use in declared_uses(one.type))
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
