"""Hide what stands under keys such as `password` in logs and errors (language, section 8).

Structured or in text:

    {"db": {"password": "x"}}, password=x, "token": "x", Authorization: Basic x, bearer x
"""

import re
from functools import lru_cache

REDACTED = "[REDACTED_SECRET]"

_WORDS = ("password", "token", "secret", "apikey", "privatekey", "authorization", "bearer")
_HINTS = (*_WORDS, "api_key", "api-key", "private_key", "private-key")

_KEY = "(?:password|token|secret|api[_-]?key|private[_-]?key|authorization|bearer)"
_QUOTED = r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'"""
_BARE = r"""[^\s"',;&)\]}]+"""
_DONE = re.escape(REDACTED)
_IN_TEXT = rf"""
      (?P<scheme> \b authorization \\?["']? \s* [:=] \s* \\?["']? (?:[A-Za-z]+ \s+)? )
        (?: {_DONE} | {_BARE} )
    | (?P<bearer> \b bearer \s+ ) (?: {_DONE} | [A-Za-z0-9._~+/=-]{{8,}} )
    | (?P<equals> {_KEY} \\?["']? \s? = \s? ) (?: {_DONE} | {_QUOTED} | {_BARE} )
    | (?P<member> {_KEY} \\?["'] \s* : \s* ) (?: {_QUOTED} | \\".*?\\" | -?\d[\w.+-]* )
    | (?P<line> ^ [ \t]* (?:-[ \t]+)? [\w.-]* {_KEY} [ \t]* : [ \t]+ )
        (?: {_DONE} | {_QUOTED} | \S+ ) [ \t]* $
"""


@lru_cache(1024)
def is_secret_key(key: str) -> bool:
    """Whether a key says that its value is secret: `password`, `db_password`, `X-Api-Key`."""
    return re.sub(r"[^a-z0-9]", "", key.lower()).endswith(_WORDS)


def hide_under_keys(text: str) -> str:
    """The text with what follows such keys replaced. Text without such a word is only searched."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    # Compiled at first use (and kept by `re`): most jobs log no such word.
    finder = re.compile(_IN_TEXT, re.IGNORECASE | re.VERBOSE | re.MULTILINE)
    return finder.sub(lambda found: found[found.lastgroup or 0] + REDACTED, text)
