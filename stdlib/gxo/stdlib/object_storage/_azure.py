"""Azure's Blob Storage: a bucket is a container, an object a block blob."""

import base64
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError, ParameterError
from gxo.runtime.spec import Record
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.object_storage._azure_answers import (
    META,
    error_code,
    found,
    listed,
    name_of,
    refusal,
)
from gxo.stdlib.object_storage._content import Bytes
from gxo.stdlib.object_storage._digests import md5_of
from gxo.stdlib.object_storage._providers import AzureAccount
from gxo.stdlib.object_storage._s3_answers import document, several, unquoted
from gxo.stdlib.object_storage._shared_key import authorization
from gxo.stdlib.object_storage._store import (
    SHA256,
    Body,
    Denied,
    Found,
    Reading,
    Writing,
    Written,
)
from gxo.stdlib.object_storage._wire import Answer, Request, Speaker, Wire

VERSION = "2021-12-02"
"""Of the service's API: what is said here, and what Azure Stack and Azurite know as well."""


PAGE = "500"
"""Blobs of a list at a time; what takes longer to read would hold up others."""


class Container(Speaker):
    """Where the requests go, who signs them, and what their answers say."""

    def __init__(self, ctx: Context, account: AzureAccount, name: str, timeout: float) -> None:
        self.name = name
        self._ctx = ctx
        self._account = account
        place = urlsplit(account.endpoint)
        self._path = f"{place.path}/{quote(name)}"
        self.origin = f"{place.scheme}://{place.netloc}"
        self._wire = Wire(ctx, self.origin, self._signed, timeout)

    def target(self, key: str = "", query: Mapping[str, str] | None = None) -> str:
        """The path and query for a key, or for the container."""
        pairs = [f"{name}={quote(value, safe='')}" for name, value in (query or {}).items()]
        if self._account.sas_token:
            pairs.append(self._account.sas_token)
        path = f"{self._path}/{quote(key, safe='/-_.~')}" if key else self._path
        return f"{path}?{'&'.join(pairs)}" if pairs else path

    async def _signed(self, request: Request, host: str) -> Mapping[str, str]:
        headers = {
            **request.headers,
            "host": host,
            "x-ms-date": format_datetime(self._ctx.clock.outside(), usegmt=True),
            "x-ms-version": VERSION,
        }
        account = self._account
        if account.key:
            try:
                headers["authorization"] = authorization(
                    request.method,
                    request.target,
                    headers,
                    request.body.size,
                    account=account.name,
                    key=account.key,
                )
            except ValueError:
                raise ParameterError("credentials: `account_key` is no base64") from None
        return headers

    def found(self, answer: Answer) -> Found:
        try:
            return found(answer.headers)
        except ValueError:
            raise self.nonsense("it does not say how large the object is") from None

    def refusal(self, doing: str, answer: Answer, key: str = "") -> ModuleError:
        anonymous = not self._account.key and not self._account.sas_token
        return refusal(self._ctx, answer, self.origin, self.name, key, doing, anonymous=anonymous)

    def document(self, answer: Answer, root: str) -> Record:
        """The outermost element of an answer; ModuleError when it is another one, or none."""
        try:
            return document(answer.body, root)
        except ValueError as error:
            raise self.nonsense(str(error)) from None

    def nonsense(self, why: str) -> ModuleError:
        return ModuleError(
            f"{self.origin} gave an answer that is none of Azure's: {why}",
            hint="check `endpoint`: it is the address of a storage account",
        )


