"""The parser, from tables that were made when gxo was built.

Making LALR tables from `grammar.lark` takes longer than all the rest of a small `gxo validate`, so
`compiler/build_tables.py` writes them to `tables.json` (JSON: loading it runs no code). When that
file is missing or was made from another grammar, the tables are made in memory.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLES = Path(__file__).with_name("tables.json")


@cache
def parser() -> lark.Lark:
    """The parser of templates (start `template`) and conditions (start `condition`)."""
    grammar = GRAMMAR.read_bytes()
    tables = _stored(_digest(grammar))
    if tables is None:
        return _build(grammar)
    load = cast(Callable[..., lark.Lark], lark.Lark._load_from_dict)
    return load(tables["data"], tables["memo"])


def serialized() -> str:
    """The text of `tables.json`. lark numbers the states anew each time; nothing depends on it."""
    grammar = GRAMMAR.read_bytes()
    data, memo = _build(grammar).memo_serialize([TerminalDef, Rule])
    tables = {"digest": _digest(grammar), "data": data, "memo": memo}
    return json.dumps(tables, separators=(",", ":"), sort_keys=True) + "\n"


def _build(grammar: bytes) -> lark.Lark:
    return lark.Lark(
        grammar.decode(), parser="lalr", lexer="contextual", start=["template", "condition"]
    )


def _digest(grammar: bytes) -> str:
    """Tables fit one grammar and one lark."""
    return hashlib.sha256(lark.__version__.encode() + b"\0" + grammar).hexdigest()


def _stored(digest: str) -> Mapping[str, Any] | None:
    try:
        tables = json.loads(TABLES.read_bytes(), object_hook=_integer_keys)
    except (OSError, ValueError):
        return None
    fits = isinstance(tables, dict) and tables.get("digest") == digest
    return tables if fits else None


def _integer_keys(pairs: dict[str, Any]) -> dict[Any, Any]:
    """lark numbers its states; JSON can only name them."""
    if pairs and all(key.isdecimal() for key in pairs):
        return {int(key): value for key, value in pairs.items()}
    return pairs
