"""The module `filesystem:manage`."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import FileMode, WorkspacePath, module, reads, writes
from gxo.runtime.workspace.entries import (
    check_target,
    link_target,
    make_link,
    remove,
    set_mode,
    set_owner,
)
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib._sizes import shown_size, shown_text
from gxo.stdlib.filesystem._content import check_path, mode_bits
from gxo.stdlib.filesystem._copying import has, pieces
from gxo.stdlib.filesystem._status import group_name, group_number, user_name, user_number

State = Literal["present", "absent", "directory", "link"]

KINDS = {"present": stat.S_IFREG, "directory": stat.S_IFDIR, "link": stat.S_IFLNK}

ONLY_FOR = {"content": "present", "source": "present", "target": "link"}
"""Parameters that belong to one state."""


class Change(TypedDict):
    """What was there, and what is now; null for nothing."""

    before: str | None
    after: str | None


class Managed(TypedDict):
    """The `path` and its `state`; whether something was `changed`; `diff`, what was.

    diff: by what differs: `state`, `content` (how many bytes), `target`, `mode`, `owner`, `group`.
    """

    path: str
    state: str
    changed: bool
    diff: dict[str, Change]


@dataclass
class Wanted:
    """How an entry shall be. content, source: where its bytes come from. user, group: numbers."""

    path: str
    state: State
    content: bytes | None
    source: str | None
    target: str | None
    user: int | None
    group: int | None
    bits: int | None
    recursive: bool
    diff: dict[str, Change] = field(default_factory=dict)

    def note(self, what: str, before: str | None, after: str | None) -> None:
        """Remember the first difference of a kind."""
        self.diff.setdefault(what, {"before": before, "after": after})


@module(
    "filesystem:manage",
    changes="by_call",
    effects=[writes("path"), reads("source")],
    idempotent=True,
    returns={"path": ["path"], "state": [], "diff": []},
)
async def manage(
    ctx: Context,
    *,
    path: WorkspacePath,
    state: State,
    content: str | None = None,
    source: WorkspacePath | None = None,
    target: str | None = None,
    owner: str | None = None,
    group: str | None = None,
    mode: FileMode | None = None,
    recursive: bool = False,
) -> Managed:
    """See to it that a file, a folder or a link is there as described, or that nothing is.

    What is so already is left alone, so a second call changes nothing. A file is written with its
    parent folders, and replaced as a whole; without `content` and `source` one that is there keeps
    what it holds. Something of another kind in its place is an error, and so is a folder that is
    not empty and shall be absent, unless `recursive` is set. A link may lead to what is not there,
    but not out of the workspace.

    In a dry run nothing is changed, and what would be is said.

    Args:
        path: the entry, inside the workspace
        state: `present` is a file, `directory` a folder, `link` a symbolic link
        content: the text that the file holds
        source: a file in the workspace whose copy it is
        target: where the link leads, relative to the folder that it is in
        owner: the name or number of the user whom it belongs to
        group: the name or number of its group
        mode: its permissions in octal; without it a new file has 0644, a new folder what the umask
            leaves
        recursive: whether `owner`, `group` and `mode` are for all that is in the folder too, where
            files can be executed only if they could be before; or, with `absent`, whether what is
            in the folder is removed with it

    Returns:
        `path`, `state`, `changed`, and `diff`: what differed, before and after.

    Raises:
        Something else is in its place, permission is denied, the disk is full, there is no such
        user or group, or parameters are given that do not belong to the state.

    Example:
        name: config
        lifecycle: {policy: run_once}
        process:
          module: filesystem:manage
          params:
            path: app/config
            state: directory
            mode: "0750"
    """
    given = {"content": content, "source": source, "target": target}
    _check(path, state, given)
    wanted = Wanted(
        path,
        state,
        None if content is None else content.encode(),
        source,
        target,
        await ctx.thread(user_number, owner),
        await ctx.thread(group_number, group),
        None if mode is None else mode_bits(mode),
        recursive,
    )
    files = ctx.workspace
    if wanted.content is not None:
        text = wanted.content
        await ctx.show_diff(path, lambda: text)
    await ctx.thread(_bring_about, files, wanted, not ctx.dry_run)
    result: Managed = {
        "path": path,
        "state": state,
        "changed": bool(wanted.diff),
        "diff": wanted.diff,
    }
    return _foreseen(ctx, result) if ctx.dry_run else result


def _check(path: str, state: str, given: dict[str, str | None]) -> None:
    check_path("path", path)
    if state not in ("absent", *KINDS):
        raise ParameterError(
            f"`state` is {shown_text(state)}: it is present, absent, directory or link"
        )
    for name, belongs in ONLY_FOR.items():
        if given[name] is not None and state != belongs:
            raise ParameterError(f"`{name}` is only for `state: {belongs}`, not for {state}")
    if given["content"] is not None and given["source"] is not None:
        raise ParameterError("give one of `content` and `source`")
    if state == "link" and not given["target"]:
        raise ParameterError("`state: link` needs a `target`")


def _foreseen(ctx: Context, result: Managed) -> Managed:
    path, diff = result["path"], result["diff"]
    if not diff:
        summary: Managed = ctx.would(f"leave {path} as it is", result, changes=False)
    elif result["state"] == "absent":
        summary = ctx.would(f"remove {path}", result, removes=path)
    else:
        what = ", ".join(
            f"{name} {change['before'] or 'nothing'} -> {change['after']}"
            for name, change in diff.items()
        )
        is_new = "state" in diff
        summary = ctx.would(f"change {path}: {what}", result, writes=path if is_new else None)
    return summary


def _bring_about(files: Jail, wanted: Wanted, act: bool) -> None:
    """Find what differs, and change it if `act`."""
    there = files.lstat(wanted.path)
    if wanted.state == "absent":
        if there is not None:
            _remove(files, wanted, there.st_mode, act)
        return
    path = wanted.path
    if wanted.state == "present" and there is not None and stat.S_ISLNK(there.st_mode):
        there = files.stat(path) if files.exists(path) else None
        path = files.resolve(path) if there is not None else path
    kind = KINDS[wanted.state]
    if there is not None and stat.S_IFMT(there.st_mode) != kind:
        raise ModuleError(
            f"'{wanted.path}' is a {_kind(there.st_mode)}, not a {_kind(kind)}",
            hint="remove it first, with `state: absent`",
        )
    if there is None:
        wanted.note("state", "absent", wanted.state)
    if wanted.state == "present":
        _have_file(files, wanted, there is not None, act)
    elif wanted.state == "link":
        _have_link(files, wanted, there is not None, act)
    elif there is None and act:
        files.make_directory(wanted.path)
    if act or there is not None:
        _have_attributes(files, wanted, path, act)
        if wanted.recursive and wanted.state == "directory":
            for name, _ in files.scan(wanted.path, recursive=True):
                _have_attributes(files, wanted, f"{wanted.path}/{name}", act, below=True)


def _remove(files: Jail, wanted: Wanted, mode: int, act: bool) -> None:
    if stat.S_ISDIR(mode) and not wanted.recursive and any(True for _ in files.scan(wanted.path)):
        raise ModuleError(
            f"the folder '{wanted.path}' is not empty",
            hint="`recursive: true` removes what is in it too",
        )
    wanted.note("state", _kind(mode), "absent")
    if act:
        remove(files, wanted.path, tree=wanted.recursive)


def _have_file(files: Jail, wanted: Wanted, is_there: bool, act: bool) -> None:
    def content() -> Iterator[bytes]:
        if wanted.source is not None:
            return pieces(files, wanted.source)
        return iter([wanted.content or b""])

    has_content = wanted.content is not None or wanted.source is not None
    if is_there and (not has_content or has(files, wanted.path, content())):
        return
    if has_content:
        before = shown_size(files.stat(wanted.path).st_size) if is_there else None
        wanted.note("content", before, shown_size(sum(map(len, content()))))
    if act:
        bits = wanted.bits if wanted.bits is not None else None if is_there else 0o644
        files.write(wanted.path, content(), bits)


def _have_link(files: Jail, wanted: Wanted, is_there: bool, act: bool) -> None:
    assert wanted.target is not None
    with files.doing("link", wanted.path):
        check_target(files, wanted.path, wanted.target)
    before = link_target(files, wanted.path) if is_there else None
    if before != wanted.target:
        wanted.note("target", before, wanted.target)
        if act:
            make_link(files, wanted.path, wanted.target)


def _have_attributes(
    files: Jail, wanted: Wanted, path: str, act: bool, *, below: bool = False
) -> None:
    """The owner first: giving a file away takes its set-user-ID bits. below: not the entry itself,
    but something in it."""
    there = files.lstat(path)
    if there is None:  # removed meanwhile
        return
    user = wanted.user if wanted.user not in (None, there.st_uid) else None
    group = wanted.group if wanted.group not in (None, there.st_gid) else None
    if user is not None:
        wanted.note("owner", user_name(there.st_uid), user_name(user))
    if group is not None:
        wanted.note("group", group_name(there.st_gid), group_name(group))
    if act and (user is not None or group is not None):
        set_owner(files, path, -1 if user is None else user, -1 if group is None else group)
    if stat.S_ISLNK(there.st_mode) or wanted.bits is None:
        return
    bits = wanted.bits
    if below and not stat.S_ISDIR(there.st_mode) and not there.st_mode & 0o111:
        bits &= ~0o111
    if (before := stat.S_IMODE(there.st_mode)) != bits:
        wanted.note("mode", f"{before:04o}", f"{bits:04o}")
        if act:
            set_mode(files, path, bits)


def _kind(mode: int) -> str:
    """What people call it."""
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "special file")
