"""Whether a command is a program's name or a line for the shell (modules, "System", `exec`).

    before:  command: df | tail -1       after:  exec_(ctx, command="df | tail -1", shell=True)
    before:  command: /usr/bin/uname     after:  exec_(ctx, command="/usr/bin/uname")

It is decided from what the playbook says, never from a value: a value cannot turn a program into a
shell line.
"""

import re

_SYNTAX = re.compile(r"""[\s|&;<>()$`\\"'*?\[]|^[~#]|^[A-Za-z_]\w*=""")


def needs_shell(literal_text: str) -> bool:
    """Whether a command without `args` runs by `/bin/sh -c`.

    `literal_text` is the command with each of its actions replaced by one plain word.
    """
    return _SYNTAX.search(literal_text) is not None
