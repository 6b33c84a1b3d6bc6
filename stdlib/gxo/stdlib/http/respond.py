"""The module `http:respond`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.host.weight import weight
from gxo.runtime.spec import module
from gxo.stdlib.connection._data import Encoding, check_encoding
from gxo.stdlib.http._answers import make_answer
from gxo.stdlib.http._exchanges import NobodyWaitsError, exchanges


class Responded(TypedDict):
    """bytes_written: of the whole answer; 0 when nobody waited for it any more."""

    request_id: str
    bytes_written: int


@module("http:respond", changes=True, returns={"request_id": ["request_id"], "bytes_written": []})
async def respond(
    ctx: Context,
    *,
    request_id: str,
    status_code: int = 200,
    headers: Mapping[str, str | Sequence[str]] | None = None,
    body: str | None = None,
    json: Any = None,
    encoding: Encoding = "string",
) -> Responded:
    """Answer a request that `http:listen` has taken.

    As a step of the `stream:pipeline` that reads its stream it answers each, here with a value:
    `{id: answer, uses: http:respond, with: {request_id: "{{ .request_id }}", json: {ok: true}}}`.

    It does not wait until the client has taken all of the answer, and that it was sent does not say
    that it has arrived. A client that is gone, or was told that there is no answer in time, is no
    failure: that is logged, and `bytes_written` is 0.

    `Content-Length`, `Date` and `Connection` are added, and `Content-Type` unless `headers` has it:
    `application/json`, or `text/plain; charset=utf-8`, or with another `encoding`
    `application/octet-stream`. The answer to HEAD has the headers of the one to GET.

    Args:
        request_id: the handle of the request
        status_code: the status, from 200 to 599
        headers: header fields; a list gives one of each element
        body: the body as text. At most one of `body` and `json`; none with the status 204 or 304
        json: the body as a value, sent as JSON
        encoding: `string` sends `body` as UTF-8, `base64` and `hex` the bytes that it stands for

    Returns:
        `request_id`; `bytes_written`, headers included.

    Raises:
        ModuleError: no such request, or it is answered already.
        ParameterError: an answer that cannot be sent; the request then still waits for one.

    Example:
        name: busy
        lifecycle: {policy: run_once}
        loop: "{{ .refused.records }}"
        process:
          module: http:respond
          params:
            request_id: "{{ .item.request_id }}"
            status_code: 503
            headers: {Retry-After: "60"}
    """
    check_encoding(encoding)
    size = weight([body, json])
    answer = await ctx.offload(size, make_answer, status_code, headers, body, json, encoding)
    waiting = await exchanges(ctx)
    try:
        written = waiting.answer(request_id, answer)
    except NobodyWaitsError as error:
        ctx.log("warning", f"the answer to {request_id} comes too late: {error}")
        written = 0
    return {"request_id": request_id, "bytes_written": written}
