"""The module `test:mock_command`: programs of the test's own in the place of real ones.

    commands: {git: {stdout: v1.2, args: [describe]}}

becomes files of the test's own, beside its workspace:

    bin/git                 what `git` is on the PATH of each command: a script of the shell
    git/0.stdout            what it prints, for its first case
    git/unmatched.4711      the arguments of a call that no case is for, by the process 4711
"""

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError, SecurityError
from gxo.runtime.spec import module
from gxo.runtime.testing import session_of
from gxo.runtime.testing.commands import Commands
from gxo.runtime.testing.programs import of_host

SHOWN = 5
"""Calls without a case that an error names."""

HINT = "add a case with these `args`, or one without `args`, which is for every call"


class Case(TypedDict):
    """What a call does. args: all of its arguments, for a case that is for these alone."""

    stdout: NotRequired[str]
    stderr: NotRequired[str]
    exit_code: NotRequired[int]
    args: NotRequired[Sequence[str]]


class Mocked(TypedDict):
    """path: the folder that is the PATH of commands."""

    path: str


@module("test:mock_command", background=True, returns={"path": []})
async def mock_command(ctx: Context, *, commands: Mapping[str, Case | Sequence[Case]]) -> Mocked:
    """Let scripts stand for commands: what `exec` runs by these names prints and returns what the
    test says.

    The mocks are in service until the test has ended. They hold for the playbook that the test
    includes as well, for every command that a command of theirs starts, and whatever `PATH` or
    `environment` the playbook sets. A command that is neither mocked nor allowed (`allow:
    {commands: [gzip]}`) is refused. What is built into the shell (`echo`, `test`, `cd`) is no
    program, so a line for the shell does not come to a mock of it.

    Args:
        commands: for each name `stdout`, `stderr` and `exit_code`, which is 0 otherwise; or a list
            of such cases, of which the first one counts that is for the call. A case with `args` is
            only for a call with exactly these arguments

    Returns:
        `path`, the folder that holds the mocks and the allowed commands, and is the whole `PATH` of
        every command.

    Raises:
        SecurityError: when the test ends, for calls that no case was for. Such a call has told so
            on its standard error, and ended with exit code 127. No `ignore_errors` and no `expect:
            Failed` makes up for that.
        ParameterError: a name with a slash, no case at all, or a command that is mocked already.

    Example:
        name: programs
        process:
          module: test:mock_command
          params:
            commands:
              systemctl: {exit_code: 0}
              git:
                - {args: [rev-parse, HEAD], stdout: "4f2a\\n"}
                - {args: [push], stderr: "rejected\\n", exit_code: 1}
    """
    checked = {
        name: _checked(name, [cases] if isinstance(cases, Mapping) else cases)
        for name, cases in commands.items()
    }
    session = session_of(ctx)
    for name, each in checked.items():
        await ctx.thread(_lay_out, session.commands, name, each, ctx.workload)

    def unexpected() -> SecurityError | None:
        calls = [call for name in commands for call in _unmatched(session.commands, name)]
        return session.spoiled(ctx, _told(calls), HINT) if calls else None

    async def judge_late(_: None) -> None:
        await ctx.thread(unexpected)

    # `on_failure` and `finally` may run commands when this has ended.
    await ctx.shared(("test:mock_command", ctx.workload), _nothing, judge_late)
    ctx.ready({"path": await ctx.thread(session.commands.folder, "bin")})
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if (error := unexpected()) is not None:
            raise error from None
        raise
    raise AssertionError("nobody sets that event")


async def _nothing() -> None:
    """What has to be opened for a mock."""


def _checked(name: str, cases: Sequence[Case]) -> list[Case]:
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise ParameterError(
            f"`commands` holds {name!r}, which is no name of a command",
            hint="a mock stands for a command wherever it is: `nginx`, also for /usr/sbin/nginx",
        )
    if not cases:
        raise ParameterError(f"`commands.{name}` is an empty list: it has no case")
    for case in cases:
        if not 0 <= case.get("exit_code", 0) <= 255:
            raise ParameterError(f"`commands.{name}` has an exit code that is not from 0 to 255")
        if any("\0" in one for one in case.get("args", ())):
            raise ParameterError(f"`commands.{name}` has a NUL in `args`: no command can get one")
    return list(cases)


def _lay_out(commands: Commands, name: str, cases: list[Case], workload: str) -> None:
    """Write what a mock prints, and then the mock."""
    folder = commands.folder(name)
    for number, case in enumerate(cases):
        for stream in ("stdout", "stderr"):
            if text := case.get(stream):
                with open(f"{folder}/{number}.{stream}", "wb") as file:
                    file.write(str(text).encode("utf-8", "surrogateescape"))
    script = "\n".join(_script(name, cases, folder))
    commands.mock(name, script.encode("utf-8", "surrogateescape"), workload)


def _script(name: str, cases: list[Case], folder: str) -> Iterator[str]:
    """The mock, for /bin/sh. It starts nothing but `cat`, which it names by its path."""
    yield "#!/bin/sh"
    yield f"# The mock of {name} (test:mock_command)."
    cat = shlex.quote(of_host("cat"))
    for number, case in enumerate(cases):
        yield f"if {_condition(case)}; then"
        for stream, to in (("stdout", ""), ("stderr", " >&2")):
            if case.get(stream):
                yield f"    {cat} {shlex.quote(f'{folder}/{number}.{stream}')}{to}"
        yield f"    exit {case.get('exit_code', 0)}"
        yield "fi"
    expected = " | ".join(_shown(name, case["args"]) for case in cases if "args" in case)
    unmatched = shlex.quote(f"{folder}/unmatched.")
    yield f'for one in "$@"; do printf "%s\\0" "$one"; done > {unmatched}$$'
    text = f"the mock of {name} has no case for these arguments, but for: {expected}"
    yield f"printf '%s\\n' {shlex.quote(text)} >&2"
    yield "exit 127"
    yield ""


def _condition(case: Case) -> str:
    if "args" not in case:
        return "true"
    args = case["args"]
    each = (f'[ "${{{place}}}" = {shlex.quote(word)} ]' for place, word in enumerate(args, 1))
    return " && ".join((f"[ $# -eq {len(args)} ]", *each))


def _unmatched(commands: Commands, name: str) -> Iterator[str]:
    """The calls that no case was for: each of them once."""
    folder = commands.folder(name)
    for entry in sorted(os.listdir(folder)):
        if entry.startswith("unmatched."):
            with open(f"{folder}/{entry}", "rb") as file:
                words = file.read(65_536).decode("utf-8", "surrogateescape").split("\0")
            os.unlink(f"{folder}/{entry}")
            yield _shown(name, words[:-1])


def _told(calls: list[str]) -> str:
    shown = "; ".join(calls[:SHOWN])
    more = f"; and {len(calls) - SHOWN} more" if len(calls) > SHOWN else ""
    return f"calls that no case was for: {shown}{more}"


def _shown(name: str, args: Sequence[str]) -> str:
    return shlex.join([name, *args]).encode(errors="replace").decode()
