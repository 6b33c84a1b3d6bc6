"""An address as the manifest shows it: where it leads, and nothing that lets anybody in.

    before:  postgresql://app:{{ .password }}@db-1/orders?sslrootcert=ca.pem
    after:   postgresql://db-1/orders

A password with a `/` that is not written `%2F` makes an address that cannot be read; of such a one
only the scheme is shown.
"""

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qs, unquote

_ACTION = re.compile(r"""\{\{(?:"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|.)*?\}\}""", re.DOTALL)
_PARTS = re.compile(
    r"""(?:(?P<scheme>[^/?#:]+)://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?P<rest>.*)""", re.DOTALL
)
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::[\d\ue000-\uf8ff]*)?")
_USER_INSIDE = re.compile(r"://[^\s/?#@\"'`]*@")
_QUERY_INSIDE = re.compile(r"(://[^\s?#\"'`]*)[?#][^\"'`]*")
_FIRST, _LAST = 0xE000, 0xF8FF
"""Characters of nobody, which stand for actions while the address around them is taken apart."""

_FILES = frozenset(["sqlite"])
"""The schemes of databases that are files of the workspace."""


def touched(address: str) -> Iterator[tuple[Literal["connects", "reads", "writes"], str]]:
    """What a connection to an address touches: a host, or the file that the database is."""
    masked, actions = _masked(address)
    parts = _PARTS.fullmatch(masked)
    assert parts is not None
    scheme, authority, path = (parts[name] or "" for name in ("scheme", "authority", "path"))
    if scheme.lower() in _FILES:
        file = _with_actions(unquote(path.removeprefix("/")), actions)
        if file not in ("", ":memory:"):
            yield "reads", file
            if parse_qs(parts["rest"].removeprefix("?")).get("mode") != ["ro"]:
                yield "writes", file
        return
    host = authority.rpartition("@")[2]
    if not scheme:
        text = path
    elif _HOST.fullmatch(host) is None:
        text = f"{scheme}://..."
    else:
        text = f"{scheme}://{host}{path}"
    yield "connects", _with_actions(text, actions)


def _masked(address: str) -> tuple[str, list[str]]:
    """The address with a character for each action, and the actions without what lets in."""
    actions: list[str] = []

    def mask(found: re.Match[str]) -> str:
        bare = _QUERY_INSIDE.sub(r"\1", _USER_INSIDE.sub("://", found[0]))
        actions.append(bare)
        return chr(min(_FIRST + len(actions) - 1, _LAST))

    return _ACTION.sub(mask, address), actions


def _with_actions(text: str, actions: list[str]) -> str:
    def action(found: re.Match[str]) -> str:
        number = ord(found[0]) - _FIRST
        return actions[number] if number < len(actions) else found[0]

    return re.sub(f"[{chr(_FIRST)}-{chr(_LAST)}]", action, text)
