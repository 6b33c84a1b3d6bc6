"""Python names for the playbook's: readable, unique, and the same for the same playbook.

before:  fetch-users, fetch_users, class
after:   fetch_users, fetch_users_2, class_
"""

import builtins
import keyword
import re

RESERVED = frozenset(dir(builtins)) | frozenset(keyword.kwlist) | frozenset(keyword.softkwlist)


def identifier(text: str) -> str:
    """The nearest Python identifier to the text."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return f"_{name}" if not name or name[0].isdigit() else name


class Names:
    """Hands out identifiers that nobody in the same namespace has yet."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(RESERVED | taken)

    def fresh(self, text: str) -> str:
        """A name for the text: its identifier, with `_` for a reserved word, else with a number."""
        base = identifier(text)
        name = f"{base}_" if base in RESERVED else base
        number = 2
        while name in self._taken:
            name = f"{base}_{number}"
            number += 1
        self._taken.add(name)
        return name


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
