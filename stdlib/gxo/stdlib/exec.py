"""The module `exec`: run one command, with its output as text or as a stream of records."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError, Unknown
from gxo.runtime.host.process import GRACE, Child, Input, Output, spawn
from gxo.runtime.host.tasks import run_all
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import Argument, Command, Record, Size, WorkspacePath, module, runs
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._output import exit_code, failure, output_text, within

_LINE = 50
"""Bytes that making a record of a line takes as long as."""
_SHELL = "/bin/sh"


class Executed(TypedDict):
    stdout: str
    stderr: str
    exit_code: int
    truncated: bool


@module(
    "exec",
    changes="by_call",
    effects=[runs("command", args="args")],
    lifecycles=["run_once", "supervise"],
    reads_when="stdin_from",
    emits_when="stdout_to",
)
async def exec_(
    ctx: Context,
    records: Records | None = None,
    out: Out | None = None,
    *,
    command: Command,
    args: Sequence[Argument] = (),
    environment: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    working_dir: WorkspacePath | None = None,
    stdin: str | None = None,
    stdin_from: Literal["stream"] | None = None,
    stdout_to: Literal["lines", "jsonl"] | None = None,
    shell: bool | None = None,
    check: bool = True,
    success_codes: Sequence[int] = (0,),
    max_output: Size = 10 * 1024 * 1024,
) -> Executed:
    """Run a command in the workspace and wait for it.

    Without `args`, a command whose text has white space or shell syntax runs by `/bin/sh -c`; that
    is decided from the text of the playbook, never from a value. A command that is found by its
    name is looked up in the `PATH` that it gets.

    The command leads a process group of its own. It has ended when it has exited and its output is
    closed. When the workload is cancelled or its time is up, the whole group gets TERM, and KILL
    after 5 seconds. Names that the playbook declares as secrets are not in its environment, unless
    `environment` or `env` pass them.

    Without `stdin_from`, records of `stream_inputs` are read to their end and dropped, and then the
    command starts.

    In a dry run no command is run: it is said which would be, its output is not known, and neither
    is what files that are missing now would hold.

    Args:
        command: the program, or the line for the shell
        args: its arguments, each passed as it is; with `shell` they are `$1`, `$2`...
        environment: the whole environment, as `NAME=value`; nothing is inherited
        env: variables added to the environment
        working_dir: the folder it starts in, inside the workspace
        stdin: text for its standard input, which is empty otherwise
        stdin_from: `stream` writes each record of the stream inputs to it, as a line of JSON
        stdout_to: makes its standard output a stream; `lines` gives `{line, number}` for each line,
            `jsonl` the value of each line that is not blank (`{value}` when it is no map)
        shell: whether `/bin/sh -c` runs it; decided from the command's text when it is left out
        check: whether an exit code outside `success_codes` is a failure
        success_codes: exit codes that are no failure
        max_output: what is kept of standard output, and of standard error; the rest is read and
            dropped, and with it a secret that the cut would fall into. With `stdout_to` it is the
            longest line

    Returns:
        `stdout` (empty with `stdout_to`) and `stderr` as text, where bytes that are no UTF-8 become
        U+FFFD; `exit_code`, which is 128 and the signal's number for a command that a signal ended;
        `truncated`, whether something was longer than `max_output`.

    Raises:
        The command is missing, may not be executed or is no program; the working directory is no
        folder; the exit code is outside `success_codes`; a line for `jsonl` is no JSON (a record
        error).

    Example:
        name: disks
        lifecycle: {policy: run_once}
        process:
          module: exec
          params:
            command: df
            args: [-P, /]
            env: {LC_ALL: C}
        register: disks
    """
    _check_parameters(max_output, stdin, stdin_from)
    argv = _argv(command, args, shell)
    variables = _variables(ctx, environment, env)
    if ctx.dry_run:
        return await _foresee(ctx, argv, working_dir, records)
    folder = await _folder(ctx, working_dir)
    if records is not None and stdin_from is None:
        async for _ in records:
            pass
    child = _start(argv, folder, variables, stdin is not None or stdin_from is not None)
    try:
        (stdout, cut_out), (stderr, cut_err), _, _ = await run_all(
            _standard_output(ctx, child.stdout, out, stdout_to, max_output),
            _captured(ctx, child.stderr, max_output),
            _feed(ctx, child.stdin, stdin, records),
            child.wait(),
        )
    except BaseException:
        ctx.end_within(2 * GRACE + 1)  # TERM, then KILL, each with its time
        await child.end(ctx.clock)
        raise
    status = child.close()
    if ctx.playbook.testing is not None:
        ctx.playbook.testing.commands.check_found(stderr)
    result: Executed = {
        "stdout": await ctx.offload(len(stdout), output_text, stdout, cut_out),
        "stderr": await ctx.offload(len(stderr), output_text, stderr, cut_err),
        "exit_code": exit_code(status),
        "truncated": cut_out or cut_err,
    }
    if check and result["exit_code"] not in success_codes:
        raise _failed(argv, status, ctx.redact(result["stderr"]))
    return result


def _check_parameters(max_output: int, stdin: str | None, stdin_from: str | None) -> None:
    if max_output < 0:
        raise ParameterError(f"`max_output` is {max_output}: a size cannot be negative")
    if stdin is not None and stdin_from is not None:
        raise ParameterError("`stdin` and `stdin_from` exclude each other", hint="leave one out")


def _argv(command: str, args: Sequence[str], shell: bool | None) -> list[str]:
    for name, texts in (("command", [command]), ("args", args)):
        if any("\0" in text for text in texts):
            raise ParameterError(f"`{name}` holds a NUL character, which no command can get")
        if not all(map(_has_bytes, texts)):
            raise ParameterError(f"`{name}` holds a lone surrogate, which no command can get")
    if not command.strip():
        raise ParameterError("`command` is empty", hint="name a program or a line for the shell")
    if not shell:
        return [command, *args]
    return [_SHELL, "-c", command, *(["sh", *args] if args else [])]


def _has_bytes(text: str) -> bool:
    """Whether a command can get it. A byte that is no UTF-8 is one of the surrogates that have."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


