"""Private keys and certificates as Go's `crypto/x509` writes them, made by `cryptography`.

    key = new_key("ecdsa")
    issue(Subject("site", 3650, authority=True), key)      a certificate that signs itself, in PEM

Imported only where a template makes one: the job has the package linked then.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gxo.runtime.errors import ExpressionError

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Key = SigningKey | dsa.DSAPrivateKey

KINDS = ("", "rsa", "dsa", "ecdsa", "ed25519")
_EXPONENT = 65537
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)
_LONGEST_NAME = 64
"""The most bytes of a common name in X.509."""
_SERIAL_NUMBERS = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Subject:
    """What a certificate is for: a common name, and the addresses and names it holds for.

    days: how long from now. authority: whether it signs other certificates.
    """

    name: str
    days: int
    ips: Sequence[str] = ()
    dns: Sequence[str] = ()
    authority: bool = False


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority: its certificate, and the key of it."""

    certificate: x509.Certificate
    key: SigningKey


# Keys --------------------------------------------------------------------------------------------


def new_key(kind: str) -> Key:
    """A new private key of one of `KINDS`."""
    match kind:
        case "dsa":
            return dsa.generate_private_key(2048)
        case "ecdsa":
            return ec.generate_private_key(ec.SECP256R1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(_EXPONENT, 4096)


def new_rsa_key() -> rsa.RSAPrivateKey:
    """A new private key for a certificate."""
    return rsa.generate_private_key(_EXPONENT, 2048)


def key_text(key: Key) -> str:
    """The key in PEM: in the form of its own kind where there is one, else in PKCS #8."""
    own = PrivateFormat.TraditionalOpenSSL
    form = PrivateFormat.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else own
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def read_key(text: str) -> Key:
    """The private key that is the first thing in a PEM text. ExpressionError when it is none.

    What is wrong with it is not told further: that could quote the key.
    """
    kind, block = _first_block(text, "private key")
    if kind not in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"):
        raise ExpressionError(
            f"there is `{kind}` in the PEM text, not a private key that can be used",
            hint="keys are given in PKCS #1, PKCS #8 or SEC 1, without a passphrase",
        )
    try:
        key = load_pem_private_key(block, None)
    except _UNREADABLE:
        raise ExpressionError("the private key in the PEM text cannot be read") from None
    if not isinstance(key, Key):
        raise ExpressionError("the private key is none of RSA, DSA, ECDSA and Ed25519")
    return key


def _signing(key: Key) -> SigningKey:
    if isinstance(key, dsa.DSAPrivateKey):
        raise ExpressionError("certificates have RSA, ECDSA and Ed25519 keys, not DSA")
    return key


def _first_block(text: str, what: str) -> tuple[str, bytes]:
    """The kind of the first PEM block in a text, and the block."""
    _, begin, rest = text.partition("-----BEGIN ")
    kind, _, rest = rest.partition("-----")
    end = f"-----END {kind}-----"
    body, found, _ = rest.partition(end)
    if not begin or not found or not text.isascii():
        raise ExpressionError(f"the {what} is not a PEM text")
    return kind, f"-----BEGIN {kind}-----{body}{end}\n".encode()


# Certificates ------------------------------------------------------------------------------------


def read_certificate(text: str) -> x509.Certificate:
    """The certificate that is the first thing in a PEM text. ExpressionError when it is none."""
    _, block = _first_block(text, "certificate")
    try:
        return x509.load_pem_x509_certificate(block)
    except _UNREADABLE:
        raise ExpressionError("the certificate in the PEM text cannot be read") from None


def read_issuer(certificate: str, key: str) -> Issuer:
    """An authority from PEM texts. ExpressionError when one is no use, or they do not match."""
    issuer = Issuer(read_certificate(certificate), _signing(read_key(key)))
    if _public(issuer.certificate) != _public(issuer.key):
        raise ExpressionError("the authority's private key is not that of its certificate")
    return issuer


def _public(of: x509.Certificate | SigningKey) -> bytes:
    return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def issue(subject: Subject, key: Key, issuer: Issuer | None = None) -> str:
    """The PEM of a certificate of the key, signed by the issuer, or else by the key itself.

    Raises: ExpressionError
    """
    key = _signing(key)
    name = _name(subject.name)
    builder = x509.CertificateBuilder(name if issuer is None else issuer.certificate.subject, name)
    builder = _lasting(builder, subject.days)
    builder = builder.public_key(key.public_key())
    builder = builder.serial_number(1 + secrets.randbelow(_SERIAL_NUMBERS))
    for extension, critical in _extensions(subject, key, issuer):
        builder = builder.add_extension(extension, critical)
    signer = key if issuer is None else issuer.key
    return builder.sign(signer, _digest(signer)).public_bytes(Encoding.PEM).decode()


def _name(text: str) -> x509.Name:
    if not text:
        return x509.Name([])
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    except ValueError:
        raise ExpressionError(
            f"a certificate's common name has at most {_LONGEST_NAME} bytes",
            hint="longer names stand among its DNS names",
        ) from None


def _lasting(builder: x509.CertificateBuilder, days: int) -> x509.CertificateBuilder:
    """The certificate holds from now on."""
    now = datetime.now(UTC)
    try:
        end = now + timedelta(days=days)
        return builder.not_valid_before(now).not_valid_after(end)
    except (OverflowError, ValueError):
        raise ExpressionError(f"a certificate cannot be valid for {days} days") from None


def _extensions(
    subject: Subject, key: SigningKey, issuer: Issuer | None
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Yield what else a certificate says, and whether who does not understand it must refuse it."""
    yield _usage(subject.authority), True
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    yield x509.ExtendedKeyUsage(usages), False
    yield x509.BasicConstraints(ca=subject.authority, path_length=None), True
    if subject.authority:
        yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    if issuer is not None and (identifier := _identifier(issuer.certificate, subject)) is not None:
        yield x509.AuthorityKeyIdentifier(identifier, None, None), False
    if subject.dns or subject.ips:
        names = [*map(_dns_name, subject.dns), *map(_address, subject.ips)]
        yield x509.SubjectAlternativeName(names), not subject.name


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _identifier(certificate: x509.Certificate, subject: Subject) -> bytes | None:
    """How an authority's certificate calls its key; not told to who has the same name, as in Go."""
    if certificate.subject == _name(subject.name):
        return None
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        return None
    return found.value.digest


def _dns_name(text: str) -> x509.DNSName:
    try:
        return x509.DNSName(text)
    except ValueError:
        message = f'"{text}" cannot be a DNS name in a certificate: it has other letters than ASCII'
        raise ExpressionError(message, hint="write it in its `xn--` form") from None


def _address(text: str) -> x509.IPAddress:
    """An IP address; one of IPv4 that is written as one of IPv6 is one of IPv4."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        raise ExpressionError(f'"{text}" is no IP address') from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ExpressionError(f'"{text}" is an address of one host alone')
        address = address.ipv4_mapped or address
    return x509.IPAddress(address)


def _digest(key: SigningKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """What is signed of a certificate; Ed25519 has its own way."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256:
        return hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA512()
    return hashes.SHA256()
