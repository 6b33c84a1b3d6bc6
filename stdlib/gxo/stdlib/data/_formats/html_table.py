"""Records as a table in HTML, a row a record, every text escaped.

before:  {"name": "a & b", "n": 1}
after:   <table>
         <thead><tr><th>name</th><th>n</th></tr></thead>
         <tbody>
         <tr><td>a &amp; b</td><td>1</td></tr>
         </tbody>
         </table>
"""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from gxo.runtime.spec import Record
from gxo.runtime.streams.tables import Batch

if TYPE_CHECKING:
    from gxo.stdlib.data._writers import CsvWriter


class HtmlTableWriter:
    """The rows of a table. head: whether the columns' names stand above them."""

    separator = ""

    def __init__(self, table: "CsvWriter", head: bool) -> None:
        self._table = table
        self._head = head

    def open(self, first: Record | None) -> str:
        self._table.open(first)
        if not self._head:
            return "<table>\n<tbody>\n"
        head = "".join([f"<th>{escape(name)}</th>" for name in self._table.columns])
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"

    def encode(self, batch: Batch) -> str:
        return "".join(map(_row, self._table.rows(batch)))

    def at_once(self, batch: Batch) -> str | None:  # noqa: ARG002 - it may always be long
        return None

    def close(self) -> str:
        return "</tbody>\n</table>\n"


def _row(cells: Sequence[Any]) -> str:
    texts = ["" if cell is None else escape(str(cell)) for cell in cells]
    return f"<tr>{''.join([f'<td>{text}</td>' for text in texts])}</tr>\n"
