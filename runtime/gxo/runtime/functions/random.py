"""Sprig's random functions. Each call gives another result, so none of them is ever folded."""

import base64
import random
import secrets
import string
import uuid

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import function
from gxo.runtime.functions.strings import runes

_PRINTABLE = "".join(map(chr, range(32, 127)))


def _pick(name: str, count: int, alphabet: str) -> str:
    if not 0 <= count <= 1 << 20:
        raise ExpressionError(f"{name} wants a number of characters, not {count}")
    return "".join([secrets.choice(alphabet) for _ in range(count)])


@function("randAlphaNum", pure=False)
def rand_alpha_num(count: int) -> str:
    """Return random letters and digits."""
    return _pick("randAlphaNum", count, string.ascii_letters + string.digits)


@function("randAlpha", pure=False)
def rand_alpha(count: int) -> str:
    """Return random letters."""
    return _pick("randAlpha", count, string.ascii_letters)


@function("randNumeric", pure=False)
def rand_numeric(count: int) -> str:
    """Return random digits."""
    return _pick("randNumeric", count, string.digits)


@function("randAscii", pure=False)
def rand_ascii(count: int) -> str:
    """Return random printable ASCII characters."""
    return _pick("randAscii", count, _PRINTABLE)


@function("randBytes", pure=False)
def rand_bytes(count: int) -> str:
    """Return random bytes in base64."""
    if not 0 <= count <= 1 << 20:
        raise ExpressionError(f"randBytes wants a number of bytes, not {count}")
    return base64.b64encode(secrets.token_bytes(count)).decode()


@function("randInt", pure=False)
def rand_int(least: int, end: int) -> int:
    """Return a random int from `least` up to `end` without it."""
    if end <= least:
        raise ExpressionError(f"randInt: there is no int from {least} up to {end}")
    return least + secrets.randbelow(end - least)


@function("uuidv4", pure=False)
def uuidv4() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())


@function("shuffle", pure=False)
def shuffle(text: str) -> str:
    """Return the text's characters in random order."""
    chars = runes(text)
    return "".join(random.SystemRandom().sample(chars, len(chars)))
