"""Where the values of secrets come from: `--secrets env`, `dir:PATH` or `exec:CMD`.

A lookup takes a secret's name and returns its value. It may block, and raises SecretError; what
went wrong is said without anything of the value, nor of what a command wrote.
"""

import os
import select
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from gxo.runtime.errors import SecretError, UsageError

Lookup = Callable[[str], str]

MAX_BYTES = 64 * 1024
COMMAND_SECONDS = 10.0

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Provider:
    """A lookup, and whether it may block (then it is called in a thread)."""

    __slots__ = ("blocks", "lookup")

    def __init__(self, lookup: Lookup, *, blocks: bool) -> None:
        self.lookup = lookup
        self.blocks = blocks


def parse_provider(option: str, environment: Mapping[str, str]) -> Provider:
    """The provider that `--secrets` names. UsageError for anything else, or a missing folder."""
    kind, _colon, rest = option.partition(":")
    if option == "env":
        return Provider(lambda name: _from_environment(environment, name), blocks=False)
    if kind == "dir" and rest:
        if not os.path.isdir(rest):
            raise UsageError(f"--secrets {option}: there is no folder {rest}")
        return Provider(lambda name: _from_folder(rest, name), blocks=True)
    if kind == "exec" and rest:
        command = _split(rest, option)
        return Provider(lambda name: _from_command(command, name, COMMAND_SECONDS), blocks=True)
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


def _from_environment(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if value is None:
        raise SecretError(
            f"the secret '{name}' is missing: it is not in the environment",
            hint=f"set {name}, or name another provider with --secrets dir:PATH or exec:CMD",
        )
    return _checked(name, value.encode("utf-8", "surrogateescape"))


def _from_folder(folder: str, name: str) -> str:
    """The file `name` of the folder: a regular one, no link."""
    try:
        parent = os.open(folder, _FOLDER)
        try:
            descriptor = os.open(name, _FILE, dir_fd=parent)
        finally:
            os.close(parent)
    except FileNotFoundError as error:
        message = f"the secret '{name}' is missing: there is no such file in {folder}"
        raise SecretError(message) from error
    except OSError as error:
        if os.path.islink(os.path.join(folder, name)):
            raise SecretError(f"the secret '{name}' is a symbolic link in {folder}") from error
        reason = (error.strerror or str(error)).lower()
        raise SecretError(f"the secret '{name}' cannot be read: {reason}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretError(f"the secret '{name}' is no regular file in {folder}")
        return _checked(name, _read(descriptor, name, None))
    finally:
        os.close(descriptor)


def _from_command(command: list[str], name: str, seconds: float) -> str:
    """What the command prints; its whole process group is killed when it takes too long."""
    try:
        process = subprocess.Popen(
            [*command, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"the secret '{name}' is missing: cannot run {command[0]}: {reason}"
        raise SecretError(message) from error
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    try:
        output = _read(process.stdout.fileno(), name, deadline)
        code = process.wait(max(deadline - time.monotonic(), 0))
    except BaseException as error:
        # The command itself may have ended and left children; not waited for, it keeps the group's
        # number, so no stranger is killed.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise _too_slow(name) from None  # its message would show the command's arguments
        raise
    finally:
        process.stdout.close()
    if code != 0:
        raise SecretError(f"the secret '{name}' is missing: {command[0]} ended with code {code}")
    return _checked(name, output)


def _read(descriptor: int, name: str, deadline: float | None) -> bytes:
    """Everything, within the limits of size and (if there is a deadline) of time."""
    parts: list[bytes] = []
    length = 0
    while True:
        if deadline is not None:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([descriptor], [], [], left)[0]:
                raise _too_slow(name)
        part = os.read(descriptor, MAX_BYTES)
        if not part:
            return b"".join(parts)
        parts.append(part)
        length += len(part)
        if length > MAX_BYTES:
            raise SecretError(f"the secret '{name}' has more than {MAX_BYTES} bytes")


def _too_slow(name: str) -> SecretError:
    return SecretError(f"the secret '{name}' is missing: the provider's command took too long")


def _checked(name: str, data: bytes) -> str:
    """The value as text, without one newline at its end."""
    if data.endswith(b"\n"):
        data = data[:-2] if data.endswith(b"\r\n") else data[:-1]
    if not data:
        raise SecretError(f"the secret '{name}' is empty")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"the secret '{name}' is not text in UTF-8") from None  # shows the bytes
