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
