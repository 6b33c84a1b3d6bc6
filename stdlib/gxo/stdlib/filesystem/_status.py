"""What is known about a file without reading it: the fields that `stat` and `list` share."""

import os
import stat
from collections.abc import Callable
from typing import NotRequired, TypedDict

from gxo.runtime.errors import ParameterError
from gxo.runtime.host.clock import rfc3339
from gxo.stdlib._sizes import shown_text


class Status(TypedDict):
    path: str
    exists: bool
    size: NotRequired[int]
    mode: NotRequired[str]
    is_dir: NotRequired[bool]
    modified_time: NotRequired[str]
    owner: NotRequired[str]
    group: NotRequired[str]
    checksum: NotRequired[str]


def describe(path: str, status: os.stat_result) -> Status:
    """The fields of a file that exists. May block (names of users): for `ctx.thread`."""
    return {
        "path": path,
        "exists": True,
        "size": status.st_size,
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "is_dir": stat.S_ISDIR(status.st_mode),
        "modified_time": rfc3339(status.st_mtime),
        "owner": user_name(status.st_uid),
        "group": group_name(status.st_gid),
    }


def user_name(number: int) -> str:
    """The user's name, or the number when it has none."""
    import pwd  # start-up

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """The group's name, or the number when it has none."""
    import grp  # start-up

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def user_number(name: str | None) -> int | None:
    """Of a user's name, or of a number as text. ParameterError when there is no such user."""
    import pwd  # start-up

    return _number("owner", "user", name, lambda name: pwd.getpwnam(name).pw_uid)


def group_number(name: str | None) -> int | None:
    """Of a group's name, or of a number as text. ParameterError when there is no such group."""
    import grp  # start-up

    return _number("group", "group", name, lambda name: grp.getgrnam(name).gr_gid)


def _number(
    parameter: str, kind: str, name: str | None, look_up: Callable[[str], int]
) -> int | None:
    if name is None:
        return None
    if name.isascii() and name.isdigit() and int(name) < 1 << 32:
        return int(name)
    if len(name) > _LONGEST_NAME:  # the system's look-up ends the process with one of megabytes
        raise ParameterError(f"`{parameter}`: no {kind} has a name of {len(name)} characters")
    try:
        return look_up(name)
    except (KeyError, ValueError):
        raise ParameterError(f"`{parameter}`: this host has no {kind} {shown_text(name)}") from None


_LONGEST_NAME = 256
