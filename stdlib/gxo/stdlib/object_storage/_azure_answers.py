"""What Azure answers: a blob's headers, or why not."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.stdlib.object_storage._checks import missing_bucket, place
from gxo.stdlib.object_storage._digests import hexadecimal, take_noted
from gxo.stdlib.object_storage._s3_answers import document, unquoted
from gxo.stdlib.object_storage._store import Conflict, Found
from gxo.stdlib.object_storage._wire import Answer

META = "x-ms-meta-"


def found(headers: Mapping[str, str]) -> Found:
    """What the headers say of a blob. ValueError when they do not say how large it is."""
    metadata = {
        name.removeprefix(META): value for name, value in headers.items() if name.startswith(META)
    }
    sha256 = take_noted(metadata)
    whole = headers.get("content-range", "").rpartition("/")[2]
    # Of a part of a blob `content-md5` would be that of the part.
    md5 = headers.get("x-ms-blob-content-md5") or ("" if whole else headers.get("content-md5", ""))
    return Found(
        size=int(whole or headers.get("content-length", "")),
        etag=unquoted(headers.get("etag", "")),
        version=headers.get("x-ms-version-id", ""),
        sha256=sha256,
        md5=hexadecimal(md5),
        content_type=headers.get("content-type", ""),
        metadata=metadata,
    )


def listed(blob: Any) -> Record:
    """A blob of a list."""
    properties = blob["Properties"]
    modified = parsedate_to_datetime(properties["Last-Modified"]).astimezone(UTC)
    return {
        "key": name_of(blob["Name"]),
        "size": int(properties["Content-Length"]),
        "etag": unquoted(properties.get("Etag", "")),
        "last_modified": modified.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "storage_class": properties.get("AccessTier", ""),
    }


def name_of(element: Any) -> str:
    """A name that XML cannot carry is percent-encoded."""
    if isinstance(element, str):
        return element
    from urllib.parse import unquote

    text: str = element["value"]
    return unquote(text) if element.get("Encoded") == "true" else text


_BY_STATUS = {
    401: "NoAuthenticationInformation",
    403: "AuthorizationFailure",
    412: "ConditionNotMet",
}
_CONFLICTS = ("ConditionNotMet", "TargetConditionNotMet", "BlobAlreadyExists")
_DENIED = (
    "AuthorizationFailure",
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationProtocolMismatch",
    "AuthorizationServiceMismatch",
    "InsufficientAccountPermissions",
    "NoAuthenticationInformation",
    "PublicAccessNotPermitted",
)
_KEYS = "check `credentials`, and that they belong to this storage account"
_REFUSALS: dict[str, tuple[str, str]] = {
    "ContainerBeingDeleted": (
        "{what} is being deleted, which takes Azure half a minute and more",
        "use `retry`, or another name",
    ),
    "BlobNotFound": ("there is no {what}", "object_storage:list_objects shows what there is"),
    "AuthenticationFailed": ("{origin} refuses the credentials, for {what}", _KEYS),
    "Md5Mismatch": ("what arrived as {what} is not what was sent", "try it again"),
    "BlobArchived": ("{what} is archived", "restore it first"),
    "LeaseIdMissing": ("{what} is locked by a lease", "wait until it is given back"),
    "SnapshotsPresent": ("{what} has snapshots", "delete them first"),
    "AccountIsDisabled": ("the storage account is disabled", "see its page in Azure"),
}


def error_code(answer: Answer) -> str:
    """The code of an error. An answer to HEAD has no body, so it is a header as well."""
    return answer.headers.get("x-ms-error-code") or _BY_STATUS.get(answer.status, "")


def refusal(
    ctx: Context, answer: Answer, origin: str, bucket: str, key: str, doing: str, *, anonymous: bool
) -> ModuleError:
    """The error for an answer that is none, with what to do about it.

    doing: what was to be done: `read`. key: empty where it is about the bucket.
    """
    code = error_code(answer)
    what = place(bucket, key) if key else f"bucket '{bucket}'"
    if code in _CONFLICTS:
        return Conflict(f"{what} is not, or no longer, what the condition says")
    if code in _DENIED:
        hint = (
            "no `credentials` were given: give some, or make the container public"
            if anonymous
            else "the account's key, or the permissions of the SAS token, must allow it"
        )
        return ModuleError(f"{origin} does not allow to {doing} {what}", hint=hint)
    if code == "ResourceNotFound" or (answer.status == 404 and not code):
        code = "BlobNotFound" if key else "ContainerNotFound"
    if code == "ContainerNotFound":
        return missing_bucket(bucket, origin)
    if code in _REFUSALS:
        message, hint = _REFUSALS[code]
        return ModuleError(
            message.format(what=what, bucket=f"'{bucket}'", origin=origin), hint=hint
        )
    message = f"cannot {doing} {what}: {origin} answered {answer.status} {code}".rstrip()
    told = str(ctx.redact(_told(answer)))[:300]
    return ModuleError(f"{message}{f': {told}' if told else ''}")


def _told(answer: Answer) -> str:
    """The message of an error: its first line, behind which are numbers for Azure's people."""
    try:
        said = document(answer.body, "Error")
    except ValueError:
        return ""
    return str(said.get("Message", "")).partition("\n")[0]
