"""What the pages of our shop need: their addresses, and what crawlers leave alone."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Each, WorkspacePath, module, writes
from gxo.runtime.streams.ports import Out, Records

from ._numbered import Numbered


class Slugged(TypedDict):
    records: int
    renamed: int


@module("shop:slug", per_record=True, needs=["python-slugify==8.0.4"])
async def slug(
    ctx: Context, records: Records, out: Out | None, *, text: Each[str], field: str, most: int = 80
) -> Slugged:
    """Add the address of its page to each record: a text in lower case without accents.

    No two records get the same address: the second one ends in `-2`, the third one in `-3`.

    Args:
        text: what the address is made of
        field: the field that gets it
        most: how many characters it has at most, without the number

    Returns:
        `records`, how many there were; `renamed`, how many of them got a number.

    Raises:
        `most` is less than 1. A text without a letter or digit is a record error.

    Example:
        name: pages
        lifecycle: {policy: run_once}
        stream_inputs: [products]
        process:
          module: shop:slug
          params: {text: "{{ .title }}", field: page}
    """
    from slugify import slugify  # here, so that only who calls this module waits for it

    if most < 1:
        raise ParameterError(f"`most` is {most}, and must be 1 or more")
    numbered = Numbered()
    received = 0
    async for batch in records:
        sent = []
        for record in batch:
            received += 1
            try:
                name = slugify(text(record), max_length=most)
                if not name:
                    raise ValueError("the text has no letter and no digit")
                sent.append({**record, field: numbered.name(name)})
            except Exception as error:
                await ctx.record_failed(record, error, received)
        if out is not None:
            await out.send(sent)
    return {"records": received, "renamed": numbered.renamed}


class Robots(TypedDict):
    path: str
    changed: bool


@module("shop:robots", changes="by_call", idempotent=True, effects=[writes("path")])
async def robots(
    ctx: Context, *, path: WorkspacePath, hide: list[str], comment: str = ""
) -> Robots:
    """Write the file that tells crawlers which pages to leave alone.

    Args:
        path: the file
        hide: beginnings of addresses, each with a slash in front
        comment: a line for people at its top

    Returns:
        `path`; `changed`, whether it had to be written.

    Raises:
        An address in `hide` has no slash in front.

    Example:
        name: robots
        lifecycle: {policy: run_once}
        process:
          module: shop:robots
          params: {path: robots.txt, hide: ["/cart"]}
    """
    for address in hide:
        if not address.startswith("/"):
            raise ParameterError(f"`hide` has {address!r}", hint="begin an address with a slash")
    lines = [f"# {comment}", "User-agent: *", *(f"Disallow: {address}" for address in hide)]
    data = "".join(f"{line}\n" for line in lines).encode()
    workspace = ctx.workspace
    changed = not workspace.exists(path) or workspace.read(path, 1 << 20) != data
    if changed:
        await ctx.show_diff(path, lambda: data)
        await ctx.complete(workspace.write, path, data, 0o644)
    summary: Robots = {"path": path, "changed": changed}
    if ctx.dry_run:
        summary = ctx.would(f"write {path}", summary, changes=changed)
    return summary
