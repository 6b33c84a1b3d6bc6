"""`http:request`: ask a server, once or page by page."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import (
    Condition,
    Duration,
    On,
    Record,
    Secret,
    Size,
    Url,
    UrlValue,
    WorkspacePath,
    connects,
    module,
    writes,
)
from gxo.runtime.streams.ports import Out
from gxo.stdlib._spool import Spool
from gxo.stdlib.data._batches import BATCH
from gxo.stdlib.http._client import foreign_errors, shared_client
from gxo.stdlib.http._exchange import Answer, Call, exchange, shown
from gxo.stdlib.http._fields import as_json, field, has_break, with_type
from gxo.stdlib.http._pages import Pagination, read_pages
from gxo.stdlib.http._response import Response, Verdict, response_of, without_body

if TYPE_CHECKING:
    import httpx

__all__ = ["Response", "request"]

MAX_BODY = 64 * 1024 * 1024

READING = frozenset(["GET", "HEAD", "OPTIONS"])
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

BasicAuth = TypedDict("BasicAuth", {"user": str, "pass": Secret})


class Auth(TypedDict, total=False):
    """How the request proves who asks: `basic` or `bearer`."""

    basic: BasicAuth
    bearer: Secret


@module(
    "http:request",
    changes="by_call",
    effects=[connects("url"), writes("download_to")],
    needs=["httpx"],
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
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    timeout: Duration = 30.0,
    auth: Auth | None = None,
    follow_redirects: bool = True,
    skip_tls_verify: bool = False,
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
    said instead.

    With `pagination` it is a source: every item of every page is a record, one that is no map
    becomes `{value}`.

    Args:
        url: The address, beginning with http:// or https://.
        method: What to do.
        headers: Headers of the request.
        query: Parameters that are added to the address; a list gives one of each element.
        body: The request's body as text. At most one of `body`, `json` and `form`.
        json: The body as a value, sent as JSON.
        form: The body as fields of a form.
        timeout: How long one exchange may take, from connecting to the last byte of the body.
        auth: `basic` with `user` and `pass`, or `bearer` with a token.
        follow_redirects: Whether to go where a redirect leads, at most 20 times.
        skip_tls_verify: Accept any certificate. Whoever is on the way can then read along.
        pagination: Where the next page is: `next_field`, `link_header` or `page_param`; where its
            items are: `items_field`; and `max_pages`.
        success_when: A condition on the answer, each page's, without which the workload fails.
        fail_when: A condition on the answer, each page's, with which the workload fails.
        retry_status: The statuses that are worth another attempt.
        retry_attempts: How often a request is sent at most, 1 for never again.
        max_body: How large a body may be; 64 MiB unless it is downloaded.
        download_to: A file to write the body to, in pieces; not for a status of 400 and more.

    Returns:
        The answer, or the last page's.

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
    if retry_attempts < 1:
        raise ParameterError(f"retry_attempts: {retry_attempts} is below 1")
    if download_to is not None and pagination is not None:
        raise ParameterError("`download_to` and `pagination` exclude each other")
    address = _address(url, query)
    size = weight([body, json, form])
    payload = await ctx.offload(size, _payload, body, json, form, _headers(headers, auth))
    all_headers, content = payload
    if method in READING and download_to is None:
        ctx.changes_nothing()
    elif ctx.dry_run:
        return _foresee(ctx, method, address, download_to)
    client = await shared_client(ctx, verify=not skip_tls_verify)
    if skip_tls_verify:
        ctx.log("warning", f"security: TLS certificates of {shown(address)} are not verified")
    call = Call(
        client,
        method,
        address,
        all_headers,
        content,
        timeout=timeout,
        follow_redirects=follow_redirects,
        max_body=MAX_BODY if max_body is None and download_to is None else max_body,
        retry_status=frozenset(retry_status),
        attempts=retry_attempts,
    )
    verdict = Verdict(success_when, fail_when)
    if pagination is not None:
        return await _send_pages(ctx, call, pagination, verdict, out)
    if download_to is not None:
        return await _download(ctx, call, download_to, verdict)
    return await _whole(ctx, await exchange(ctx, call, address), verdict)


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
        verdict.check(ctx, page, shown(answer.url))

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
        verdict.check(ctx, response, shown(answer.url))
        await spool.save()
    response["path"] = path
    return response


async def _whole(ctx: Context, answer: Answer, verdict: Verdict) -> Response:
    response = await ctx.offload(len(answer.body), response_of, ctx, answer)
    verdict.check(ctx, response, shown(answer.url))
    return response


def _address(url: str, query: Mapping[str, Any] | None) -> "httpx.URL":
    import httpx

    with foreign_errors("of parameter 'url'"):
        address = httpx.URL(url)
        if query:
            address = address.copy_merge_params({name: _plain(query[name]) for name in query})
    if address.scheme not in ("http", "https") or not address.host:
        hint = "an address looks like https://host/path"
        raise ParameterError(
            "url: it does not begin with http:// or https:// and a host", hint=hint
        )
    return address


def _plain(value: Any) -> Any:
    """A value of a query or form as httpx takes it."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ParameterError("a map cannot be the value of a query parameter or a form's field")


def _headers(headers: Mapping[str, str] | None, auth: Auth | None) -> list[tuple[bytes, bytes]]:
    made = [field(name, value) for name, value in (headers or {}).items()]
    if auth is not None:
        if any(name.lower() == b"authorization" for name, _ in made):
            raise ParameterError("give one of `auth` and the header Authorization")
        made.append((b"Authorization", _authorization(auth)))
    return made


def _authorization(auth: Auth) -> bytes:
    if len(auth) != 1:
        raise ParameterError("auth: give one of `basic` and `bearer`")
    if "bearer" in auth:
        if has_break(auth["bearer"]):
            raise ParameterError("auth.bearer has a line break or NUL in it")
        return b"Bearer " + auth["bearer"].encode()
    basic = auth["basic"]
    if ":" in basic["user"]:
        raise ParameterError("auth.basic.user has a colon in it, which cannot be sent")
    return b"Basic " + base64.b64encode(f"{basic['user']}:{basic['pass']}".encode())


def _payload(
    body: str | None,
    json: Any,
    form: Mapping[str, Any] | None,
    headers: list[tuple[bytes, bytes]],
) -> tuple[list[tuple[bytes, bytes]], bytes | None]:
    """The headers, with what the body adds to them, and the body's bytes."""
    if sum(value is not None for value in (body, json, form)) > 1:
        raise ParameterError("give at most one of `body`, `json` and `form`")
    if body is not None:
        return headers, body.encode(errors="surrogateescape")
    if json is not None:
        return with_type(headers, b"application/json"), as_json(json)
    if form is not None:
        import httpx

        pairs = httpx.QueryParams({name: _plain(form[name]) for name in form})
        return with_type(headers, b"application/x-www-form-urlencoded"), str(pairs).encode()
    return headers, None
