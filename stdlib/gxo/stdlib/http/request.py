"""`http:request`: ask a server, once or page by page."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Any, Literal

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import (
    Condition,
    Duration,
    On,
    Record,
    Size,
    Url,
    UrlValue,
    WorkspacePath,
    connects,
    module,
    reads,
    writes,
)
from gxo.runtime.streams.ports import Out
from gxo.stdlib._spool import Spool
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.http._auth import Auth, authorization, tokens_of
from gxo.stdlib.http._bodies import Body, File, plain_values
from gxo.stdlib.http._client import (
    ENVIRONMENT,
    ClientCert,
    Trust,
    foreign_errors,
    shared_client,
    shared_cookies,
    shown,
)
from gxo.stdlib.http._exchange import Answer, Call, exchange
from gxo.stdlib.http._fields import Fields, check_text, field, has
from gxo.stdlib.http._pages import Pagination, read_pages
from gxo.stdlib.http._response import Response, Verdict, response_of, without_body

if TYPE_CHECKING:
    import httpx

__all__ = ["Response", "request"]

MAX_BODY = 64 * 1024 * 1024

READING = frozenset(["GET", "HEAD", "OPTIONS"])
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@module(
    "http:request",
    changes="by_call",
    effects=[
        connects("url"),
        connects("auth.oauth2.token_url"),
        reads("body_from"),
        reads("files.path"),
        writes("download_to"),
    ],
    environment=ENVIRONMENT,
    # httpcore looks for sniffio again and again, at each request, as long as it does not find it.
    needs=["httpx", "sniffio"],
    at_most_one=[
        ["body", "body_from", "json", "form"],
        ["body", "body_from", "json", "files"],
        ["auth.basic", "auth.bearer", "auth.oauth2"],
        ["pagination.next_field", "pagination.link_header", "pagination.page_param"],
    ],
    requires={
        "pagination.start": ["pagination.page_param"],
        "pagination.size": ["pagination.page_param", "pagination.size_param"],
        "pagination.size_param": ["pagination.size"],
    },
    emits_when="pagination",
    returns={"path": ["download_to"]},
)
async def request(
    ctx: Context,
    out: Out | None = None,
    *,
    url: Url,
    method: Method = "GET",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, UrlValue] | None = None,
    body: str | None = None,
    body_from: WorkspacePath | None = None,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    files: Sequence[File] | None = None,
    timeout: Duration = 30.0,
    auth: Auth | None = None,
    cookie_jar: bool = False,
    follow_redirects: bool = True,
    skip_tls_verify: bool = False,
    ca_cert: str | None = None,
    client_cert: ClientCert | None = None,
    pagination: Pagination | None = None,
    success_when: On[Response, Condition] | None = None,
    fail_when: On[Response, Condition] | None = None,
    retry_status: Sequence[int] = (429, 502, 503, 504),
    retry_attempts: int = 3,
    max_body: Size | None = None,
    download_to: WorkspacePath | None = None,
) -> Response:
    """Send an HTTP request and read the answer.

    A status of 400 and more is no failure by itself: `success_when` and `fail_when` say what is
    one, of the answer's fields, as in `"{{ .status_code }} < 300"`. Connections are pooled for the
    whole job; proxies come from the environment. Credentials never go to another host than the one
    named: after a redirect there, or for a next page there, only headers like `Accept` are sent.

    An answer with one of `retry_status` is asked for again, page by page, when the method is safe
    to repeat (GET, HEAD, OPTIONS, PUT, DELETE), after the pause that `Retry-After` names (at most
    5 minutes), else 1, 2, 4... seconds.

    In a dry run GET, HEAD and OPTIONS are sent; what another method, or `download_to`, would do is
    said instead, once the files to send are there.

    With `pagination` it is a source: every item of every page is a record, one that is no map
    becomes `{value}`.

    Args:
        url: The address, beginning with http:// or https://.
        method: What to do.
        headers: Headers of the request.
        query: Parameters that are added to the address; a list gives one of each element.
        body: The request's body as text. At most one of `body`, `body_from`, `json` and `form`.
        body_from: A file of the workspace that is the body, read in pieces while it is sent.
        json: The body as a value, sent as JSON.
        form: The body as fields of a form.
        files: Files of the workspace that go with the form, which is then multipart/form-data: of
            each the form's `field`, its `path`, the `name` that the server is told (the last part
            of the path) and its media `type` (what the name's ending says). Read in pieces.
        timeout: How long one exchange may take, from connecting to the last byte of the body.
        auth: `basic` with `user` and `pass`; `bearer` with a token; or `oauth2` with `token_url`,
            `client_id`, `client_secret` and `scopes`, which asks for a token first (the grant for
            client credentials), again if need be. The job uses it until it expires; a 401 gets one
            new token.
        cookie_jar: Keep the cookies that answers set, and send them with the requests of the job
            that have a `cookie_jar` as well, where they belong.
        follow_redirects: Whether to go where a redirect leads, at most 20 times.
        skip_tls_verify: Accept any certificate. Whoever is on the way can then read along.
        ca_cert: Certificates of the authorities to trust instead of the host's, in PEM.
        client_cert: The client's own certificate: `cert` and `key` in PEM, and the `passphrase` of
            a key that is encrypted.
        pagination: Where the next page is: `next_field`, `link_header` or `page_param`; where its
            items are: `items_field`; and `max_pages`.
        success_when: A condition on the answer, each page's, without which the workload fails.
        fail_when: A condition on the answer, each page's, with which the workload fails.
        retry_status: The statuses that are worth another attempt.
        retry_attempts: How often a request is sent at most, 1 for never again.
        max_body: How large a body may be; 64 MiB unless it is downloaded.
        download_to: A file to write the body to, in pieces; not for a status of 400 and more.

    Returns:
        The answer, or the last page's: `status_code`; `headers` by lower-case name; `body`, the
        text, empty when it was downloaded or came in pages; `json_body`, when it is JSON, or all
        items of all pages when nothing reads the stream; `xml_body`, when the answer says that it
        is XML: a map with one field, the outermost element, whose attributes and elements are
        fields by their names, a list where a name is there several times; `latency_ms` until the
        headers were there; `url`, where it came from after redirects; `path` of what was
        downloaded; `pages` and `items`, how many were read.

    Raises:
        ParameterError: an address, a header or a combination of parameters that makes no request.
        ModuleError: no connection, no answer in time, an answer that is too large or no HTTP.

    Example:
        name: users
        lifecycle: {policy: run_once}
        register: users
        process:
          module: http:request
          params:
            url: https://api.example.com/users
            auth: {bearer: '{{ secret "API_TOKEN" }}'}
            query: {active: true}
    """
    given = Body(body, body_from, json, form, files)
    _check(given, retry_attempts, download_to, pagination)
    address = _address("url", url, query)
    if address.password:
        ctx.private(address.password)
    fields = _fields(headers, auth, address)
    if method in READING and download_to is None:
        ctx.changes_nothing()
    trust = Trust(not skip_tls_verify, ca_cert, *_identity(client_cert))
    with ExitStack() as stack:
        fields, content = await given.open(ctx, fields, stack)
        if ctx.dry_run and (method not in READING or download_to is not None):
            return _foresee(ctx, method, address, download_to)
        call = Call(
            await shared_client(ctx, trust),
            method,
            address,
            fields,
            content,
            timeout=timeout,
            follow_redirects=follow_redirects,
            max_body=MAX_BODY if max_body is None and download_to is None else max_body,
            retry_status=frozenset(retry_status),
            attempts=retry_attempts,
        )
        await _acquaint(ctx, call, trust, auth, cookie_jar=cookie_jar)
        verdict = Verdict(success_when, fail_when)
        if pagination is not None:
            return await _send_pages(ctx, call, pagination, verdict, out)
        if download_to is not None:
            return await _download(ctx, call, download_to, verdict)
        return await _whole(ctx, await exchange(ctx, call, address), verdict)


def _check(
    given: Body, attempts: int, download_to: str | None, pagination: Pagination | None
) -> None:
    given.check()
    if attempts < 1:
        raise ParameterError(f"retry_attempts: {attempts} is below 1")
    if download_to is not None and pagination is not None:
        raise ParameterError("`download_to` and `pagination` exclude each other")


async def _acquaint(
    ctx: Context, call: Call, trust: Trust, auth: Auth | None, *, cookie_jar: bool
) -> None:
    """Give the call what it knows beyond itself: tokens, cookies, a client that shows no name."""
    servers = [call.url]
    if auth is not None and "oauth2" in auth:
        server = _address("auth.oauth2.token_url", auth["oauth2"]["token_url"], None)
        call.tokens = await tokens_of(ctx, auth["oauth2"], server)
        servers.append(server)
    if trust.cert is not None:
        call.stranger = await shared_client(ctx, trust.anonymous())
    if cookie_jar:
        call.cookies = await shared_cookies(ctx)
    if not trust.verify:
        for server in servers:
            ctx.log("warning", f"security: TLS certificates of {shown(server)} are not verified")


def _foresee(ctx: Context, method: str, address: "httpx.URL", path: str | None) -> Response:
    to = f", and write the answer to {path}" if path is not None else ""
    known = {"path": path} if path is not None else {}
    response: Response = ctx.would(f"send {method} {shown(address)}{to}", known, writes=path)
    return response


async def _send_pages(
    ctx: Context, call: Call, pagination: Pagination, verdict: Verdict, out: Out | None
) -> Response:
    def check(answer: Answer, body: Any) -> None:
        page = without_body(answer)
        page["body"] = answer.text()
        page["json_body"] = body
        verdict.check(ctx, page, answer.url)

    gathered: list[Any] = []
    pages = items = 0
    async with aclosing(read_pages(ctx, call, pagination, check)) as read:
        async for answer, found in read:
            last = answer
            pages += 1
            items += len(found)
            if out is None:
                gathered += found
                continue
            for start in range(0, len(found), BATCH):
                await out.send([_record(item) for item in found[start : start + BATCH]])
    response = without_body(last)
    response["pages"] = pages
    response["items"] = items
    if out is None:
        response["json_body"] = gathered
    return response


def _record(item: Any) -> Record:
    return item if isinstance(item, dict) else {"value": item}


async def _download(ctx: Context, call: Call, path: str, verdict: Verdict) -> Response:
    with Spool(ctx, path) as spool:
        await spool.check()
        call.spool = spool
        answer = await exchange(ctx, call, call.url)
        if not answer.saved:
            return await _whole(ctx, answer, verdict)
        response = without_body(answer)
        verdict.check(ctx, response, answer.url)
        await spool.save()
    response["path"] = path
    return response


async def _whole(ctx: Context, answer: Answer, verdict: Verdict) -> Response:
    response = await ctx.offload(len(answer.body), response_of, ctx, answer)
    verdict.check(ctx, response, answer.url)
    return response


def _address(param: str, url: str, query: Mapping[str, Any] | None) -> "httpx.URL":
    import httpx

    check_text(param, url)
    with foreign_errors(f"of parameter '{param}'"):
        address = httpx.URL(url)
        if query:
            address = address.copy_merge_params(plain_values("query", query))
    if address.scheme not in ("http", "https") or not address.host:
        hint = "an address looks like https://host/path"
        raise ParameterError(
            f"{param}: it does not begin with http:// or https:// and a host", hint=hint
        )
    return address


def _fields(headers: Mapping[str, str] | None, auth: Auth | None, address: "httpx.URL") -> Fields:
    made = [field(name, value) for name, value in (headers or {}).items()]
    if auth is None:
        return made
    if has(made, "Authorization") or address.userinfo:
        other = "credentials in the address" if address.userinfo else "the header Authorization"
        raise ParameterError(f"give one of `auth` and {other}")
    value = authorization(auth)
    return made if value is None else [*made, (b"Authorization", value)]


def _identity(client_cert: ClientCert | None) -> tuple[str | None, str, str]:
    if client_cert is None:
        return None, "", ""
    return client_cert["cert"], client_cert["key"], client_cert.get("passphrase", "")