async def _foresee(
    ctx: Context, argv: list[str], working_dir: str | None, records: Records | None
) -> Executed:
    """Say what would run, and let the producers go on."""
    from gxo.runtime.functions.printing import shellquote  # only in a dry run

    if working_dir is not None:
        with suppress(Unknown):  # a folder that would have been made before
            await _folder(ctx, working_dir)
    words = argv[2:3] if argv[:2] == [_SHELL, "-c"] else [shellquote(word) for word in argv]
    summary: Executed = ctx.would(f"run: {' '.join(words)}", writes=".")
    if records is not None:
        async for _ in records:
            pass
    return summary


def _variables(
    ctx: Context, environment: Sequence[str] | None, env: Mapping[str, str] | None
) -> dict[str, str]:
    if environment is None:
        variables = ctx.child_environment()
    else:
        variables = {}
        for item in environment:
            name, equals, value = item.partition("=")
            if not equals:
                message = f"`environment` holds {name!r}, which is not `NAME=value`"
                raise ParameterError(message, hint="to add a variable by name, use `env`")
            variables[name] = value
    variables.update(env or {})
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name + value or not _has_bytes(name + value):
            raise ParameterError(
                f"the environment variable {name!r} cannot be set",
                hint="a name is not empty and holds no `=`; neither name nor value holds NUL, or "
                "half of a character",
            )
    return variables


async def _folder(ctx: Context, working_dir: str | None) -> str:
    if working_dir is None:
        return ctx.workspace.path
    return await ctx.thread(_resolve_folder, ctx.workspace, working_dir)


def _resolve_folder(workspace: Jail, working_dir: str) -> str:
    folder = workspace.resolve(working_dir)
    if not os.path.isdir(folder):
        raise ModuleError(f"`working_dir` {working_dir!r} is no folder")
    return folder


def _start(argv: list[str], folder: str, variables: dict[str, str], stdin: bool) -> Child:
    try:
        return spawn(argv, cwd=folder, environment=variables, stdin=stdin)
    except OSError as error:
        raise _not_started(argv[0], folder, error) from None


def _not_started(program: str, folder: str, error: OSError) -> ModuleError:
    place = os.path.join(folder, program) if "/" in program else None
    hint = None
    match error:
        case FileNotFoundError() if place is None:
            what = "is not on the PATH"
            hint = "install it, or give its path; for shell syntax set `shell: true`"
        case FileNotFoundError() if not os.path.lexists(place or ""):
            what = "does not exist"
            hint = _shell_hint(program)
        case FileNotFoundError() if not os.path.exists(place or ""):
            what = "is a link to something that does not exist"
        case FileNotFoundError():
            what = "names an interpreter in its first line that does not exist"
        case PermissionError() if place is not None and os.path.isdir(place):
            what = "is a folder"
        case PermissionError():
            what = "may not be executed"
            hint = "set its execute bit, or run it by its interpreter: `sh script`"
        case NotADirectoryError():
            what = "does not exist: a part of its path is no folder"
            hint = _shell_hint(program)
        case OSError(errno=8):  # ENOEXEC
            what = "is no program: its format is unknown"
            hint = "a script starts with a line such as `#!/bin/sh`"
        case OSError(errno=7):  # E2BIG
            what = "cannot be started: its arguments and environment are too long"
            hint = "pass large values by `stdin` or by a file"
        case _:
            what = f"cannot be started: {error.strerror}"
    return ModuleError(f"the command {program!r} {what}", hint=hint)


