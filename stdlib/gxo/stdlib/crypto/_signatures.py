"""Signatures: how each algorithm signs, and what it signs of the data.

Ed25519 goes through the data twice, so all of it is kept; the others sign its hash.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.crypto._keys import PrivateKey, PublicKey

MOST_FOR_ED25519 = 64 * 1024 * 1024
"""Bytes."""

_HASHES: dict[str, type[SHA256 | SHA384 | SHA512]] = {
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}
_BY_CURVE = {256: "ecdsa-sha256", 384: "ecdsa-sha384", 521: "ecdsa-sha512"}
_ALGORITHMS = ["ed25519"]
_ALGORITHMS += [
    f"{kind}-{name}" for kind in ("ecdsa", "rsa-pss", "rsa-pkcs1v15") for name in _HASHES
]


class Message:
    """What is signed by one algorithm, as it comes. size: its bytes so far."""

    def __init__(self, algorithm: str) -> None:
        self.size = 0
        self._kind, _, self._hash = algorithm.rpartition("-")
        self._whole: list[bytes] = []
        self._digest = Hash(_HASHES[self._hash]()) if self._kind else None

    def take(self, piece: bytes | memoryview) -> None:
        """Add to it. ModuleError when it is more than the algorithm can sign."""
        self.size += len(piece)
        if self._digest is not None:
            self._digest.update(piece)
            return
        if self.size > MOST_FOR_ED25519:
            raise ModuleError(
                "there is more than 64 MiB to sign, which Ed25519 needs at once",
                hint="sign its hash (`crypto:hash`), or by an ECDSA key",
            )
        self._whole.append(bytes(piece))

    def _end(self) -> bytes:
        """What is signed: all of it, or its hash."""
        return b"".join(self._whole) if self._digest is None else self._digest.finalize()

    def _prehashed(self) -> Prehashed:
        return Prehashed(_HASHES[self._hash]())

    def _padding(self) -> AsymmetricPadding:
        if self._kind == "rsa-pkcs1v15":
            return PKCS1v15()
        algorithm = _HASHES[self._hash]()
        return PSS(MGF1(algorithm), algorithm.digest_size)

    def sign(self, key: PrivateKey) -> bytes:
        """The signature by a key that the algorithm is of; of ECDSA in DER."""
        data = self._end()
        match key:
            case ed25519.Ed25519PrivateKey():
                return key.sign(data)
            case ec.EllipticCurvePrivateKey():
                return key.sign(data, ec.ECDSA(self._prehashed()))
            case rsa.RSAPrivateKey():
                return key.sign(data, self._padding(), self._prehashed())
        raise AssertionError("an algorithm was chosen for the key")

    def verify(self, key: PublicKey, signature: bytes) -> None:
        """ModuleError when the signature is not that of the key's owner for this."""
        data = self._end()
        try:
            match key:
                case ed25519.Ed25519PublicKey():
                    key.verify(signature, data)
                case ec.EllipticCurvePublicKey():
                    key.verify(signature, data, ec.ECDSA(self._prehashed()))
                case rsa.RSAPublicKey():
                    key.verify(signature, data, self._padding(), self._prehashed())
        except InvalidSignature:
            raise ModuleError(
                "the signature does not match: what was signed was changed, or signed by another "
                "key or algorithm"
            ) from None


def algorithm_for(key: PrivateKey | PublicKey, algorithm: str | None, name: str) -> str:
    """How to sign by a key: as it is asked for, if the key can, or as keys of its kind do.

    name: of the key's parameter. ParameterError when it cannot.
    """
    if algorithm is not None and algorithm not in _ALGORITHMS:
        message = f"`algorithm` is {shown_text(algorithm)}: it is one of {', '.join(_ALGORITHMS)}"
        raise ParameterError(message)
    match key:
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            kind, default = "ed25519", "ed25519"
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            kind, default = "ecdsa", _BY_CURVE.get(key.curve.key_size, "ecdsa-sha256")
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            kind, default = "rsa", ""
        case _:
            raise ParameterError(f"`{name}` is an X25519 key, which is not for signing")
    chosen = algorithm or default
    if not chosen:
        hint = "rsa-pss-sha256, or rsa-pkcs1v15-sha256 for who knows no other"
        raise ParameterError("`algorithm` is not given, which an RSA key does not tell", hint=hint)
    if not chosen.startswith(kind):
        raise ParameterError(f"`{name}` is a key of {kind}, which cannot sign by {chosen}")
    return chosen
