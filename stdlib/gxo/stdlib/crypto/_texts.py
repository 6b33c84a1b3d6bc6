"""What is encrypted, hashed or signed: a text of the playbook, or a file that is read in pieces."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.filesystem._content import (
    NOT_BASE64,
    Encoding,
    check_encoding,
    check_path,
    to_bytes,
)
from gxo.stdlib.filesystem._copying import PIECE, pieces

_AT_ONCE = 16
"""Pieces between two looks at whether the workload was cancelled."""

MOST_LINES = 2_000
"""Of a plaintext in the state."""

MOST_SECRET = 64 * 1024
"""Bytes of one, as of a secret from a provider: finding it takes far more memory than it has."""

Take = Callable[[bytes | memoryview], object]


async def feed(
    ctx: Context, content: str | None, path: str | None, encoding: Encoding, take: Take
) -> int:
    """Give what the content stands for, or what is in the file, to `take`; how many bytes it was.

    `take` may be called in a thread. ParameterError, ModuleError: it cannot be read.
    """
    if path is None:
        data = await read_text(ctx, "content", content, encoding)
        return await ctx.offload(len(data), _feed, cut(data), take)
    check_path("path", path)
    size = 0
    with closing(pieces(ctx.workspace, path)) as steps:
        while more := await ctx.thread(_feed, islice(steps, _AT_ONCE), take):
            size += more
    return size


async def read_text(
    ctx: Context, name: str, text: str | None, encoding: Encoding, hint: str = NOT_BASE64
) -> bytes:
    """The bytes that a parameter stands for. ParameterError when it stands for none.

    hint: what to do about one that is no base64.
    """
    check_encoding(encoding)
    if text is None:
        raise ParameterError(f"`{name}` is not given, nor is a file")
    return await ctx.offload(len(text), to_bytes, text, encoding, name, hint)


def cut(data: bytes) -> Iterator[memoryview]:
    """The data in pieces that a call can take without holding up other threads for long."""
    view = memoryview(data)
    return (view[start : start + PIECE] for start in range(0, len(data), PIECE))


def _feed(data: Iterable[bytes | memoryview], take: Take) -> int:
    size = 0
    for piece in data:
        take(piece)
        size += len(piece)
    return size


def plain_text(data: bytes, encoding: Encoding) -> str:
    """Decrypted bytes as text. ModuleError when they are none; it does not quote them.

    Each line is a secret by itself, and looked for in all that leaves the job; so there are not
    too many.
    """
    if len(data) > MOST_SECRET:
        raise ModuleError(
            f"the plaintext has {len(data)} bytes, and the state takes a secret of 64 KiB",
            hint="decrypt a `source` into a `destination`",
        )
    if encoding == "base64":
        return b64encode(data).decode("ascii")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ModuleError(
            "the plaintext is no UTF-8 text", hint="`encoding: base64` gives any bytes"
        ) from None
    if (lines := text.count("\n")) > MOST_LINES:
        raise ModuleError(
            f"the plaintext has {lines} lines, and the state takes a secret of {MOST_LINES}",
            hint="decrypt a `source` into a `destination`, or take it by `encoding: base64`",
        )
    return text
