"""The body of a request: bytes, or files of the workspace that are read while they are sent.

form: {kind: daily}, files: [{field: report, path: out/report.csv}]
  -> Content-Type: multipart/form-data; boundary=...
     `kind`, then `report` with the file's name, type and content
"""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import WorkspacePath
from gxo.runtime.workspace.jail import REGULAR, check_regular
from gxo.stdlib._spool import PIECE
from gxo.stdlib.http._fields import (
    Fields,
    as_json,
    check_text,
    has,
    has_break,
    to_bytes,
    with_field,
)

_FORM = b"application/x-www-form-urlencoded"


class File(TypedDict):
    """A file in a form.

    field: the form's field, which several files may share. path: in the workspace. name: what the
    server is told that it is called, by default the last part of the path. type: its media type, by
    default what the name's ending says.
    """

    field: str
    path: WorkspacePath
    name: NotRequired[str]
    type: NotRequired[str]


class Body(NamedTuple):
    """What the playbook gives for the body: at most one, but `form` and `files` together."""

    body: str | None
    body_from: str | None
    json: Any
    form: Mapping[str, Any] | None
    files: Sequence[File] | None

    def check(self) -> None:
        """ParameterError when it gives several."""
        form = self.form if self.files is None else self.files
        if sum(one is not None for one in (self.body, self.body_from, self.json, form)) > 1:
            raise ParameterError(
                "give at most one of `body`, `body_from`, `json` and `form`",
                hint="only `form` and `files` go together",
            )

    async def open(
        self, ctx: Context, fields: Fields, stack: ExitStack
    ) -> "tuple[Fields, bytes | Streamed | None]":
        """The headers with what the body adds to them, and the body. The stack closes its files."""
        if self.files is not None:
            if has(fields, "Content-Type"):
                message = "the Content-Type of a form with files has the form's boundary in it"
                raise ParameterError(message, hint="leave that header out")
            boundary = os.urandom(16).hex()
            fields = with_field(
                fields, "Content-Type", f"multipart/form-data; boundary={boundary}".encode()
            )
            parts = _multipart(self.form or {}, self.files, boundary)
        elif self.body_from is not None:
            parts = iter([Source(self.body_from)])
        else:
            fields, content = await ctx.offload(weight(list(self)), self._in_memory, fields)
            _check_length(fields, len(content or b""))
            return fields, content
        streamed = await ctx.thread(Streamed, ctx, list(parts), stack)
        _check_length(fields, streamed.size)
        return with_field(fields, "Content-Length", b"%d" % streamed.size), streamed

    def _in_memory(self, fields: Fields) -> tuple[Fields, bytes | None]:
        if self.body is not None:
            return fields, to_bytes("body", self.body)
        if self.json is not None:
            return with_field(fields, "Content-Type", b"application/json"), as_json(self.json)
        if self.form is not None:
            import httpx

            pairs = httpx.QueryParams(plain_values("form", self.form))
            return with_field(fields, "Content-Type", _FORM), str(pairs).encode()
        return fields, None


class Source(NamedTuple):
    """A file to send, by its path in the workspace."""

    path: str


class Streamed:
    """Bytes and files, one after the other; each iteration begins anew.

    size: of all of it, in bytes.
    """

    def __init__(self, ctx: Context, parts: Sequence[bytes | Source], stack: ExitStack) -> None:
        """Open the files, which the stack closes: also when nobody waits for this any more."""
        self.size = 0
        self._ctx = ctx
        self._parts: list[bytes | tuple[Source, int, int]] = []
        for part in parts:
            if isinstance(part, bytes):
                self._parts.append(part)
                self.size += len(part)
                continue
            with ctx.workspace.doing("read", part.path):
                descriptor = ctx.workspace.open(part.path, os.O_RDONLY | REGULAR)
                stack.callback(os.close, descriptor)
                check_regular(descriptor)
            size = os.fstat(descriptor).st_size
            self._parts.append((part, descriptor, size))
            self.size += size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            source, descriptor, size = part
            at = 0
            while at < size:
                with self._ctx.workspace.doing("read", source.path):
                    length = min(PIECE, size - at)
                    piece = await self._ctx.thread(os.pread, descriptor, length, at)
                if not piece:
                    raise ModuleError(f"'{source.path}' became shorter while it was sent")
                at += len(piece)
                yield piece


def _check_length(fields: Fields, size: int) -> None:
    """ParameterError when a header promises another length than the body has."""
    for name, value in fields:
        if name.lower() == b"content-length" and value != b"%d" % size:
            message = f"headers: Content-Length is not {size}, which is how long the body is"
            raise ParameterError(message, hint="leave that header out")


def _multipart(
    form: Mapping[str, Any], files: Sequence[File], boundary: str
) -> Iterator[bytes | Source]:
    """The parts of a form (RFC 7578): its fields, then its files."""
    begin = f"--{boundary}\r\nContent-Disposition: form-data; name="
    for name, values in plain_values("form", form).items():
        for one in values if isinstance(values, list) else [values]:
            said = "" if one is None else one
            yield to_bytes("form", f"{begin}{_quoted(name)}\r\n\r\n{said}\r\n")
    for place, file in enumerate(files):
        name = file.get("name", os.path.basename(file["path"]))
        type_ = file["type"] if "type" in file else _guessed(name)
        if has_break(type_) or not type_.isascii():
            raise ParameterError(f"files[{place}].type is no media type")
        head = f"{begin}{_quoted(file['field'])}; filename={_quoted(name)}"
        yield to_bytes(f"files[{place}]", f"{head}\r\nContent-Type: {type_}\r\n\r\n")
        yield Source(file["path"])
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """A name in a part's head, with what would end it written as browsers do."""
    if "\0" in name:
        raise ParameterError("the name of a form's field or file has a NUL in it")
    return '"' + name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A") + '"'


def _guessed(name: str) -> str:
    """The type that Python knows for the name, whatever the host's own tables say."""
    import mimetypes

    type_, encoding = mimetypes.MimeTypes().guess_type(name)
    return type_ if type_ is not None and encoding is None else "application/octet-stream"


def plain_values(param: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a query or form as httpx takes them. param: what the playbook calls them."""
    return {_plain(param, name): _plain(param, value) for name, value in values.items()}


def _plain(param: str, value: Any) -> Any:
    match value:
        case str():
            check_text(param, value)
            return value
        case list() | tuple():
            return [_plain(param, each) for each in value]
        case bool():
            return "true" if value else "false"
        case None | int() | float():
            return value
    raise ParameterError("a map cannot be the value of a query parameter or a form's field")
