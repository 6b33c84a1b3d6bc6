"""Writes the template parser's tables (`template/tables.json`) when gxo is built or installed.

hatchling runs the hook below, for wheels and for editable installs; `python
compiler/build_tables.py` does the same by hand. What the tables are is said in
`gxo/compiler/template/tables.py`.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))

from gxo.compiler.template.tables import TABLES, serialized


class TablesHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        write()


def write() -> None:
    """Write the tables beside the grammar, all or nothing."""
    unfinished = TABLES.with_suffix(".new")
    unfinished.write_text(serialized(), encoding="utf-8")
    unfinished.replace(TABLES)


if __name__ == "__main__":
    write()
