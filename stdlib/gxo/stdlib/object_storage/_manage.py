"""What `manage_bucket` asks of a provider: one bucket, that may be there or not.

bucket = open_bucket(ctx, account, "logs", timeout)
there = await bucket.find()                   None, or Properties(region, versioning)
await bucket.create(region)
await bucket.set_versioning(True)
await bucket.delete()
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from xml.sax.saxutils import escape

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.object_storage._content import Bytes
from gxo.stdlib.object_storage._digests import md5_of
from gxo.stdlib.object_storage._providers import Account, AzureAccount, GcsAccount, S3Account
from gxo.stdlib.object_storage._wire import Answer, Request


@dataclass(frozen=True, slots=True)
class Properties:
    """Of a bucket that is there. region: empty where the provider has none, or does not tell."""

    region: str
    versioning: bool = False


class Bucket(Protocol):
    """A bucket as `manage_bucket` sees it. Each raises ModuleError when the provider refuses."""

    async def find(self, *, with_versioning: bool) -> Properties | None:
        """What it is; None when there is none. with_versioning: whether to ask for that too."""
        ...

    async def create(self, region: str | None) -> None:
        """Make it. One that somebody with the same account has just made is right as well."""
        ...

    async def set_versioning(self, *, on: bool) -> None:
        """Keep, or no longer keep, what objects were before."""
        ...

    async def delete(self) -> None:
        """Delete it. One that somebody has just deleted is right as well."""
        ...


def open_bucket(ctx: Context, account: Account, name: str, timeout: float) -> Bucket:
    """The bucket of an account; nothing is asked yet."""
    match account:
        case S3Account():
            return _S3(ctx, account, name, timeout)
        case GcsAccount():
            return _Gcs(ctx, account, name, timeout)
        case AzureAccount():
            return _Azure(ctx, account, name, timeout)


class _S3:
    def __init__(self, ctx: Context, account: S3Account, name: str, timeout: float) -> None:
        from gxo.stdlib.object_storage import _s3

        self._bucket = _s3.Bucket(ctx, account, name, timeout)
        self._home = _s3.XMLNS

    async def find(self, *, with_versioning: bool) -> Properties | None:
        answer = await self._ask("GET", "location")
        if _is_missing(answer):
            return None
        self._check("look at", answer)
        # An empty element is the oldest region, and EU what Ireland was called then.
        said = self._bucket.document(answer, "LocationConstraint").get("value", "")
        region = {"": "us-east-1", "EU": "eu-west-1"}.get(said, str(said))
        if not with_versioning:
            return Properties(region)
        answer = await self._ask("GET", "versioning")
        self._check("look at", answer)
        is_motos = b"<GetBucketVersioningResponse" in answer.body  # as moto calls it
        root = "GetBucketVersioningResponse" if is_motos else "VersioningConfiguration"
        return Properties(region, self._bucket.document(answer, root).get("Status") == "Enabled")

    async def create(self, region: str | None) -> None:
        text = ""
        if region is not None and region != "us-east-1":  # which is the one that has no name
            place = f"<LocationConstraint>{escape(region)}</LocationConstraint>"
            text = _element("CreateBucketConfiguration", self._home, place)
        answer = await self._bucket.ask(
            Request("PUT", self._bucket.target(), body=Bytes(text.encode()))
        )
        if b"BucketAlreadyOwnedByYou" not in answer.body:
            self._check("make", answer)

    async def set_versioning(self, *, on: bool) -> None:
        status = "Enabled" if on else "Suspended"
        inside = f"<Status>{status}</Status>"
        text = _element("VersioningConfiguration", self._home, inside)
        answer = await self._ask("PUT", "versioning", text)
        self._check("change", answer)

    async def delete(self) -> None:
        answer = await self._bucket.ask(Request("DELETE", self._bucket.target()))
        if b"<Code>BucketNotEmpty<" in answer.body:  # it holds versions, which no list shows
            raise not_empty(self._bucket.name)
        if not _is_missing(answer):
            self._check("delete", answer)

    async def _ask(self, method: str, what: str, text: str = "") -> Answer:
        body = Bytes(text.encode())
        headers = {"content-md5": await md5_of(body)} if text else {}
        request = Request(method, self._bucket.target("", {what: ""}), headers, body)
        return await self._bucket.ask(request)

    def _check(self, doing: str, answer: Answer) -> None:
        if not 200 <= answer.status < 300:
            raise self._bucket.refusal(doing, answer, "")


class _Gcs:
    def __init__(self, ctx: Context, account: GcsAccount, name: str, timeout: float) -> None:
        from gxo.stdlib.object_storage._gcs import GcsBucket

        self._bucket = GcsBucket(ctx, account, name, timeout)

    async def find(self, *, with_versioning: bool) -> Properties | None:  # noqa: ARG002 - comes too
        answer = await self._bucket.ask(Request("GET", self._bucket.target()))
        if _is_missing(answer):
            return None
        self._check("look at", answer)
        there = self._bucket.content(answer)
        versioning = there.get("versioning")
        is_on = isinstance(versioning, dict) and versioning.get("enabled") is True
        return Properties(str(there.get("location", "")), is_on)

    async def create(self, region: str | None) -> None:
        project = self._bucket.project
        if not project:
            raise ParameterError(
                "credentials: `service_account` has no `project_id` in it, "
                "and a new bucket belongs to a project"
            )
        said = {"name": self._bucket.name, **({"location": region} if region else {})}
        answer = await self._send("POST", self._bucket.all_of(project), said)
        if answer.status != 409 or await self.find(with_versioning=False) is None:
            self._check("make", answer)

    async def set_versioning(self, *, on: bool) -> None:
        said = {"versioning": {"enabled": on}}
        self._check("change", await self._send("PATCH", self._bucket.target(), said))

    async def delete(self) -> None:
        answer = await self._bucket.ask(Request("DELETE", self._bucket.target()))
        if answer.status == 409:  # as above
            raise not_empty(self._bucket.name)
        if not _is_missing(answer):
            self._check("delete", answer)

    async def _send(self, method: str, target: str, said: Mapping[str, object]) -> Answer:
        headers = {"content-type": "application/json"}
        request = Request(method, target, headers, Bytes(json.dumps(said).encode()))
        return await self._bucket.ask(request)

    def _check(self, doing: str, answer: Answer) -> None:
        if not 200 <= answer.status < 300:
            raise self._bucket.refusal(doing, answer)


class _Azure:
    def __init__(self, ctx: Context, account: AzureAccount, name: str, timeout: float) -> None:
        from gxo.stdlib.object_storage._azure import Container

        self._container = Container(ctx, account, name, timeout)

    async def find(self, *, with_versioning: bool) -> Properties | None:  # noqa: ARG002 - has none
        answer = await self._ask("HEAD")
        if _is_missing(answer):
            return None
        self._check("look at", answer)
        return Properties("")

    async def create(self, region: str | None) -> None:  # noqa: ARG002 - it is its account's
        answer = await self._ask("PUT")
        if answer.headers.get("x-ms-error-code") != "ContainerAlreadyExists":
            self._check("make", answer)

    async def set_versioning(self, *, on: bool) -> None:
        raise ParameterError(f"versioning: {on} is set for a storage account, not for a container")

    async def delete(self) -> None:
        answer = await self._ask("DELETE")
        if not _is_missing(answer):
            self._check("delete", answer)

    async def _ask(self, method: str) -> Answer:
        target = self._container.target("", {"restype": "container"})
        return await self._container.ask(Request(method, target))

    def _check(self, doing: str, answer: Answer) -> None:
        if not 200 <= answer.status < 300:
            raise self._container.refusal(doing, answer)


def _element(name: str, home: str, inside: str) -> str:
    return f'<{name} xmlns="{home}">{inside}</{name}>'


def _is_missing(answer: Answer) -> bool:
    return answer.status == 404


def not_empty(name: str) -> ModuleError:
    """It holds objects, which nobody has asked to delete."""
    return ModuleError(
        f"bucket '{name}' is not empty, and was not deleted",
        hint="object_storage:list_objects and object_storage:delete_object empty it",
    )
