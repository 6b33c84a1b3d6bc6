"""What the shell of a host is given: words, an environment, a script to keep and run.

    before:  command: printenv A, environment: {A: "it's"}
    after:   sh -c '...' 'printenv A' 31        its standard input:
             { export A='it'"'"'s'
             }

A host's list of processes shows command lines to all its users, so values travel on standard
input. What was cut on the way is never run: a group without its brace is no command, and a script
has a size.

What comes on standard input after that are the names of signals (`TERM`), for the process group of
all that was started: an ear beside the command listens for them. That needs no second session,
which a host may refuse, and no signals of SSH, which OpenSSH passes on to nobody's commands who is
root. At the end of the input, when the connection is lost, the ear goes and the command stays.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gxo.runtime.errors import ParameterError
from gxo.runtime.functions.printing import shellquote

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_TAKE_EXPORTS = """
gxo_exports=$(dd bs=1 count="$1" 2>/dev/null);
"""
"""dd takes no byte more than it is told to: the rest is for others."""

_LISTEN = """
if [ -r /proc/$$/stat ];
then read -r gxo_pid gxo_name gxo_state gxo_parent gxo_group gxo_rest < /proc/$$/stat;
else gxo_group=$(ps -o pgid= -p $$ | tr -d " ");
fi;
exec 3<&0 </dev/null;
(
  trap "" TERM;
  while read -r gxo_signal;
  do
    if [ "$gxo_signal" = KILL ]; then rm -f "$gxo_file"; fi;
    kill -s "$gxo_signal" -- "-$gxo_group";
  done
) <&3 >/dev/null 2>&1 & gxo_ear=$!;
exec 3<&-;
"""

_END = """
gxo_code=$?;
exec 2>/dev/null;
kill -s KILL "$gxo_ear";
exit "$gxo_code"
"""

_COMMAND = f"""
{_TAKE_EXPORTS}
trap "exit 143" TERM;
{_LISTEN}
(eval "$gxo_exports" && exec "${{SHELL:-/bin/sh}}" -c "$0");
{_END}
"""

_SCRIPT = f"""
{_TAKE_EXPORTS}
gxo_file=${{TMPDIR:-/tmp}}/$0 gxo_size=$2;
shift 2;
trap "exit 129" HUP;
trap "exit 130" INT;
trap "exit 143" TERM;
trap 'rm -f "$gxo_file"' EXIT;
(umask 077 && set -C && head -c "$gxo_size" > "$gxo_file") || exit 125;
[ $(wc -c < "$gxo_file") -eq "$gxo_size" ] || exit 125;
chmod 700 "$gxo_file" || exit 125;
{_LISTEN}
(eval "$gxo_exports" && exec "$gxo_file" "$@");
{_END}
"""


class Order(NamedTuple):
    """What a host runs: a command line, and what it gets on standard input.

    listens: whether it takes the names of signals there, after that.
    """

    line: str
    given: bytes
    listens: bool


def exports(environment: Mapping[str, str] | None) -> bytes:
    """Shell text that sets variables: nothing, or all of them.

    ParameterError for what is no name of a variable, or no value.
    """
    if not environment:
        return b""
    for name, value in environment.items():
        if not _NAME.fullmatch(name) or "\0" in value:
            raise ParameterError(
                f"the environment variable {name!r} cannot be set",
                hint="a name is of letters, digits and `_`, and the value holds no NUL",
            )
    lines = [f"export {name}={shellquote(value)}\n" for name, value in environment.items()]
    return encoded("environment", f"{{ {''.join(lines)}}}\n")


def command_order(command: str, header: bytes, *, listens: bool) -> Order:
    """To run a command by the user's shell, as `ssh host command` does. header: its `exports`."""
    if not header and not listens:
        return Order(command, b"", False)
    return Order(_line(_COMMAND, command, len(header)), header, True)


def script_order(file: str, header: bytes, script: bytes, args: Sequence[str]) -> Order:
    """To keep a script as a private file, run it with arguments, and remove it.

    file: its name among the temporary files, which nobody may guess.
    """
    line = _line(_SCRIPT, file, len(header), len(script), *args)
    return Order(line, header + script, True)


def _line(program: str, *words: object) -> str:
    """On one line: some login shells have none other between quotes."""
    return " ".join(map(shellquote, ("sh", "-c", " ".join(program.split()), *map(str, words))))


def encoded(name: str, text: str) -> bytes:
    """The text as a host gets it. ParameterError for what it cannot get."""
    if "\0" in text:
        raise ParameterError(f"`{name}` holds a NUL character, which no command can get")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ParameterError(f"`{name}` holds a lone surrogate, which is no text") from None
