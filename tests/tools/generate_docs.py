"""Write the documentation that is made from code; with `--check`, say what is not fresh."""

import sys
from pathlib import Path

import function_docs

from gxo.compiler.codes.page import document
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.docs import stale_docs, write_docs
from gxo.compiler.modules.index import Library, standard_roots

DOCS = Path(__file__).resolve().parents[2] / "docs"
MODULES = DOCS / "modules"
PAGES = {"diagnostics.md": document, "functions.md": function_docs.document}


def main() -> int:
    library = Library(standard_roots(), Diagnostics())
    if "--check" not in sys.argv[1:]:
        write_docs(str(MODULES), library)
        for name, text in PAGES.items():
            (DOCS / name).write_text(text(), encoding="utf-8")
        return 0
    stale = [f"modules/{name}" for name in stale_docs(str(MODULES), library)]
    stale += [
        name
        for name, text in PAGES.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != text()
    ]
    for name in stale:
        print(f"docs/{name} is not fresh; `make docs` writes it")
    if not stale:
        print("generated documentation: fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
