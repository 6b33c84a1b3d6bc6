"""Keys as texts: base64 for AES, PEM or OpenSSH's form for pairs. No error shows a part of one."""

from base64 import b64decode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from gxo.runtime.errors import ParameterError
from gxo.stdlib.filesystem._content import to_bytes

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | x25519.X25519PrivateKey
)
PublicKey = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | x25519.X25519PublicKey
)

AES_SIZES = (16, 32)
"""Bytes of a key of AES-128 and of AES-256."""

SMALLEST_RSA = 2048

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


def aes_key(text: str) -> bytes:
    """The bytes of a key of AES. ParameterError when it is none."""
    try:
        key = b64decode("".join(text.split()), validate=True)
    except ValueError:
        key = b""
    if len(key) not in AES_SIZES:
        raise ParameterError(
            "`key` is no key of AES: 16 or 32 bytes in base64",
            hint="`crypto:generate_key` makes one, as does `openssl rand -base64 32`; "
            "`vault:encrypt` takes a password",
        )
    return key


def file_key(text: str) -> bytes:
    """The bytes of a key that files are encrypted under. ParameterError when it is none."""
    if is_pair(text):
        raise ParameterError(
            "`key` is one of a pair, and files are encrypted under a key of AES",
            hint="encrypt the file under a key of `crypto:generate_key`, and that key for the pair",
        )
    return aes_key(text)


def is_pair(text: str) -> bool:
    """Whether this is a key of a pair, and not one of AES."""
    return "-----BEGIN " in text or text.lstrip().startswith("ssh-")


def private_key(name: str, text: str, passphrase: str | None = None) -> PrivateKey:
    """The private key that a text holds. ParameterError when it is none, or stays closed.

    name: the parameter's.
    """
    load = load_ssh_private_key if "BEGIN OPENSSH PRIVATE KEY" in text else load_pem_private_key
    opening = to_bytes(passphrase, "utf-8", "passphrase") if passphrase else None
    try:
        key = load(_data(text), opening)
    except TypeError:
        raise _passphrase_error(name, given=opening is not None) from None
    except _UNREADABLE:
        what = "cannot be opened with this `passphrase`" if opening else "is no private key"
        hint = "it is the whole text of a key's file, with its BEGIN and END lines"
        raise ParameterError(f"`{name}` {what}", hint=hint) from None
    if not isinstance(key, PrivateKey):
        raise _other_kind(name)
    _check_size(name, key)
    return key


def public_key(name: str, text: str) -> PublicKey:
    """The public key that a text holds. ParameterError when it is none.

    name: the parameter's.
    """
    if "PRIVATE KEY-----" in text:
        raise ParameterError(f"`{name}` is a private key: the public one of its pair belongs here")
    load = load_pem_public_key if "-----BEGIN " in text else load_ssh_public_key
    try:
        key = load(_data(text))
    except _UNREADABLE:
        hint = "it is PEM with its BEGIN and END lines, or a line `ssh-ed25519 AAAA...`"
        raise ParameterError(f"`{name}` is no public key", hint=hint) from None
    if not isinstance(key, PublicKey):
        raise _other_kind(name)
    _check_size(name, key)
    return key


def _passphrase_error(name: str, *, given: bool) -> ParameterError:
    if given:
        return ParameterError(f"`{name}` is not encrypted: it has no `passphrase`")
    return ParameterError(f"`{name}` is encrypted, and its `passphrase` is not given")


def _data(text: str) -> bytes:
    """What is read; as a line of a file it may be indented, and lack its end."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")


def _other_kind(name: str) -> ParameterError:
    return ParameterError(f"`{name}` is a key of none of RSA, ECDSA, Ed25519 and X25519")


def _check_size(name: str, key: PrivateKey | PublicKey) -> None:
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size < SMALLEST_RSA:
        message = f"`{name}` is an RSA key of {key.key_size} bits, which can be broken"
        raise ParameterError(message, hint=f"keys have {SMALLEST_RSA} bits or more")
