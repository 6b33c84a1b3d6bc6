"""TLS for connections: whom to trust, and who one is."""

import os
import ssl
from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Secret


class ClientTls(TypedDict, total=False):
    """How a client proves its peer and itself; all of it PEM.

    ca_cert: the authorities to trust instead of the host's. client_cert, client_key: a certificate
    of one's own. server_name: the name that the peer's certificate has, if it is not the address's.
    skip_verify: accept any certificate; whoever is on the way can then read along.
    """

    ca_cert: str
    client_cert: str
    client_key: Secret
    server_name: str
    skip_verify: bool


class ServerTls(TypedDict, total=False):
    """A server's certificate and its key, in PEM. client_ca: the authorities of those who may
    connect; without it everybody may.
    """

    cert: str
    key: Secret
    client_ca: str


def client_context(ctx: Context, tls: bool | ClientTls) -> ssl.SSLContext | None:
    """What a client needs; None without TLS."""
    if tls is False:
        return None
    options: ClientTls = {} if tls is True else tls
    trusts_nobody = "ca_cert" in options or options.get("skip_verify", False)
    context = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if trusts_nobody else ssl.create_default_context()
    )
    if "ca_cert" in options:
        trust_authorities(context, "tls.ca_cert", options["ca_cert"])
    if options.get("skip_verify"):
        ctx.log("warning", "certificates are not verified: whoever is on the way can read along")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ("client_cert" in options) != ("client_key" in options):
        raise ParameterError("tls: `client_cert` and `client_key` belong together")
    if "client_cert" in options:
        identify(context, "tls", options["client_cert"], options["client_key"])
    return context


def server_context(tls: ServerTls | None) -> ssl.SSLContext | None:
    """What a server needs; None without TLS."""
    if tls is None:
        return None
    if "cert" not in tls or "key" not in tls:
        raise ParameterError("tls: a server needs `cert` and `key`")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identify(context, "tls", tls["cert"], tls["key"])
    if "client_ca" in tls:
        trust_authorities(context, "tls.client_ca", tls["client_ca"])
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def trust_authorities(context: ssl.SSLContext, name: str, text: str) -> None:
    """Let the context trust these authorities, in PEM. name: what the playbook calls the text."""
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):
        raise ParameterError(f"`{name}` is no certificate in PEM") from None


def identify(context: ssl.SSLContext, name: str, cert: str, key: str, passphrase: str = "") -> None:
    """Give the context a certificate and its key, in PEM. name: of the map that they stand in.

    The library reads files only, so it gets one in memory.
    """
    descriptor = os.memfd_create("gxo-key")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(f"{cert}\n{key}\n".encode())
        # Without a function, an encrypted key would be asked for on the terminal.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=lambda: passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unknown"
        raise ModuleError(f"{name}: the certificate and its key cannot be used: {reason}") from None
    finally:
        os.close(descriptor)
