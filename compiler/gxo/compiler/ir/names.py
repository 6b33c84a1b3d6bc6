"""Names that mean something in generated modules, and those of a workload's own variables."""

from gxo.compiler.python_source import RESERVED, identifier

MODULE_WORDS = frozenset(
    {
        *(
            "Any",
            "Channel",
            "Context",
            "Input",
            "Inputs",
            "Job",
            "Loop",
            "Out",
            "Record",
            "Records",
        ),
        *("Retry", "deep_copy", "expr", "job"),
        *(
            "crypto",
            "dates",
            "defaults",
            "dicts",
            "encoding",
            "flow",
            "formatting",
            "json",
            "lists",
        ),
        *("math", "paths", "randoms", "regex", "semver", "strings", "types", "urls"),
    }
)
"""Names that mean something in every generated module: `job`, and what it may import."""

LOCAL_WORDS = MODULE_WORDS | {"ctx", "inputs", "out", "record", "records", "value"}
"""Names that mean something inside generated functions."""


def local_name(text: str) -> str:
    """The Python name of a loop variable, which is a parameter of its workload's function."""
    name = identifier(text)
    return f"{name}_" if name in RESERVED or name in LOCAL_WORDS else name
