"""What is known about a file without reading it: the fields that `stat` and `list` share."""

import os
import stat
from typing import NotRequired, TypedDict

from gxo.runtime.host.clock import rfc3339


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
        "owner": _user(status.st_uid),
        "group": _group(status.st_gid),
    }


def _user(number: int) -> str:
    import pwd  # start-up

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    import grp  # start-up

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
