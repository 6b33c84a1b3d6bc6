"""Encrypted files: AES-GCM in segments, each of which is verified before anything of it is used.

    header    its length (1 byte)   salt (as long as the key)   nonce prefix (7 bytes)
    segment   ciphertext, and its tag (16 bytes)                1 MiB; the first less by the header,
    ...                                                         the last as much as is left

A file has a key of its own, HKDF-SHA256(key, salt, info=aad), and a segment the nonce: prefix,
number (4 bytes), 1 for the last segment or else 0. So segments that are left out, in another order
or of another file are refused, and so is a file that was cut off. This is the construction STREAM
(Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, 2015) in the form of Tink's AES128_GCM_HKDF_1MB and AES256_GCM_HKDF_1MB, which
read and write the same files.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gxo.runtime.errors import ModuleError
from gxo.runtime.workspace.jail import Jail
from gxo.stdlib.filesystem._copying import opened

SEGMENT = 1024 * 1024
TAG = 16
PREFIX = 7


def sealed(files: Jail, path: str, key: bytes, aad: bytes) -> Generator[bytes, None, None]:
    """Yield the pieces of what the file becomes. ModuleError when it cannot be read."""
    with closing(opened(files, path)) as file:
        salt, prefix = os.urandom(len(key)), os.urandom(PREFIX)
        header = bytes([1 + len(salt) + PREFIX]) + salt + prefix
        yield header
        cipher = AESGCM(_own_key(key, salt, aad))
        for number, plain, last in _segments(file, len(header), SEGMENT - TAG):
            yield cipher.encrypt(_nonce(prefix, number, last), plain, None)


def unsealed(files: Jail, path: str, key: bytes, aad: bytes) -> Generator[bytes, None, None]:
    """Yield the pieces of what the encrypted file was made of; no end without all of it.

    ModuleError: it cannot be read, was changed or cut off, or its key or aad is another.
    """
    with closing(opened(files, path)) as file:
        size = 1 + len(key) + PREFIX
        header = file.read(size)
        if len(header) < size or header[0] != size:
            raise ModuleError(
                f"'{path}' is not encrypted as `crypto:encrypt` does it with such a key",
                hint="what `vault:encrypt` has made is for `vault:decrypt`",
            )
        salt, prefix = header[1:-PREFIX], header[-PREFIX:]
        cipher = AESGCM(_own_key(key, salt, aad))
        for number, data, last in _segments(file, size, SEGMENT):
            try:
                yield cipher.decrypt(_nonce(prefix, number, last), data, None)
            except InvalidTag:
                raise _refused(path, number) from None


def _segments(file: IO[bytes], header: int, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield each segment's number, bytes, and whether it is the last, of which there is always one.

    size: of all segments but the first, which has less by the header, and the last.
    """
    number, here = 0, file.read(size - header)
    while following := file.read(size):
        yield number, here, False
        number, here = number + 1, following
    yield number, here, True


def _own_key(key: bytes, salt: bytes, aad: bytes) -> bytes:
    """The key of one file alone."""
    return HKDF(SHA256(), len(key), salt, aad).derive(key)


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _refused(path: str, number: int) -> ModuleError:
    if number == 0:
        what = f"'{path}' cannot be decrypted: it was changed, or `key` or `aad` is another one"
    else:
        what = f"'{path}' was changed or cut off after {number} MiB: nothing of it is kept"
    return ModuleError(what)