def _shell_hint(program: str) -> str | None:
    is_line = any(one.isspace() or one in ";|&<>$" for one in program)
    return "for shell syntax set `shell: true`" if is_line else None


async def _standard_output(
    ctx: Context, output: Output, out: Out | None, stdout_to: str | None, limit: int
) -> tuple[bytes, bool]:
    """What the summary gets, and whether something was cut off."""
    if stdout_to is None:
        return await _captured(ctx, output, limit)
    if out is None:
        await output.discard()
        return b"", False
    lines = _Lines(ctx, limit)
    reading = True
    while reading:
        piece = await output.read()
        reading = bool(piece)
        complete = lines.feed(piece) if reading else lines.rest()
        size = sum(map(len, complete)) + _LINE * len(complete)
        batch, faults = await ctx.offload(size, _records, complete, lines.number, stdout_to)
        for record, error in faults:
            await ctx.record_failed(record, error)
        if batch:
            await out.send(batch)
    return b"", lines.truncated


async def _captured(ctx: Context, output: Output, limit: int) -> tuple[bytes, bool]:
    """What of the output is kept, and whether there was more; all of it is read."""
    data, is_cut = await output.capture(limit + ctx.secret_reach)
    return within(ctx, data, is_cut, limit)


def _records(
    lines: list[bytes], last: int, form: str
) -> tuple[list[Record], list[tuple[Record, ModuleError]]]:
    """The records that lines stand for, and those that are none; `last` is the last number."""
    from gxo.stdlib.data._json import decode, told  # start-up: only streams need it

    batch: list[Record] = []
    faults: list[tuple[Record, ModuleError]] = []
    for number, line in enumerate(lines, last - len(lines) + 1):
        record: Record = {"line": line.decode(errors="replace"), "number": number}
        if form == "lines":
            batch.append(record)
        elif record["line"].strip():
            try:
                value = decode(record["line"])
            except ValueError as error:
                faults.append((record, ModuleError(f"line {number} is no JSON: {told(error)}")))
                continue
            batch.append(value if isinstance(value, dict) else {"value": value})
    return batch, faults


class _Lines:
    """Cuts pieces of output into lines, none of them longer than `limit` bytes."""

    def __init__(self, ctx: Context, limit: int) -> None:
        self.number = 0
        self.truncated = False
        self._ctx = ctx
        self._limit = limit
        self._most = limit + ctx.secret_reach + 1  # one byte more shows that there was more
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that the piece completes."""
        self._rest += piece
        if b"\n" not in piece:
            del self._rest[self._most :]
            return []
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        return self._counted(lines)

    def rest(self) -> list[bytes]:
        """The last line, when no newline ends it."""
        return self._counted([self._rest]) if self._rest else []

    def _counted(self, lines: list[bytearray]) -> list[bytes]:
        self.number += len(lines)
        return [bytes(self._whole_or_cut(line)).removesuffix(b"\r") for line in lines]

    def _whole_or_cut(self, line: bytearray) -> bytes | bytearray:
        if len(line) <= self._limit:
            return line
        self.truncated = True
        return self._ctx.cut(bytes(line), self._limit)


async def _feed(
    ctx: Context, pipe: Input | None, stdin: str | None, records: Records | None
) -> None:
    """Write the command's standard input and close it."""
    if pipe is None:
        return
    try:
        if stdin is not None:
            await pipe.write(await ctx.offload(len(stdin), stdin.encode, "utf-8", "replace"))
        elif records is not None:
            async for batch in records:
                text, faults = await ctx.offload(weight(batch), _json_lines, batch)
                for record, error in faults:
                    await ctx.record_failed(record, error)
                if not await pipe.write(text):
                    records.close()  # the command reads no more, and may go on for long
                    return
    finally:
        pipe.close()


def _json_lines(batch: list[Record]) -> tuple[bytes, list[tuple[Record, ModuleError]]]:
    """The records as text, without those that are no JSON."""
    import json  # start-up: only `stdin_from` needs it

    lines: list[str] = []
    faults: list[tuple[Record, ModuleError]] = []
    for record in batch:
        try:
            lines.append(json.dumps(record, ensure_ascii=False, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            faults.append((record, ModuleError(f"the record is no JSON: {error}")))
    return "".join(line + "\n" for line in lines).encode(errors="replace"), faults


def _failed(argv: list[str], status: int, stderr: str) -> ModuleError:
    shown = argv[2] if argv[:2] == [_SHELL, "-c"] else argv[0]
    hint = "set `check: false`, or list the code in `success_codes`, if that is no failure"
    return failure(f"the command {shown!r}", status, stderr, hint=hint)
