"""Write the documentation that is made from code; with `--check`, say what is not fresh."""

import sys
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.docs import stale_docs, write_docs
from gxo.compiler.modules.index import Library, standard_roots

MODULES = Path(__file__).resolve().parents[2] / "docs" / "modules"


def main() -> int:
    diagnostics = Diagnostics()
    library = Library(standard_roots(), diagnostics)
    if "--check" not in sys.argv[1:]:
        write_docs(str(MODULES), library)
        return 0
    stale = stale_docs(str(MODULES), library)
    for name in stale:
        print(f"docs/modules/{name} is not fresh; `make docs` writes it")
    if not stale:
        print("generated documentation: fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
