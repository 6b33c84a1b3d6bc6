"""Where the values of secrets come from: `--secrets env`, `dir:PATH` or `exec:CMD`.

A lookup takes a secret's name and returns its value. It holds nobody up, and raises SecretError;
what went wrong is said without anything of the value, nor of what a command wrote.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from gxo.runtime.errors import SecretError, UsageError

if TYPE_CHECKING:
    from gxo.runtime.host.process import Child

Lookup = Callable[[str], Awaitable[str]]

MAX_BYTES = 64 * 1024
COMMAND_SECONDS = 10.0

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


def parse_provider(option: str, environment: Mapping[str, str]) -> Lookup:
    """The lookup of the provider that `--secrets` names.

    UsageError for anything else, or a missing folder.
    """
    kind, _colon, rest = option.partition(":")
    if option == "env":
        return lambda name: _from_environment(environment, name)
    if kind == "dir" and rest:
        if not os.path.isdir(rest):
            raise UsageError(f"--secrets {option}: there is no folder {rest}")
        return lambda name: asyncio.to_thread(_from_folder, rest, name)
    if kind == "exec" and rest:
        command = _split(rest, option)
        return lambda name: _from_command(command, name, environment)
    raise UsageError(
        f"--secrets {option}: there is no such provider",
        hint="use env, dir:PATH (a file a secret) or exec:CMD (called with the name)",
    )


def _split(text: str, option: str) -> list[str]:
    import shlex  # only jobs that use such a provider need it

    try:
        command = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--secrets {option}: {str(error).lower()}") from error
    if not command:
        raise UsageError(f"--secrets {option}: the command is empty")
    return command


async def _from_environment(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if value is None:
        raise SecretError(
            f"the secret '{name}' is missing: it is not in the environment",
            hint=f"set {name}, or name another provider with --secrets dir:PATH or exec:CMD",
        )
    return _checked(name, value.encode("utf-8", "surrogateescape"))


def _from_folder(folder: str, name: str) -> str:
    """The file `name` of the folder. Links are followed as long as they stay in the folder.

    So a secret may be mounted as Kubernetes does it: TOKEN -> ..data/TOKEN, ..data -> ..2026_01_31.
    """
    from gxo.runtime.workspace.beneath import walk  # only with this provider

    try:
        parent = os.open(folder, _FOLDER)
        try:
            descriptor = walk(parent, name, _FILE, 0)
        finally:
            os.close(parent)
    except FileNotFoundError as error:
        message = f"the secret '{name}' is missing: there is no such file in {folder}"
        raise SecretError(message) from error
    except OSError as error:
        if error.errno == errno.EXDEV:
            message = f"the secret '{name}' is a symbolic link that leads out of {folder}"
            raise SecretError(message) from error
        reason = (error.strerror or str(error)).lower()
        raise SecretError(f"the secret '{name}' cannot be read: {reason}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretError(f"the secret '{name}' is no regular file in {folder}")
        content = bytearray()
        while piece := os.read(descriptor, MAX_BYTES):
            _extend(content, piece, name)
    finally:
        os.close(descriptor)
    return _checked(name, content)


async def _from_command(command: list[str], name: str, environment: Mapping[str, str]) -> str:
    """What the command prints; its whole process group is killed when it takes too long."""
    from gxo.runtime.host.clock import Clock  # only with this provider
    from gxo.runtime.host.process import spawn

    try:
        child = spawn([*command, name], cwd=".", environment=environment, stdin=False)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"the secret '{name}' is missing: cannot run {command[0]}: {reason}"
        raise SecretError(message) from error
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            output = await _output(child, name)
    except BaseException as error:
        await child.end(Clock(), grace=0.0)
        if isinstance(error, TimeoutError):
            raise _too_slow(name) from None
        raise
    code = child.close()
    if code != 0:
        raise SecretError(f"the secret '{name}' is missing: {command[0]} ended with code {code}")
    return _checked(name, output)


async def _output(child: "Child", name: str) -> bytearray:
    """What the command prints until it has ended; its errors are thrown away."""
    from gxo.runtime.host.tasks import run_all

    async def read() -> bytearray:
        content = bytearray()
        while piece := await child.stdout.read():
            _extend(content, piece, name)
        return content

    output, _, _ = await run_all(read(), child.stderr.discard(), child.wait())
    return bytearray(output)


def _extend(content: bytearray, piece: bytes, name: str) -> None:
    content += piece
    if len(content) > MAX_BYTES:
        raise SecretError(f"the secret '{name}' has more than {MAX_BYTES} bytes")


def _too_slow(name: str) -> SecretError:
    return SecretError(f"the secret '{name}' is missing: the provider's command took too long")


def _checked(name: str, data: bytes | bytearray) -> str:
    """The value as text, without one newline at its end."""
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    if not data:
        raise SecretError(f"the secret '{name}' is empty")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"the secret '{name}' is not text in UTF-8") from None  # shows the bytes
