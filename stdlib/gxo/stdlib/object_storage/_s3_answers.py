"""What S3 answers: an object's headers, a document of XML, or why not."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.stdlib.object_storage._checks import missing_bucket, place
from gxo.stdlib.object_storage._digests import take_noted
from gxo.stdlib.object_storage._store import Conflict, Found
from gxo.stdlib.object_storage._wire import Answer

META = "x-amz-meta-"
CHECKSUM = "x-amz-checksum-sha256"
_MD5 = re.compile(r"[0-9a-f]{32}")
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")


def document(body: bytes, root: str) -> Record:
    """An element as a record (see data._formats.xml). ValueError when it is not there."""
    from gxo.stdlib.data._formats.xml import read_xml  # start-up: only where an answer has one

    for found, _ in read_xml(iter([body]), root):
        for record in found:
            return record
    raise ValueError(f"it has no {root}")


def several(value: Any) -> list[Any]:
    """The elements of one name: none, one or many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def found(answer: Answer) -> Found:
    """What the headers say of an object. ValueError when they do not say how large it is."""
    headers = answer.headers
    whole = _RANGE.fullmatch(headers.get("content-range", ""))
    metadata = {
        name.removeprefix(META): value for name, value in headers.items() if name.startswith(META)
    }
    noted = take_noted(metadata)
    etag = unquoted(headers.get("etag", ""))
    return Found(
        size=int(whole[1] if whole else headers.get("content-length", "")),
        etag=etag,
        version=version(headers),
        sha256=_kept_sha256(headers) or noted,
        md5=etag if _MD5.fullmatch(etag) and not _is_encrypted(headers) else "",
        content_type=headers.get("content-type", ""),
        metadata=metadata,
    )


def unquoted(etag: str) -> str:
    return etag.removeprefix('"').removesuffix('"')


def version(headers: Mapping[str, str]) -> str:
    """A bucket without versions has none, or calls it null."""
    told = headers.get("x-amz-version-id", "")
    return "" if told == "null" else told


def _kept_sha256(headers: Mapping[str, str]) -> str:
    """The checksum that the server keeps, if it is that of the whole content."""
    kept = headers.get(CHECKSUM, "")
    # Of what came in parts S3 has no SHA-256 as a whole; moto leaves out that it is composite.
    came_in_parts = "-" in headers.get("etag", "")
    if came_in_parts or headers.get("x-amz-checksum-type", "") == "COMPOSITE":
        return ""
    try:
        return base64.b64decode(kept, validate=True).hex()
    except ValueError:  # of parts: it ends with their number
        return ""


def _is_encrypted(headers: Mapping[str, str]) -> bool:
    """Whether the ETag is that of encrypted bytes."""
    kind = headers.get("x-amz-server-side-encryption", "")
    return kind.startswith("aws:kms") or any(
        name.startswith("x-amz-server-side-encryption-customer") for name in headers
    )


_BY_STATUS = {403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed"}
_KEYS = "check `credentials`, and that they belong to this service"
_AGAIN = "try it again"
_REFUSALS: dict[str, tuple[str, str]] = {
    "NoSuchKey": ("there is no {what}", "object_storage:list_objects shows what there is"),
    "NoSuchVersion": ("there is no {what}", "leave out `version` for the newest"),
    "NoSuchUpload": ("the upload of {what} was ended by somebody else", _AGAIN),
    "SignatureDoesNotMatch": ("{origin} refuses the secret key, for {what}", _KEYS),
    "InvalidAccessKeyId": ("{origin} does not know the access key, for {what}", _KEYS),
    "ExpiredToken": ("the session token has expired", "get new temporary credentials"),
    "InvalidToken": ("{origin} does not accept the session token", _KEYS),
    "RequestTimeTooSkewed": (
        "{origin} refuses the request, because the clock of this host is wrong",
        "set the clock, best by NTP",
    ),
    "OperationAborted": ("{what} is being made or deleted by somebody else", "use `retry`"),
    "BadDigest": ("what arrived as {what} is not what was sent", _AGAIN),
    "XAmzContentSHA256Mismatch": ("what arrived as {what} is not what was sent", _AGAIN),
    "EntityTooLarge": ("{what} would be larger than {origin} allows", "split it"),
    "InvalidObjectState": ("{what} is archived", "restore it first"),
    "PermanentRedirect": ("{what} is at another address than {origin}", "set its `region`"),
}
_DENIED = {
    True: "the credentials need a policy, of their account or of the bucket, that allows it",
    False: "no `credentials` were given: give some, or make the bucket public",
}


def refusal(
    ctx: Context, answer: Answer, origin: str, bucket: str, key: str, doing: str, *, anonymous: bool
) -> ModuleError:
    """The error for an answer that is none, with what to do about it.

    doing: what was to be done: `read`. key: empty where it is about the bucket.
    """
    try:
        said = document(answer.body, "Error")
    except ValueError:
        said = {}
    code = str(said.get("Code") or _BY_STATUS.get(answer.status, ""))
    what = place(bucket, key) if key else f"bucket '{bucket}'"
    if key and code in ("PreconditionFailed", "ConditionalRequestConflict"):
        return Conflict(f"{what} is not, or no longer, what the condition says")
    if code == "NoSuchBucket":
        return missing_bucket(bucket, origin)
    if code in ("AccessDenied", "AllAccessDisabled"):
        message = f"{origin} does not allow to {doing} {what}"
        return ModuleError(message, hint=_DENIED[not anonymous])
    region = answer.headers.get("x-amz-bucket-region") or said.get("Region")
    if answer.status in (301, 307, 400) and isinstance(region, str):
        return ModuleError(
            f"bucket '{bucket}' is in another region", hint=f"set `region: {region}`"
        )
    if code in _REFUSALS:
        message, hint = _REFUSALS[code]
        return ModuleError(
            message.format(what=what, bucket=f"'{bucket}'", origin=origin), hint=hint
        )
    told = str(ctx.redact(str(said.get("Message") or "")))[:300]
    message = f"{origin} answered {answer.status} {code}".rstrip()
    return ModuleError(f"cannot {doing} {what}: {message}{f': {told}' if told else ''}")
