"""New keys, as texts."""

import secrets
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gxo.stdlib.crypto._keys import PrivateKey

_CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_EXPONENT = 65537


def new_aes_key(bits: int) -> str:
    """A key in base64."""
    return b64encode(secrets.token_bytes(bits // 8)).decode()


def new_pair(kind: str, bits: int, form: str) -> tuple[str, str]:
    """A private key and its public one. May take long: for `ctx.thread`."""
    key = _new_key(kind, bits)
    private, public = PrivateFormat.PKCS8, (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if form == "openssh":
        private, public = PrivateFormat.OpenSSH, (Encoding.OpenSSH, PublicFormat.OpenSSH)
    text = key.private_bytes(Encoding.PEM, private, NoEncryption()).decode()
    line = key.public_key().public_bytes(*public).decode()
    return text, line.rstrip("\n") + "\n"


def _new_key(kind: str, bits: int) -> PrivateKey:
    match kind:
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "x25519":
            return x25519.X25519PrivateKey.generate()
        case "ecdsa":
            return ec.generate_private_key(_CURVES[bits])
        case _:
            return rsa.generate_private_key(_EXPONENT, bits)
