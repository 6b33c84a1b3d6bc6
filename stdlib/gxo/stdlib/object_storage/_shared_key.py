"""Azure's Shared Key, for its Blob Storage.

    before:  PUT /logs/a.txt, x-ms-date: Fri, 27 Nov 2026 12:00:00 GMT, x-ms-version: 2021-12-02
    after:   the same, authorization: SharedKey ACCOUNT:Yl1TW5nB...

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
"""The headers that are signed by their place, besides those that begin with `x-ms-`."""


def authorization(
    method: str, target: str, headers: Mapping[str, str], size: int, *, account: str, key: str
) -> str:
    """The header that proves who sends the request.

    target: path and query, percent-encoded. headers: by lower-case name, `x-ms-date` among them.
    size: of the body, in bytes. key: in base64. ValueError when it is none.
    """
    text = _to_sign(method, target, {**headers, "content-length": str(size or "")}, account)
    digest = hmac.digest(base64.b64decode(key, validate=True), text.encode(), "sha256")
    return f"SharedKey {account}:{base64.b64encode(digest).decode()}"


def _to_sign(method: str, target: str, headers: Mapping[str, str], account: str) -> str:
    path, _, query = target.partition("?")
    lines = [method, *(headers.get(name, "") for name in _SIGNED)]
    own = sorted(name for name in headers if name.startswith("x-ms-"))
    lines += [f"{name}:{headers[name].strip()}" for name in own]
    lines.append(f"/{account}{path}")
    pairs = (one.partition("=") for one in query.split("&") if one)
    asked = sorted((unquote(name).lower(), unquote(value)) for name, _, value in pairs)
    return "\n".join([*lines, *(f"{name}:{value}" for name, value in asked)])
