"""What Google's storage answers: an object's resource, or why not."""

import json

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.stdlib.object_storage._checks import missing_bucket, place
from gxo.stdlib.object_storage._digests import hexadecimal, take_noted
from gxo.stdlib.object_storage._store import Conflict, Found
from gxo.stdlib.object_storage._wire import Answer

_DENIED = {
    True: "no `credentials` were given: give some, or make the bucket public",
    False: "the service account needs a role that allows it, in the project or the bucket",
}


def refusal(
    ctx: Context, answer: Answer, origin: str, bucket: str, key: str, doing: str, *, anonymous: bool
) -> ModuleError:
    """The error for an answer that is none, with what to do about it.

    doing: what was to be done: `read`. key: empty where it is about the bucket.
    """
    told = _told(answer)
    what = place(bucket, key) if key else f"bucket '{bucket}'"
    if answer.status == 412:
        return Conflict(f"{what} is not, or no longer, what the condition says")
    if answer.status == 404 and key and "bucket" not in told.lower():
        hint = "object_storage:list_objects shows what there is"
        return ModuleError(f"there is no {what}", hint=hint)
    if answer.status == 404:
        return missing_bucket(bucket, origin)
    if answer.status in (401, 403):
        message = f"{origin} does not allow to {doing} {what}"
        return ModuleError(message, hint=_DENIED[anonymous])
    shown = str(ctx.redact(told))[:300]
    message = f"cannot {doing} {what}: {origin} answered {answer.status}"
    return ModuleError(f"{message}{f': {shown}' if shown else ''}")


def object_found(there: Record) -> Found:
    """What a resource says of an object. ValueError, KeyError... when it is none."""
    metadata = {str(name): str(value) for name, value in there.get("metadata", {}).items()}
    sha256 = take_noted(metadata)
    generation = str(there["generation"])
    return Found(
        size=int(there["size"]),
        etag=generation,
        version=generation,
        sha256=sha256,
        md5=hexadecimal(str(there.get("md5Hash") or "")),
        content_type=str(there.get("contentType", "")),
        metadata=metadata,
    )


def listed(there: Record) -> Record:
    """An object of a list."""
    return {
        "key": str(there["name"]),
        "size": int(there["size"]),
        "etag": str(there.get("generation", "")),
        "last_modified": str(there.get("updated", "")),
        "storage_class": str(there.get("storageClass", "")),
    }


def _told(answer: Answer) -> str:
    """The message of an error."""
    try:
        return str(json.loads(answer.body)["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
