"""Sprig's private keys and certificates, in PEM. Each call makes others.

A certificate is a map of the certificate itself, `Cert`, and its private key, `Key`:

    {{ $ca := genCA "site" 3650 }}{{ (genSignedCert "web" nil (list "web.example") 365 $ca).Cert }}
"""

from typing import TYPE_CHECKING, Any, TypedDict

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import describe
from gxo.runtime.functions import CheckedMap, function
from gxo.runtime.functions.encoding import base64_bytes
from gxo.runtime.functions.strings import from_bytes
from gxo.runtime.spec import Secret

if TYPE_CHECKING:
    from gxo.runtime import pki


class Certificate(TypedDict):
    """A certificate and its private key, both in PEM."""

    Cert: str
    Key: Secret


@function("genPrivateKey", pure=False, needs=["cryptography"])
def gen_private_key(kind: str) -> Secret:
    """Return a new private key in PEM: rsa or "" (4096 bits), dsa (2048 bits), ecdsa or ed25519.

    Another kind gives a text that says so.
    """
    from gxo.runtime import pki

    return pki.key_text(pki.new_key(kind)) if kind in pki.KINDS else f"Unknown type {kind}"


@function("genCA", pure=False, needs=["cryptography"])
def gen_ca(name: str, days: int) -> Certificate:
    """Return the certificate of a new authority, which signs others, with a new RSA key."""
    from gxo.runtime import pki

    return _issued(pki.new_rsa_key(), pki.Subject(name, days, authority=True))


@function("genCAWithKey", pure=False, needs=["cryptography"])
def gen_ca_with_key(name: str, days: int, key: str) -> Certificate:
    """Return the certificate of a new authority with a private key of one's own, in PEM."""
    from gxo.runtime import pki

    return _issued(pki.read_key(key), pki.Subject(name, days, authority=True))


@function("genSelfSignedCert", pure=False, needs=["cryptography"])
def gen_self_signed_cert(
    name: str, ips: list[Any] | None, dns: list[Any] | None, days: int
) -> Certificate:
    """Return a certificate for these addresses and names that signs itself, with a new RSA key."""
    from gxo.runtime import pki

    return _issued(pki.new_rsa_key(), pki.Subject(name, days, _texts(ips), _texts(dns)))


@function("genSelfSignedCertWithKey", pure=False, needs=["cryptography"])
def gen_self_signed_cert_with_key(
    name: str, ips: list[Any] | None, dns: list[Any] | None, days: int, key: str
) -> Certificate:
    """Return a certificate that signs itself with a private key of one's own, in PEM."""
    from gxo.runtime import pki

    return _issued(pki.read_key(key), pki.Subject(name, days, _texts(ips), _texts(dns)))


@function("genSignedCert", pure=False, needs=["cryptography"])
def gen_signed_cert(
    name: str, ips: list[Any] | None, dns: list[Any] | None, days: int, ca: CheckedMap
) -> Certificate:
    """Return a certificate for these addresses and names that an authority signs, such as one of
    `genCA` or `buildCustomCert`, with a new RSA key."""
    from gxo.runtime import pki

    return _issued(pki.new_rsa_key(), pki.Subject(name, days, _texts(ips), _texts(dns)), ca)


@function("genSignedCertWithKey", pure=False, needs=["cryptography"])
def gen_signed_cert_with_key(
    name: str, ips: list[Any] | None, dns: list[Any] | None, days: int, ca: CheckedMap, key: str
) -> Certificate:
    """Return a certificate that an authority signs, for a private key of one's own, in PEM."""
    from gxo.runtime import pki

    return _issued(pki.read_key(key), pki.Subject(name, days, _texts(ips), _texts(dns)), ca)


@function("buildCustomCert", needs=["cryptography"])
def build_custom_cert(certificate: str, key: str) -> Certificate:
    """Return the certificate that an authority's PEM files make, which are given in base64."""
    from gxo.runtime import pki

    texts = [_decoded(certificate, "certificate"), _decoded(key, "private key")]
    pki.read_certificate(texts[0])
    pki.read_key(texts[1])
    return Certificate(Cert=texts[0], Key=texts[1])


def _issued(key: "pki.Key", subject: "pki.Subject", ca: Any = None) -> Certificate:
    """A certificate of the key for the subject, signed by the authority, or else by itself."""
    from gxo.runtime import pki

    issuer = pki.read_issuer(*_parts(ca)) if ca is not None else None
    return Certificate(Cert=pki.issue(subject, key, issuer), Key=pki.key_text(key))


def _parts(ca: object) -> tuple[str, str]:
    """The certificate and the key of an authority."""
    if isinstance(ca, dict):
        certificate, key = ca.get("Cert"), ca.get("Key")
        if isinstance(certificate, str) and isinstance(key, str):
            return certificate, key
    raise ExpressionError(
        f"an authority is a map with `Cert` and `Key`, not {describe(ca)}",
        hint="`genCA` and `buildCustomCert` make one",
    )


def _texts(values: object) -> list[str]:
    """The addresses or names of a certificate."""
    if values is None:
        return []
    if isinstance(values, list):
        for value in values:
            if not isinstance(value, str):
                message = f"a certificate's address or name is a text, not {describe(value)}"
                raise ExpressionError(message)
        return values
    raise ExpressionError(f"a certificate's addresses and names are lists, not {describe(values)}")


def _decoded(text: str, what: str) -> str:
    data = base64_bytes(text)
    if data is None:
        raise ExpressionError(f"the {what} is not given in base64", hint="`b64enc` makes it so")
    return from_bytes(data)
