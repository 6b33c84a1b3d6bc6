"""The file format of ansible-vault, 1.1 and 1.2.

    $ANSIBLE_VAULT;1.1;AES256            or $ANSIBLE_VAULT;1.2;AES256;LABEL
    6162...                              hexadecimal digits, 80 a line, of three lines of such:
                                         salt, HMAC-SHA256 of the ciphertext, ciphertext

The ciphertext is AES-256 in CTR mode of the text, padded as for CBC. Its key, the key of the HMAC
and the first counter are PBKDF2-SHA256 of the password and the salt, with 10,000 rounds.
"""

import hmac
import os
from binascii import Error, hexlify, unhexlify
from collections.abc import Generator
from hashlib import pbkdf2_hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.padding import PKCS7

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.crypto._texts import cut
from gxo.stdlib.filesystem._content import to_bytes

HEADER = b"$ANSIBLE_VAULT"
MOST = 64 * 1024 * 1024
"""Bytes of a file to encrypt: the format needs all of it at once."""

MOST_ENCRYPTED = 5 * MOST
"""Bytes of what comes of it: four digits for a byte, and the ends of lines."""

_CIPHER = b"AES256"
_ROUNDS = 10_000
_SALT = 32
_KEY = 32
_COUNTER = 16
_LINE = 80
_VERSIONS = (b"1.1", b"1.2")


class _Keys(NamedTuple):
    """What comes of a password and a salt."""

    cipher: bytes
    hmac: bytes
    counter: bytes


def password_bytes(password: str) -> bytes:
    """A password as ansible takes it. ParameterError when nothing is left of it."""
    stripped = to_bytes(password, "utf-8", "password").strip()  # of ASCII's white space, as there
    if not stripped:
        raise ParameterError("`password` is empty")
    return stripped


def encrypted_file(
    files: Jail, path: str, password: bytes, label: str | None
) -> Generator[bytes, None, None]:
    """Yield what the file becomes. ModuleError when it cannot be read, or is too large."""
    yield encrypted(password, files.read(path, MOST), label)


def decrypted_file(files: Jail, path: str, password: bytes) -> Generator[bytes, None, None]:
    """Yield what the file was made of. ModuleError when it cannot be read or decrypted."""
    yield decrypted(password, files.read(path, MOST_ENCRYPTED), f"'{path}'")


def encrypted(password: bytes, data: bytes, label: str | None) -> bytes:
    """The data in the format: 1.2 with a label, else 1.1. May take long: for `ctx.thread`."""
    salt = os.urandom(_SALT)
    keys = _keys(password, salt)
    padder = PKCS7(AES.block_size).padder()
    padded = padder.update(data) + padder.finalize()
    ciphertext = _through(keys, padded)
    tag = hmac.digest(keys.hmac, ciphertext, "sha256")
    body = hexlify(b"\n".join(map(hexlify, (salt, tag, ciphertext))))
    head = [HEADER, b"1.1" if label is None else b"1.2", _CIPHER]
    if label is not None:
        head.append(label.encode())
    lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
    return b"\n".join([b";".join(head), *lines, b""])


def decrypted(password: bytes, text: bytes, what: str) -> bytes:
    """What a text in the format was made of. May take long: for `ctx.thread`.

    what: how messages call the text. ModuleError when it is none of the format, was changed, or is
    encrypted under another password.
    """
    salt, tag, ciphertext = _parts(text, what)
    keys = _keys(password, salt)
    if not hmac.compare_digest(hmac.digest(keys.hmac, ciphertext, "sha256"), tag):
        raise ModuleError(f"{what} cannot be decrypted: it was changed, or has another password")
    unpadder = PKCS7(AES.block_size).unpadder()
    try:
        return unpadder.update(_through(keys, ciphertext)) + unpadder.finalize()
    except ValueError:
        raise _damaged(what) from None


def _through(keys: _Keys, data: bytes) -> bytes:
    """Encrypted or decrypted, which is the same in this mode."""
    cipher = Cipher(AES(keys.cipher), CTR(keys.counter)).encryptor()
    return b"".join([cipher.update(piece) for piece in cut(data)])


def _keys(password: bytes, salt: bytes) -> _Keys:
    made = pbkdf2_hmac("sha256", password, salt, _ROUNDS, 2 * _KEY + _COUNTER)
    return _Keys(made[:_KEY], made[_KEY : 2 * _KEY], made[2 * _KEY :])


def _parts(text: bytes, what: str) -> tuple[bytes, bytes, bytes]:
    """Salt, HMAC and ciphertext. Lines may be indented, as they are in a YAML file."""
    head, *lines = text.strip().splitlines() or [b""]
    fields = head.strip().split(b";")
    if fields[0] != HEADER or len(fields) < 3:
        raise ModuleError(
            f"{what} is not encrypted by ansible-vault: it does not start with $ANSIBLE_VAULT",
            hint="give the whole text, with its first line",
        )
    if fields[1].strip() not in _VERSIONS or fields[2].strip() != _CIPHER:
        raise ModuleError(
            f"{what} is in no format of ansible-vault that is known: 1.1 and 1.2, by AES256",
            hint="`ansible-vault rekey` writes the current one",
        )
    try:
        salt, tag, ciphertext = unhexlify(b"".join(map(bytes.strip, lines))).split(b"\n")
        return unhexlify(salt), unhexlify(tag), unhexlify(ciphertext)
    except (Error, ValueError):
        raise _damaged(what) from None


def _damaged(what: str) -> ModuleError:
    return ModuleError(
        f"{what} is damaged: it starts as ansible-vault writes, and does not go on so"
    )
