"""The import block of a generated module: filled while the body is rendered, printed sorted."""

from gxo.compiler.codegen.parts import INCLUDED, JOB
from gxo.compiler.ir.names import RUNTIME_WORDS
from gxo.compiler.modules.spec import USERS
from gxo.compiler.python_source import Names

WORDS_FROM = ("gxo.runtime", "typing")
"""Where the names come from that mean the same in every generated module."""


class Imports:
    """Which names the module imports from where, and what they are called there.

    `names` is the module's namespace: an import that would collide gets another name there.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._aliases: dict[tuple[str, str], str] = {}

    def use(self, module: str, name: str, alias: str | None = None) -> str:
        """Import `name` from `module`; the identifier to write for it in the body."""
        key = (module, name)
        if key not in self._aliases:
            fixed = alias is None and module in WORDS_FROM and name in RUNTIME_WORDS
            self._aliases[key] = name if fixed else self._names.fresh(alias or name)
        return self._aliases[key]

    def use_line(self, line: str) -> None:
        """Take over a line `from module import name`, whose name the body writes as it is."""
        module, _, name = line.removeprefix("from ").partition(" import ")
        self._aliases[(module, name)] = name

    def render(self) -> str:
        """The block: Python's own library first, then gxo's and the user's, sorted, a line each."""
        by_module: dict[str, list[str]] = {}
        for (module, name), alias in sorted(self._aliases.items()):
            words = name if alias == name else f"{name} as {alias}"
            by_module.setdefault(module, []).append(words)
        lines = {module: _line(module, names) for module, names in by_module.items()}
        own = [line for module, line in lines.items() if _is_linked(module)]
        python = [line for module, line in lines.items() if not _is_linked(module)]
        return "\n\n".join("\n".join(block) for block in (python, own) if block)


def _is_linked(module: str) -> bool:
    return module.split(".")[0] in ("gxo", JOB.folder, INCLUDED.folder, USERS)


def _line(module: str, names: list[str]) -> str:
    return f"from {module} import {', '.join(names)}"
