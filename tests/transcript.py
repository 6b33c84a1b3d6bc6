"""What commands print, as a person would see it at a prompt.

    $ gxo validate sync.gxo.yaml
    sync.gxo.yaml: valid, 2 workloads
    $ ls nowhere
    ls: cannot access 'nowhere': No such file or directory
    [exit 2]

gxo's run in this process, others by a shell. Standard error comes after standard output.
"""

import shlex
import subprocess

import pytest

from gxo.cli.main import main


def commands_of(session: str) -> list[str]:
    """The lines of a transcript that a person typed."""
    return [line for line in session.splitlines() if line.startswith("$ ")]


def transcript(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run one such line: the line, what is printed, and how it ends if that is not well."""
    command = line.removeprefix("$ ")
    capsys.readouterr()
    code = _gxo(command) if command.startswith("gxo ") else _shell(command)
    said = capsys.readouterr()
    ends = f"[exit {code}]\n" if code else ""
    return f"{line}\n{said.out}{said.err}{ends}"


def _gxo(command: str) -> int:
    try:
        return main(shlex.split(command)[1:])
    except SystemExit as stopped:
        return int(stopped.code or 0)


def _shell(command: str) -> int:
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60)
    print(done.stdout + done.stderr, end="")
    return done.returncode
