"""Hold the import arrows: cli -> daemon -> compiler -> stdlib -> runtime, and the stages' own order.

Every import of `gxo.*` in the product is looked up in the table below; one that is not in it fails.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# importer's prefix -> prefixes it may import; the longest importer prefix decides.
ARROWS: dict[str, tuple[str, ...]] = {
    "gxo.cli": ("gxo",),
    "gxo.testing": ("gxo",),
    "gxo.testrun": ("gxo.compiler", "gxo.runtime", "gxo.testrun"),
    "gxo.stdlib": ("gxo.runtime", "gxo.stdlib"),
    "gxo.runtime": ("gxo.runtime",),
    "gxo.compiler.driver": ("gxo.compiler",),
    "gxo.compiler.generated": ("gxo.compiler",),
    "gxo.compiler.crash": ("gxo.compiler.version",),
    "gxo.compiler.compare": ("gxo.compiler",),
    "gxo.compiler.codes": ("gxo.compiler.codes", "gxo.compiler.diagnostics"),
    "gxo.compiler.diagnostics": (),
    "gxo.compiler.source": ("gxo.compiler.diagnostics",),
    "gxo.compiler.types": (),
    "gxo.compiler.effects": (),
    "gxo.compiler.imports": (),
    "gxo.compiler.frozen": (),
    "gxo.compiler.kept": (
        "gxo.compiler.version",
        "gxo.runtime.errors",
        "gxo.runtime.host.folders",
    ),
    "gxo.compiler.python_source": (),
    "gxo.compiler.textdiff": (),
    "gxo.compiler.rendering": ("gxo.compiler.diagnostics",),
    "gxo.compiler.sarif": ("gxo.compiler.diagnostics", "gxo.compiler.codes"),
    # An input's pattern, a cron expression and an unquoted text of YAML mean the same when compiling
    # and when the job runs.
    "gxo.compiler.frontend": (
        "gxo.runtime.cron",
        "gxo.runtime.errors",
        "gxo.runtime.regex",
        "gxo.runtime.yamltext",
        "gxo.compiler.frontend",
        "gxo.compiler.source",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frozen",
    ),
    "gxo.compiler.template": (
        "gxo.compiler.template",
        "gxo.compiler.python_source",
        "gxo.compiler.source",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frozen",
        "gxo.compiler.types",
    ),
    "gxo.compiler.modules": (
        "gxo.compiler.modules",
        "gxo.compiler.imports",
        "gxo.compiler.types",
        "gxo.compiler.diagnostics",
    ),
    # A pattern's groups are fields of the records, so the same engine reads it here.
    "gxo.compiler.ir": (
        "gxo.runtime.errors",
        "gxo.runtime.secrets.keys",
        "gxo.runtime.regex",
        "gxo.compiler.ir",
        "gxo.compiler.python_source",
        "gxo.compiler.frontend",
        "gxo.compiler.template",
        "gxo.compiler.modules",
        "gxo.compiler.types",
        "gxo.compiler.effects",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frozen",
    ),
    "gxo.compiler.flow": (
        "gxo.compiler.flow",
        "gxo.compiler.ir",
        "gxo.compiler.template",
        "gxo.compiler.modules",
        "gxo.compiler.types",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frozen",
    ),
    # What a test may touch is the same when compiling and when it runs.
    "gxo.compiler.passes": (
        "gxo.runtime.testing.network",
        "gxo.runtime.testing.shelltext",
        "gxo.compiler.passes",
        "gxo.compiler.flow",
        "gxo.compiler.codes",
        "gxo.compiler.ir",
        "gxo.compiler.frontend",
        "gxo.compiler.template",
        "gxo.compiler.modules",
        "gxo.compiler.types",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frozen",
    ),
    "gxo.compiler.codegen": (
        "gxo.compiler.codegen",
        "gxo.compiler.python_source",
        "gxo.compiler.ir",
        "gxo.compiler.template",
        "gxo.compiler.modules",
        "gxo.compiler.diagnostics",
        "gxo.compiler.kept",
    ),
    # One check of folders and one description of a host, for those who write and who read.
    "gxo.compiler.package": (
        "gxo.compiler.package",
        "gxo.compiler.imports",
        "gxo.compiler.effects",
        "gxo.compiler.kept",
        "gxo.runtime.errors",
        "gxo.runtime.host.folders",
        "gxo.runtime.unpack",
    ),
    # It reads what `package` writes, and policies; it compiles nothing.
    "gxo.compiler.trust": (
        "gxo.compiler.trust",
        "gxo.compiler.package",
        "gxo.compiler.effects",
        "gxo.compiler.diagnostics",
        "gxo.compiler.frontend.yaml",
    ),
}
RUNTIME_MAY_IMPORT = frozenset(sys.stdlib_module_names) | {"gxo"}
# What template functions need: declared with them, imported when one is called, and linked into the
# artifacts that call one; and what `--otel` links. Nothing else of the runtime may.
LINKED_FOR = {
    "gxo.runtime.functions.crypto": {"bcrypt", "cryptography"},
    "gxo.runtime.pki": {"cryptography"},
    "gxo.runtime.reporting.otel": {"opentelemetry"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module name) of every import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "<relative import>"
            elif node.module == "gxo":
                yield from ((node.lineno, f"gxo.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, str(node.module)


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def findings(path: Path) -> Iterator[str]:
    importer = module_name(path)
    known = [prefix for prefix in ARROWS if below(importer, prefix)]
    allowed = ARROWS[max(known, key=len)] if known else ()
    packages = RUNTIME_MAY_IMPORT | LINKED_FOR.get(importer, set())
    for line, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{line}: {importer}"
        if name == "<relative import>":
            yield f"{where} has a relative import; write the absolute name"
        elif below(name, "gxo") and not any(below(name, prefix) for prefix in allowed):
            yield f"{where} must not import {name}"
        elif below(importer, "gxo.runtime") and name.split(".")[0] not in packages:
            yield f"{where} imports {name}; the runtime uses Python's own library only"


def main() -> int:
    paths = [
        path
        for root in ("compiler", "runtime", "stdlib")
        for path in sorted((ROOT / root).rglob("gxo/**/*.py"))
    ]
    problems = [line for path in paths for line in findings(path)]
    print("\n".join(problems) or f"import arrows: {len(paths)} files follow them")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
