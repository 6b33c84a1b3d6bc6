"""Whom `http:request` believes, and how it proves who it is: servers with certificates of a test CA."""

import asyncio
import contextlib
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from gxo.runtime.errors import GxoError
from gxo.stdlib.connection._tls import identify
from gxo.stdlib.http.request import request
from tests.certificates import Authority
from tests.stdlib.harness import Bench, bench, run
from tests.stdlib.http.server import Server, serving

CA = Authority()
CERT, KEY = CA.issue("worker-1")


def server_context(*, wants_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identify(context, "server", *CA.issue("localhost"))
    if wants_certificate:
        context.load_verify_locations(cadata=CA.cert)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


@contextlib.asynccontextmanager
async def secured(folder: Path, *, servers: int = 1, **options: bool) -> Any:
    """A bench, and as many servers with the test CA's certificates."""
    async with bench(folder) as workbench:
        with contextlib.ExitStack() as stack:
            context = server_context(**options)
            running = [stack.enter_context(serving({}, context=context)) for _ in range(servers)]
            try:
                yield workbench, *running
            finally:
                await workbench.run.shared.close()
                await workbench.context.thread(stack.close)


def address(server: Server) -> str:
    return f"https://localhost:{server.server_address[1]}"


async def told(workbench: Bench, **params: Any) -> Any:
    """The status, or the error and its hint."""
    try:
        return (await request(workbench.context, **params))["status_code"]
    except GxoError as error:
        return type(error).__name__, f"{error}: {error.hint}"


def test_an_authority_instead_of_the_hosts(tmp_path: Path) -> None:
    async def play() -> list[Any]:
        async with secured(tmp_path) as (workbench, server):
            server.set_routes({"/": {}})
            url = address(server)
            return [
                await told(workbench, url=url, ca_cert=CA.cert),
                await told(workbench, url=url, ca_cert=Authority().cert),
                await told(workbench, url=url, ca_cert="-----BEGIN"),
                await told(workbench, url=url.replace("localhost", "127.0.0.1"), ca_cert=CA.cert),
                await told(workbench, url=url, ca_cert=CA.cert),
            ]

    ok, other, broken, name, again = run(play())
    assert (ok, again) == (200, 200)
    assert "certificate verify failed" in other[1] and "`ca_cert` names others" in other[1]
    assert broken == ("ParameterError", "`ca_cert` is no certificate in PEM: None")
    assert "certificate is not valid for '127.0.0.1'" in name[1]


def encrypted(key: str, passphrase: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    ).decode()


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    async def play() -> tuple[list[Any], list[Any]]:
        async with secured(tmp_path, wants_certificate=True) as (workbench, server):
            server.set_routes({"/": {}})

            async def ask(**client: Any) -> Any:
                more = {"client_cert": client} if client else {}
                return await told(workbench, url=address(server), ca_cert=CA.cert, **more)

            secret = encrypted(KEY, "s3cret")
            results = [
                await ask(),
                await ask(cert=CERT, key=KEY),
                await ask(cert=CERT, key=secret, passphrase="s3cret"),
                await ask(cert=CERT, key=secret, passphrase="other"),
                await ask(cert=CERT, key=secret),
                await ask(cert=CERT, key=CA.issue("x")[1]),
                await ask(cert="nothing", key="s3cret key"),
            ]
            return results, [one["client"] for one in server.requests]

    (bare, plain, opened, *wrong), clients = run(play())
    assert (bare, plain, opened) == (200, 200, 200)
    assert clients == [None, "worker-1", "worker-1"]
    for kind, message in wrong:
        assert kind == "ModuleError" and "client_cert: the certificate and its key" in message
        assert "s3cret" not in message


def test_another_server_does_not_see_it(tmp_path: Path) -> None:
    async def play() -> list[Any]:
        async with secured(tmp_path, servers=2, wants_certificate=True) as (workbench, one, two):
            one.set_routes({"/": {"status": 302, "headers": {"Location": f"{address(two)}/b"}}})
            two.set_routes({"/b": {"json": []}})
            more = {"ca_cert": CA.cert, "client_cert": {"cert": CERT, "key": KEY}}
            await request(workbench.context, url=address(one), **more)
            one.set_routes(
                {"/": {"json": [1], "headers": {"Link": f'<{address(two)}/b>; rel="next"'}}}
            )
            await request(
                workbench.context, url=address(one), pagination={"link_header": True}, **more
            )
            return [seen["client"] for server in (one, two) for seen in server.requests]

    assert run(play()) == ["worker-1", "worker-1", None, None]


def test_nobody_is_believed_when_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def play() -> Any:
        async with secured(tmp_path) as (workbench, server):
            server.set_routes({"/": {}, "/token": {"json": {"access_token": "t0ken"}}})
            client = {"client_id": "a", "client_secret": "b"}
            oauth2 = {"token_url": f"{address(server)}/token", **client}
            auth = {"oauth2": oauth2}
            return await told(workbench, url=address(server), skip_tls_verify=True, auth=auth)

    assert run(play()) == 200
    told_of = re.findall(
        r"security: TLS certificates of https://localhost:\d+(\S*) are not", capfd.readouterr().err
    )
    assert told_of == ["", "/token"]


def test_a_password_in_the_address_is_shown_nowhere(tmp_path: Path) -> None:
    async def play() -> Any:
        async with secured(tmp_path) as (workbench, server):
            server.set_routes({"/": {}})
            url = address(server).replace("://", "://ann:w%40rd-of-hers@")
            await request(workbench.context, url=url, ca_cert=CA.cert)
            return workbench.context.redact("w@rd-of-hers, w%40rd-of-hers")

    assert run(play()) == "[REDACTED_SECRET], [REDACTED_SECRET]"


def test_the_token_is_shown_nowhere(tmp_path: Path) -> None:
    async def play() -> Any:
        async with secured(tmp_path) as (workbench, server):
            server.set_routes({"/": {}, "/token": {"json": {"access_token": "t0ken-value"}}})
            client = {"client_id": "a", "client_secret": "b"}
            oauth2 = {"token_url": f"{address(server)}/token", **client}
            await asyncio.gather(
                *(
                    request(
                        workbench.context,
                        url=address(server),
                        ca_cert=CA.cert,
                        auth={"oauth2": oauth2},  # type: ignore[typeddict-item]
                    )
                    for _ in range(5)
                )
            )
            asked = [one["path"] for one in server.requests]
            return asked.count("/token"), workbench.context.redact("it is t0ken-value")

    assert run(play()) == (1, "it is [REDACTED_SECRET]")
