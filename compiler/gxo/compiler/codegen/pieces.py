"""A file of generated code in pieces: its head, then one for each workload.

    rendered, with marks      # a: exec
                              async def a(ctx: Context) -> Executed:
                                  return await exec_(ctx, command=<0>ctx.vars["tool"]</0>)
    Piece                     the text as black leaves it, ["a"], where <0> is in it

What a piece becomes depends on its own text alone, so that of a large program it is kept by that:
the next compilation looks at nothing but the pieces that have changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import NamedTuple

from gxo.compiler.codegen.formatting import LINE_LENGTH, formatter
from gxo.compiler.codegen.gate import check, defined, format_checked
from gxo.compiler.codegen.sourcemap import Place, find_places, without_marks
from gxo.compiler.kept import kept

BETWEEN = "\n\n"
"""What stands between two pieces of a file, each of which ends its line."""

Finish = Callable[[str], "Piece"]


class Piece(NamedTuple):
    """Finished code: its text, the names of its functions, and where its marked expressions are."""

    text: str
    names: list[str]
    places: list[Place]


@contextmanager
def finishing(program: str, workloads: int, *, pretty: bool) -> Iterator[Finish]:
    """A function that makes a piece of a rendered text with marks; with `pretty`, a formatted one.

    program: what tells the program from others. The function raises `gate.GateError`.
    """
    decides = (version("black"), LINE_LENGTH) if pretty else ()
    with (
        kept("pieces", program, workloads, pretty, *decides) as known,
        formatter() as formatted,
    ):

        def finish(marked: str) -> Piece:
            made = known.get_plain(
                marked.encode(), lambda: _finished(marked, formatted if pretty else None)
            )
            return Piece(*made)

        yield finish


def _finished(marked: str, formatted: Callable[[str], str] | None) -> Piece:
    text = without_marks(marked)
    if formatted:
        text, tree = format_checked(text, formatted)
    else:
        tree = check(text)
    return Piece(text, list(defined(tree)), find_places(tree, marked))
