"""What `http:request` gives back of an answer, and whether the playbook takes it for a success.

200, Content-Type: application/json, {"ok": false}
  -> {"status_code": 200, "body": '{"ok": false}', "json_body": {"ok": False}, ...}
fail_when: "{{ not .json_body.ok }}"
  -> https://host/path answered 200, and `fail_when` holds: {"ok": false}
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.stdlib.data._json import decode
from gxo.stdlib.http._client import shown
from gxo.stdlib.http._exchange import Answer

if TYPE_CHECKING:
    import httpx

_EXCERPT = 300
_LARGE = 64 * 1024
_JSON, _XML = "json", "xml"


class Response(TypedDict):
    """The answer; its fields are told by `http:request`, where a reader of the page finds them."""

    status_code: int
    headers: dict[str, str]
    body: str
    json_body: NotRequired[Any]
    xml_body: NotRequired[Any]
    latency_ms: int
    url: str
    path: NotRequired[str]
    pages: NotRequired[int]
    items: NotRequired[int]


def response_of(ctx: Context, answer: Answer) -> Response:
    """The answer with its body as text, and as a value if it is JSON or XML."""
    text = answer.text()
    response = without_body(answer)
    response["body"] = text
    said = answer.headers.get("content-type", "").partition(";")[0]
    try:
        if _JSON in said or text[:1] in ("{", "["):
            response["json_body"] = decode(text)
        elif _XML in said and text:
            response["xml_body"] = _xml(answer, text)
    except ValueError as error:
        if text and (_JSON in said or _XML in said):
            message = f"the body from {shown(answer.url)} is not the {said} that it is said to be"
            ctx.log("warning", f"{message}: {error}")
    return response


def _xml(answer: Answer, text: str) -> Any:
    from gxo.stdlib.data._formats.xml import read_document, without_encoding  # start-up

    if answer.charset is None:  # then it is the document that says it
        return read_document(answer.body)
    return read_document(without_encoding(text).encode())


def without_body(answer: Answer) -> Response:
    """The answer without its body, which went to a file or is read in another way."""
    return {
        "status_code": answer.status,
        "headers": answer.headers,
        "body": "",
        "latency_ms": round(answer.latency * 1000),
        "url": str(answer.url.copy_with(userinfo=b"") if answer.url.userinfo else answer.url),
    }


class Verdict(NamedTuple):
    """When an answer is a success; None where the playbook does not say."""

    success_when: Callable[[Response], bool] | None
    fail_when: Callable[[Response], bool] | None

    def check(self, ctx: Context, response: Response, url: "httpx.URL") -> None:
        """ModuleError when the answer is no success."""
        if self.success_when is not None and not self.success_when(response):
            why = "`success_when` does not hold"
        elif self.fail_when is not None and self.fail_when(response):
            why = "`fail_when` holds"
        else:
            return
        said = _excerpt(ctx, response)
        raise ModuleError(f"{shown(url)} answered {response['status_code']}, and {why}{said}")


def _excerpt(ctx: Context, response: Response) -> str:
    """The begin of what the server said, if that is short enough to be searched for secrets."""
    text = response["body"]
    if not text or len(text) > _LARGE:
        return ""
    if "json_body" in response:  # which tells values under names like `password`
        said = json.dumps(ctx.redact(response["json_body"]), ensure_ascii=False)
    else:
        said = " ".join(ctx.redact(text).split())
    said = "".join(character for character in said[:_EXCERPT] if character.isprintable())
    return f": {said}"
