"""AWS Signature Version 4, for S3 and what speaks like it.

    before:  GET /logs/a.txt, host: s3.example.com
    after:   the same, x-amz-date: 20261127T120000Z, x-amz-content-sha256: e3b0c442...,
             authorization: AWS4-HMAC-SHA256 Credential=KEY/20261127/eu-west-1/s3/aws4_request,
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=6cd5...

The body's checksum is a part of what is signed, so the server refuses bytes that were changed on
their way. A path is signed as it is sent: S3 alone does not normalize it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """Who signs. token: of temporary keys."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


def signed(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body_sha256: str,
    *,
    keys: Keys,
    region: str,
    now: datetime,
) -> dict[str, str]:
    """The headers, and those that prove who sends the request.

    target: path and query, percent-encoded. headers: by lower-case name, `host` among them; all of
    them are signed.
    """
    time = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "x-amz-date": time, "x-amz-content-sha256": body_sha256}
    if keys.token:
        sent["x-amz-security-token"] = keys.token
    names = ";".join(sorted(sent))
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    request = _canonical(method, target, sent, body_sha256)
    to_sign = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{_sha256(request)}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={_hmac(key, to_sign).hex()}"
    )
    return sent


def _canonical(method: str, target: str, headers: Mapping[str, str], body_sha256: str) -> str:
    path, _, query = target.partition("?")
    pairs = sorted(one if "=" in one else f"{one}=" for one in query.split("&") if one)
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    names = ";".join(sorted(headers))
    return f"{method}\n{path}\n{'&'.join(pairs)}\n{lines}\n{names}\n{body_sha256}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
