"""Data that is encrypted as a whole: AES-GCM under a key, HPKE for the owner of an X25519 key.

    AES-GCM   nonce (12 bytes, random)   ciphertext   tag (16 bytes)
    HPKE      encapsulated key (32)      ciphertext   tag (16)

HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, where `aad` is
its `info`. Both are what Tink calls raw ciphertexts.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.crypto import _keys
from gxo.stdlib.crypto._texts import cut

NONCE = 12
TAG = 16

MOST_FOR_A_PUBLIC_KEY = 1024 * 1024
"""Bytes: HPKE takes all of them at once, and other threads wait meanwhile."""

_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def encrypt(key: str, data: bytes, aad: bytes) -> bytes:
    """The data encrypted under a key of AES, or for the owner of a public key.

    Raises: ParameterError
    """
    if _keys.is_pair(key):
        return _HPKE.encrypt(_checked(data), _recipient(key), aad)
    nonce = os.urandom(NONCE)
    encryptor = Cipher(AES(_keys.aes_key(key)), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(aad)
    parts = [encryptor.update(piece) for piece in cut(data)]
    return b"".join([nonce, *parts, encryptor.finalize(), encryptor.tag])


def decrypt(key: str, data: bytes, aad: bytes) -> bytes:
    """What `encrypt` made this of. ModuleError when it did not, with this key and this `aad`.

    Raises: ParameterError
    """
    try:
        if _keys.is_pair(key):
            return _HPKE.decrypt(data, _owner(key), aad)
        return _decrypt(_keys.aes_key(key), data, aad)
    except InvalidTag:
        raise ModuleError(
            "the ciphertext cannot be decrypted: it was changed, or `key` or `aad` is another one"
        ) from None


def _decrypt(key: bytes, data: bytes, aad: bytes) -> bytes:
    if len(data) < NONCE + TAG:
        raise InvalidTag
    nonce, tag = data[:NONCE], data[-TAG:]
    decryptor = Cipher(AES(key), GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(aad)
    parts = [decryptor.update(piece) for piece in cut(data[NONCE:-TAG])]
    return b"".join([*parts, decryptor.finalize()])


def _checked(data: bytes) -> bytes:
    if len(data) > MOST_FOR_A_PUBLIC_KEY:
        raise ParameterError(
            f"`plaintext` has {len(data)} bytes: at most 1 MiB is encrypted for a public key",
            hint="encrypt it under a key of `crypto:generate_key`, and that key for the public key",
        )
    return data


def _recipient(key: str) -> X25519PublicKey:
    found = _keys.public_key("key", key)
    if not isinstance(found, X25519PublicKey):
        raise ParameterError("`key` is a key to sign with: an X25519 key is one to encrypt for")
    return found


def _owner(key: str) -> X25519PrivateKey:
    found = _keys.private_key("key", key)
    if not isinstance(found, X25519PrivateKey):
        raise ParameterError("`key` is a key to sign with: an X25519 key is one to decrypt with")
    return found
