"""Sprig's passwords, and texts encrypted under one.

`derivePassword` is the one password function that gives the same result each time.
"""

import base64
import hmac
import secrets
from hashlib import scrypt
from typing import TYPE_CHECKING, Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.functions import function
from gxo.runtime.functions.encoding import base64_bytes
from gxo.runtime.functions.strings import from_bytes, to_bytes
from gxo.runtime.spec import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher

_SEED = b"com.lyndir.masterpassword"
_TEMPLATES = {
    "maximum": ("anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    "long": (
        *("CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv"),
        *("CvccCvcvnoCvcv", "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv"),
        *("CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno"),
        *("CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc"),
        *("CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc"),
        "CvccCvcvCvccno",
    ),
    "medium": ("CvcnoCvc", "CvcCvcno"),
    "short": ("Cvcn",),
    "basic": ("aaanaaan", "aannaaan", "aaannaaa"),
    "pin": ("nnnn",),
}
_CHARACTERS = {
    "V": "AEIOU",
    "C": "BCDFGHJKLMNPQRSTVWXYZ",
    "v": "aeiou",
    "c": "bcdfghjklmnpqrstvwxyz",
    "A": "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
    "a": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    "n": "0123456789",
    "o": "@&%?,=[]_:-+*$#!'^~;()/.",
    "x": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
}
_BCRYPT_COST = 10
_BCRYPT_LONGEST = 72
_AES_KEY = 32
_AES_BLOCK = 16


@function("derivePassword")
def derive_password(counter: int, kind: str, password: str, user: str, site: str) -> Secret:
    """Return the password for a site that follows from a master password and a user's name.

    kind: maximum, long, medium, short, basic or pin.
    """
    if not 0 <= counter < 1 << 32:
        raise ExpressionError(f"derivePassword wants a counter of 32 bits, not {counter}")
    templates = _TEMPLATES.get(kind)
    if templates is None:
        return f"cannot find password template {kind}"
    salt = _SEED + _counted(user)
    key = scrypt(to_bytes(password), salt=salt, n=32768, r=8, p=2, maxmem=1 << 26, dklen=64)
    seed = hmac.digest(key, _SEED + _counted(site) + counter.to_bytes(4, "big"), "sha256")
    template = templates[seed[0] % len(templates)]
    alphabets = [_CHARACTERS[char] for char in template]
    pairs = zip(alphabets, seed[1:], strict=False)
    return "".join([alphabet[byte % len(alphabet)] for alphabet, byte in pairs])


def _counted(text: str) -> bytes:
    data = to_bytes(text)
    return len(data).to_bytes(4, "big") + data


@function("bcrypt", pure=False, needs=["bcrypt"])
def bcrypt(password: str) -> str:
    """Return the bcrypt hash of a password of at most 72 bytes, with a new salt and the cost 10."""
    import bcrypt as package

    data = to_bytes(password)
    if len(data) > _BCRYPT_LONGEST:
        raise ExpressionError(
            f"bcrypt takes a password of at most {_BCRYPT_LONGEST} bytes, not {len(data)}"
        )
    return package.hashpw(data, package.gensalt(_BCRYPT_COST, prefix=b"2a")).decode()


@function("htpasswd", pure=False, needs=["bcrypt"])
def htpasswd(user: str, password: str) -> str:
    """Return a line of an htpasswd file; a user with a colon gives a text that says so."""
    if ":" in user:
        return f"invalid username: {user}"
    return f"{user}:{bcrypt(password)}"


@function("encryptAES", pure=False, needs=["cryptography"])
def encrypt_aes(password: str, text: str) -> str:
    """Return the text encrypted by AES-256 in CBC mode, in base64; an empty text stays empty.

    The password's first 32 bytes are the key, filled up with zeros. Nothing shows whether somebody
    has changed the result.
    """
    if not text:
        return ""
    data = to_bytes(text)
    padding = _AES_BLOCK - len(data) % _AES_BLOCK
    start = secrets.token_bytes(_AES_BLOCK)
    encryptor = _aes(password, start).encryptor()
    encrypted = encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(start + encrypted).decode()


@function("decryptAES", needs=["cryptography"])
def decrypt_aes(password: str, encrypted: str) -> Secret:
    """Return the text that `encryptAES` made this of. Another password fails, or gives nonsense."""
    if not encrypted:
        return ""
    data = base64_bytes(encrypted)
    if data is None or len(data) < 2 * _AES_BLOCK or len(data) % _AES_BLOCK:
        raise ExpressionError("decryptAES wants what encryptAES gives, and this cannot be it")
    decryptor = _aes(password, data[:_AES_BLOCK]).decryptor()
    padded = decryptor.update(data[_AES_BLOCK:]) + decryptor.finalize()
    if padded[-1] > len(padded):
        raise ExpressionError("decryptAES: it was not encrypted with this password")
    return from_bytes(padded[: len(padded) - padded[-1]])


def _aes(password: str, start: bytes) -> "Cipher[Any]":
    """The cipher under the password's key. start: what the first block is combined with."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = to_bytes(password)[:_AES_KEY].ljust(_AES_KEY, b"\0")
    return Cipher(algorithms.AES(key), modes.CBC(start))