class AzureStore:
    """A container as gxo.stdlib.object_storage._store.Store asks of any bucket."""

    in_flight = 4
    least_part = 1
    part_unit = 1
    most_parts = 50_000

    def __init__(self, ctx: Context, account: AzureAccount, bucket: str, timeout: float) -> None:
        self.bucket = bucket
        self._container = Container(ctx, account, bucket, timeout)
        self.origin = self._container.origin

    async def head(self, key: str, version: str = "") -> Found | None:
        target = self._container.target(key, _version(version))
        answer = await self._container.ask(Request("HEAD", target))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Denied(self._container.refusal("look at", answer, key).message)
        return self._container.found(answer)

    async def exists(self) -> bool:
        target = self._container.target("", {"restype": "container"})
        return (await self._container.ask(Request("HEAD", target))).status != 404

    @asynccontextmanager
    async def read(
        self, key: str, *, version: str = "", start: int = 0, if_match: str = ""
    ) -> AsyncIterator[Reading]:
        headers = {"range": f"bytes={start}-"} if start else {}
        if if_match:
            headers["if-match"] = f'"{if_match}"'
        request = Request("GET", self._container.target(key, _version(version)), headers)
        async with self._container.stream(request, key) as (answer, pieces):
            yield Reading(self._container.found(answer), pieces)

    async def put(self, key: str, body: Body, writing: Writing) -> Written:
        conditions = _conditions(writing)
        headers = {
            **_headers(writing),
            **conditions,
            "content-md5": await md5_of(body),
            "x-ms-blob-type": "BlockBlob",
        }
        target = self._container.target(key)
        request = Request("PUT", target, headers, body, once=bool(conditions))
        return _written(await self._container.do("write", request, key))

    async def begin(self, key: str, writing: Writing) -> "AzureUpload":
        return AzureUpload(self._container, key, writing)

    async def pages(self, prefix: str, delimiter: str) -> AsyncGenerator[list[Record], None]:
        query = {"restype": "container", "comp": "list", "prefix": prefix, "maxresults": PAGE}
        if delimiter:
            query["delimiter"] = delimiter
        while True:
            request = Request("GET", self._container.target("", query))
            answer = await self._container.do("list", request)
            page = self._container.document(answer, "EnumerationResults")
            blobs = page.get("Blobs") or {}
            try:
                records = [listed(one) for one in several(blobs.get("Blob"))]
                prefixes = several(blobs.get("BlobPrefix"))
                records += [{"prefix": name_of(one["Name"])} for one in prefixes]
            except (KeyError, ValueError, TypeError, AttributeError):
                raise self._container.nonsense("a blob of a list has no name or size") from None
            yield sorted(records, key=lambda record: str(record.get("key", record.get("prefix"))))
            marker = page.get("NextMarker")
            if not marker:
                return
            if not isinstance(marker, str) or marker == query.get("marker"):
                raise self._container.nonsense("a list goes on and does not say where")
            query["marker"] = marker

    async def delete(self, key: str, version: str = "") -> None:
        request = Request("DELETE", self._container.target(key, _version(version)))
        answer = await self._container.ask(request)
        if error_code(answer) != "BlobNotFound" and not 200 <= answer.status < 300:
            raise self._container.refusal("delete", answer, key)


class AzureUpload:
    """Blocks, of which a list makes a blob. Azure forgets those of no list after a week."""

    def __init__(self, container: Container, key: str, writing: Writing) -> None:
        self._container = container
        self._key = key
        self._writing = writing
        self._id = secrets.token_hex(8)
        self._blocks: dict[int, str] = {}

    async def part(self, number: int, body: Body) -> None:
        block = base64.b64encode(f"{self._id}-{number:06}".encode()).decode()
        target = self._container.target(self._key, {"comp": "block", "blockid": block})
        headers = {"content-md5": await md5_of(body)}
        await self._container.do("write", Request("PUT", target, headers, body), self._key)
        self._blocks[number] = block

    async def complete(self) -> Written:
        blocks = "".join(f"<Latest>{block}</Latest>" for _, block in sorted(self._blocks.items()))
        text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'
        conditions = _conditions(self._writing)
        request = Request(
            "PUT",
            self._container.target(self._key, {"comp": "blocklist"}),
            {**_headers(self._writing), **conditions, "content-type": "application/xml"},
            Bytes(text.encode()),
            once=bool(conditions),
        )
        return _written(await self._container.do("write", request, self._key))

    async def abort(self) -> None:
        """There is no request for it: without a list, blocks are no part of anything."""


def _version(version: str) -> dict[str, str]:
    return {"versionid": version} if version else {}


def _headers(writing: Writing) -> dict[str, str]:
    """What a blob is to have besides its content."""
    for name in writing.metadata:
        if not name.isidentifier():
            raise ParameterError(
                f"metadata: {shown_text(name)} can be no name in Azure",
                hint="there it consists of letters, digits and `_`, and begins with no digit",
            )
    headers = {f"{META}{name.lower()}": value for name, value in writing.metadata.items()}
    headers[META + SHA256] = writing.sha256
    if writing.content_type:
        headers["x-ms-blob-content-type"] = writing.content_type
    return headers


def _conditions(writing: Writing) -> dict[str, str]:
    if writing.create_only:
        return {"if-none-match": "*"}
    return {"if-match": f'"{writing.if_match}"'} if writing.if_match else {}


def _written(answer: Answer) -> Written:
    headers = answer.headers
    return Written(unquoted(headers.get("etag", "")), headers.get("x-ms-version-id", ""))
