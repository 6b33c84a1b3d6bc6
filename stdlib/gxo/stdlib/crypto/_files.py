"""Files that are made of others in pieces; nothing of one is seen before it is complete."""

from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.stdlib._sizes import shown_size
from gxo.stdlib._spool import Spool
from gxo.stdlib.filesystem._content import check_path, mode_bits


class Files(NamedTuple):
    """What is read, what is written, and the permissions of that."""

    source: str
    destination: str | None
    mode: str


def check_text(destination: str | None) -> None:
    """ParameterError when something is to be written that is a text in the summary."""
    if destination is not None:
        hint = "`filesystem:write` puts a text into a file"
        raise ParameterError(
            "`destination` is where a `source` goes, which is not given", hint=hint
        )


async def written(
    ctx: Context, files: Files, steps: Generator[bytes, None, None], *, private: bool
) -> Any:
    """Write the pieces that come of the source; the summary: `path`, and `size` in bytes.

    private: no diff shows them. Raises: ParameterError, ModuleError
    """
    check_path("source", files.source)
    if files.destination is None:
        raise ParameterError("`destination` is not given: where the file goes that is made")
    check_path("destination", files.destination)
    bits = mode_bits(files.mode)
    with closing(steps), Spool(ctx, files.destination, bits, private=private) as spool:
        await spool.check()
        while (piece := await ctx.thread(next, steps, None)) is not None:
            await spool.add(piece)
        await spool.save()
    result = {"path": files.destination, "size": spool.size}
    if not ctx.dry_run:
        return result
    return ctx.would(f"write {files.destination} ({shown_size(spool.size)})", result)
