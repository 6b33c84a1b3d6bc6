"""`dns:query`: ask a name server for the records of a name.

dnspython is imported when a job asks for the first time, in a thread, as that takes a while.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Duration, connects, looks_up, module
from gxo.stdlib._sizes import shown_text

if TYPE_CHECKING:
    import dns.asyncresolver
    import dns.name
    import dns.rdata
    import dns.resolver

SERVER = "dns://{server=the name servers of /etc/resolv.conf}:{port}"
RESOLV_CONF = "/etc/resolv.conf"
LONGEST = 1_100
"""Characters of a name; no name that DNS can carry has as many, however it is written."""

RecordType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "CAA"]


class Answer(TypedDict):
    """What the name server knows.

    answers: each record's data. ttl: for how many seconds all of it holds.
    """

    answers: list[str]
    ttl: int


@module(
    "dns:query",
    effects=[connects("server", at=SERVER), looks_up("name")],
    needs=["dnspython", "idna"],
)
async def query(
    ctx: Context,
    *,
    name: str,
    type: RecordType = "A",  # noqa: A002 - the playbook's word
    server: str | None = None,
    port: int = 53,
    timeout: Duration = 5.0,
) -> Answer:
    """Ask a name server for the records of a name.

    Each answer is what `dig +short` shows: `192.0.2.1`, `10 mail.example.com.`, names with the dot
    at their end. A `TXT` record is its text alone: without quotes, and its strings joined, as SPF
    and DKIM read them; one that is no UTF-8 has `\\255` for each byte outside ASCII. Answers keep
    the server's order.

    An alias (`CNAME`) is followed, and only the records at its end are answers; ask for `CNAME` to
    see it. A name that has no records of the type has no answers. A name that does not exist is an
    error.

    It asks by UDP, a few times until the time is over, and by TCP what is too large for that.

    Args:
        name: The name, as it is: search domains are not tried. One in other letters than ASCII's is
            encoded by IDNA 2008. For `PTR` an IP address may stand here.
        type: The type of the records.
        server: The name server: an IP address, or a name. By default those of the host's
            `/etc/resolv.conf`, one after the other.
        port: The name server's port.
        timeout: How long it may take until the answer is there.

    Returns:
        `answers`, and `ttl`: for how many seconds they hold, or for how many it holds that there
        are none.

    Raises:
        ParameterError: a name that DNS cannot carry, a port that is none.
        ModuleError: the name does not exist; the server refuses, fails, answers nonsense, or does
            not answer in time; there is no server to ask.

    Example:
        name: mail-hosts
        lifecycle: {policy: run_once}
        register: mail
        process:
          module: dns:query
          params:
            name: example.test
            type: MX
            server: 127.0.0.1
            port: 5353
    """
    if not 0 < port < 65536:
        raise ParameterError(f"`port` is {port}: it is 1 to 65535")
    shown = shown_text(name)
    if len(name) > LONGEST:
        raise ParameterError(f"`name` is {shown}: a name has at most 253 characters")
    await ctx.thread(_import)
    asked = _parsed(name, type, shown)
    target = "the host's name servers" if server is None else shown_text(server)
    with _foreign_errors(f"{shown} ({type})", target, timeout):
        async with asyncio.timeout(timeout):
            resolver = await _resolver(ctx, server, port, target)
            found = await resolver.resolve(
                asked, type, raise_on_no_answer=False, lifetime=timeout, search=False
            )
    return {
        "answers": [_written(record) for record in found.rrset or ()],
        "ttl": found.chaining_result.minimum_ttl,
    }


def _import() -> None:
    """start-up: 40 ms of the processor."""
    from gxo.stdlib.dns import _server  # noqa: F401 - for who comes after


def _parsed(name: str, record_type: str, shown: str) -> "dns.name.Name":
    """The name as DNS has it; of an address the one whose PTR says what it is called."""
    import dns.exception
    import dns.name
    import dns.reversename

    if not name.isprintable() or not name or " " in name:
        raise ParameterError(f"`name` is {shown}: it is a name such as example.com")
    if record_type == "PTR":
        try:
            return dns.reversename.from_address(name)
        except (dns.exception.DNSException, ValueError):
            pass  # a name, such as 1.2.0.192.in-addr.arpa
    try:
        return dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_Practical)
    except (dns.exception.DNSException, UnicodeError) as error:
        reason = str(error).removesuffix(".").lower()
        raise ParameterError(f"`name` is {shown}, which DNS cannot carry: {reason}") from error


async def _resolver(
    ctx: Context, server: str | None, port: int, target: str
) -> "dns.asyncresolver.Resolver":
    """One that asks the server, or those that the host asks."""
    import dns.asyncresolver

    from gxo.stdlib.dns._server import Server

    if server is None:
        resolver = await ctx.thread(dns.asyncresolver.Resolver, RESOLV_CONF)
        addresses = [str(one) for one in resolver.nameservers]
    else:
        resolver = dns.asyncresolver.Resolver(configure=False)
        addresses = await _addresses(server, port, target)
    resolver.nameservers = [Server(ctx, one, port) for one in addresses]
    return resolver


async def _addresses(server: str, port: int, target: str) -> list[str]:
    """The addresses of a name server, each once, in order."""
    if not server or "\0" in server or len(server) > 255:
        raise ParameterError(f"`server` is {target}: it is an address or a name")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(server, port, type=socket.SOCK_DGRAM)
    except UnicodeError:
        raise ParameterError(f"`server` is {target}: it is an address or a name") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModuleError(f"cannot find the name server {target}: {reason}") from error
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


@contextmanager
def _foreign_errors(question: str, target: str, timeout: float) -> Iterator[None]:
    """Raise dnspython's errors as ours."""
    import dns.exception
    import dns.resolver

    try:
        yield
    except dns.resolver.NXDOMAIN as error:
        raise ModuleError(f"{question}: the name does not exist (NXDOMAIN)") from error
    except (TimeoutError, dns.exception.Timeout) as error:
        raise ModuleError(f"{question}: no answer from {target} within {timeout:g} s") from error
    except dns.resolver.NoResolverConfiguration as error:
        raise ModuleError(
            f"{question}: {RESOLV_CONF} names no name server", hint="`server` names one"
        ) from error
    except dns.resolver.NoNameservers as error:
        raise ModuleError(f"{question}: {target} {_last_failure(error)}") from error
    except dns.exception.DNSException as error:
        raise ModuleError(f"{question}: {target} gave no answer: {error}") from error


def _last_failure(error: "dns.resolver.NoNameservers") -> str:
    """What came of the last attempt: a code of DNS, or why there was no answer to read."""
    _, _, _, reason, _ = error.kwargs["errors"][-1]
    if isinstance(reason, str):
        return f"answered {reason}"
    if isinstance(reason, EOFError):
        return "closed the connection before it had answered"
    if isinstance(reason, OSError):
        return f"cannot be reached: {(reason.strerror or str(reason)).lower()}"
    return f"gave an answer that cannot be read: {reason or type(reason).__name__}"


def _written(record: "dns.rdata.Rdata") -> str:
    """A record as `dig +short` shows it; of a TXT record the text."""
    strings = getattr(record, "strings", None)
    if strings is None:
        return record.to_text()
    text = b"".join(strings)
    try:
        return text.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03}" for byte in text)
