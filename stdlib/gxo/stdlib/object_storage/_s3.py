"""S3's protocol (version 2006-03-01), with AWS and with what speaks like it."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit
from xml.sax.saxutils import escape

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.stdlib.object_storage._content import Bytes
from gxo.stdlib.object_storage._providers import S3Account
from gxo.stdlib.object_storage._s3_answers import (
    CHECKSUM,
    META,
    document,
    found,
    refusal,
    several,
    unquoted,
)
from gxo.stdlib.object_storage._s3_answers import (
    version as version_of,
)
from gxo.stdlib.object_storage._sigv4 import Keys, signed
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

XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class Bucket(Speaker):
    """Where the requests go, who signs them, and what their answers say."""

    def __init__(self, ctx: Context, account: S3Account, name: str, timeout: float) -> None:
        self.name = name
        self._ctx = ctx
        self._account = account
        place = urlsplit(account.endpoint)
        if account.path_style or "." in name:  # no certificate is for two names before the domain
            host, self._path = place.netloc, f"{place.path}/{quote(name)}/"
        else:
            host, self._path = f"{name}.{place.netloc}", f"{place.path}/"
        self.origin = f"{place.scheme}://{host}"
        self._wire = Wire(ctx, self.origin, self._signed, timeout)

    def target(self, key: str = "", query: Mapping[str, str] | None = None) -> str:
        """The path and query for a key, or for the bucket."""
        pairs = [f"{_quoted(name)}={_quoted(value)}" for name, value in (query or {}).items()]
        path = f"{self._path}{quote(key, safe='/-_.~')}" if key else self._path.rstrip("/") or "/"
        return "?".join([path, *(["&".join(pairs)] if pairs else [])])

    async def _signed(self, request: Request, host: str) -> Mapping[str, str]:
        headers = {**request.headers, "host": host}
        account = self._account
        if not account.access_key_id:
            return headers
        return signed(
            request.method,
            request.target,
            headers,
            request.body.sha256,
            keys=Keys(account.access_key_id, account.secret_access_key, account.session_token),
            region=account.region,
            now=self._ctx.clock.outside(),
        )

    def found(self, answer: Answer) -> Found:
        try:
            return found(answer)
        except ValueError:
            raise self.nonsense("it does not say how large the object is") from None

    def refusal(self, doing: str, answer: Answer, key: str = "") -> ModuleError:
        anonymous = not self._account.access_key_id
        return refusal(self._ctx, answer, self.origin, self.name, key, doing, anonymous=anonymous)

    def document(self, answer: Answer, root: str) -> Record:
        """The outermost element of an answer; ModuleError when it is another one, or none."""
        try:
            return document(answer.body, root)
        except ValueError as error:
            raise self.nonsense(str(error)) from None

    def nonsense(self, why: str) -> ModuleError:
        return ModuleError(
            f"{self.origin} gave an answer that is none of S3's: {why}",
            hint="check `endpoint`: it is the address of an S3 service",
        )


class S3Store:
    """A bucket as gxo.stdlib.object_storage._store.Store asks of any."""

    in_flight = 4
    least_part = 5 * 2**20
    part_unit = 1
    most_parts = 10_000

    def __init__(self, ctx: Context, account: S3Account, bucket: str, timeout: float) -> None:
        self.bucket = bucket
        self._bucket = Bucket(ctx, account, bucket, timeout)
        self.origin = self._bucket.origin

    async def head(self, key: str, version: str = "") -> Found | None:
        target = self._bucket.target(key, _version(version))
        request = Request("HEAD", target, {"x-amz-checksum-mode": "ENABLED"})
        answer = await self._bucket.ask(request)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Denied(self._bucket.refusal("look at", answer, key).message)
        return self._bucket.found(answer)

    async def exists(self) -> bool:
        return (await self._bucket.ask(Request("HEAD", self._bucket.target()))).status != 404

    @asynccontextmanager
    async def read(
        self, key: str, *, version: str = "", start: int = 0, if_match: str = ""
    ) -> AsyncIterator[Reading]:
        headers = {"x-amz-checksum-mode": "ENABLED"}
        if start:
            headers["range"] = f"bytes={start}-"
        if if_match:
            headers["if-match"] = f'"{if_match}"'
        request = Request("GET", self._bucket.target(key, _version(version)), headers)
        async with self._bucket.stream(request, key) as (answer, pieces):
            yield Reading(self._bucket.found(answer), pieces)

    async def put(self, key: str, body: Body, writing: Writing) -> Written:
        conditions = _conditions(writing)
        headers = {**_headers(writing), **_checksum(body), **conditions}
        request = Request("PUT", self._bucket.target(key), headers, body, once=bool(conditions))
        answer = await self._bucket.do("write", request, key)
        return Written(unquoted(answer.headers.get("etag", "")), version_of(answer.headers))

    async def begin(self, key: str, writing: Writing) -> "S3Upload":
        headers = {**_headers(writing), "x-amz-checksum-algorithm": "SHA256"}
        request = Request("POST", self._bucket.target(key, {"uploads": ""}), headers)
        answer = await self._bucket.do("write", request, key)
        upload = self._bucket.document(answer, "InitiateMultipartUploadResult").get("UploadId")
        if not isinstance(upload, str) or not upload:
            raise self._bucket.nonsense("it does not name the upload that it has begun")
        return S3Upload(self._bucket, key, upload, writing)

    async def pages(self, prefix: str, delimiter: str) -> AsyncGenerator[list[Record], None]:
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
        if delimiter:
            query["delimiter"] = delimiter
        while True:
            answer = await self._bucket.do("list", Request("GET", self._bucket.target("", query)))
            page = self._bucket.document(answer, "ListBucketResult")
            try:
                # Not every server does what `encoding-type` asks for; one that does says so.
                name_of = unquote_plus if page.get("EncodingType") == "url" else str
                records = [_object(one, name_of) for one in several(page.get("Contents"))]
                prefixes = several(page.get("CommonPrefixes"))
                records += [{"prefix": name_of(one["Prefix"])} for one in prefixes]
            except (KeyError, ValueError, TypeError, AttributeError):
                raise self._bucket.nonsense("an object of a list has no key or size") from None
            yield records
            if page.get("IsTruncated") != "true":
                return
            token = page.get("NextContinuationToken")
            if not isinstance(token, str) or token == query.get("continuation-token"):
                raise self._bucket.nonsense("a list goes on and does not say where")
            query["continuation-token"] = token

    async def delete(self, key: str, version: str = "") -> None:
        request = Request("DELETE", self._bucket.target(key, _version(version)))
        answer = await self._bucket.ask(request)
        # Amazon's says nothing of one that is not there; others do, and so when it is sent again.
        is_gone = answer.status == 404 and b"NoSuchBucket" not in answer.body
        if not is_gone and not 200 <= answer.status < 300:
            raise self._bucket.refusal("delete", answer, key)


class S3Upload:
    """A multipart upload. What has arrived of it is told by the parts' ETags and checksums."""

    def __init__(self, bucket: Bucket, key: str, upload: str, writing: Writing) -> None:
        self._bucket = bucket
        self._key = key
        self._id = upload
        self._writing = writing
        self._parts: dict[int, str] = {}

    async def part(self, number: int, body: Body) -> None:
        query = {"partNumber": str(number), "uploadId": self._id}
        request = Request("PUT", self._bucket.target(self._key, query), _checksum(body), body)
        answer = await self._bucket.do("write", request, self._key)
        if "etag" not in answer.headers:
            raise self._bucket.nonsense("a part has no ETag")
        told = f"<ETag>{escape(answer.headers['etag'])}</ETag><PartNumber>{number}</PartNumber>"
        if kept := answer.headers.get(CHECKSUM):  # a server that knows none refuses the element
            told = f"<ChecksumSHA256>{escape(kept)}</ChecksumSHA256>{told}"
        self._parts[number] = f"<Part>{told}</Part>"

    async def complete(self) -> Written:
        parts = "".join(part for _, part in sorted(self._parts.items()))
        text = f'<CompleteMultipartUpload xmlns="{XMLNS}">{parts}</CompleteMultipartUpload>'
        conditions = _conditions(self._writing)
        request = Request(
            "POST",
            self._bucket.target(self._key, {"uploadId": self._id}),
            {"content-type": "application/xml", **conditions},
            Bytes(text.encode()),
            once=bool(conditions),
        )
        answer = await self._bucket.ask(request)
        # S3 may say 200 while it still works, and then that it failed.
        if answer.status != 200 or b"<Error>" in answer.body:
            if b"NoSuchUpload" in answer.body and (done := await self._done()) is not None:
                return done  # the request was sent twice, as the answer to the first one was lost
            raise self._bucket.refusal("write", answer, self._key)
        made = self._bucket.document(answer, "CompleteMultipartUploadResult")
        return Written(unquoted(str(made.get("ETag", ""))), version_of(answer.headers))

    async def abort(self) -> None:
        target = self._bucket.target(self._key, {"uploadId": self._id})
        answer = await self._bucket.ask(Request("DELETE", target))
        if answer.status not in (200, 204, 404):
            raise self._bucket.refusal("abort the upload of", answer, self._key)

    async def _done(self) -> Written | None:
        """The object, if it is that of this upload."""
        target = self._bucket.target(self._key)
        answer = await self._bucket.ask(Request("HEAD", target))
        if answer.status != 200:
            return None
        there = self._bucket.found(answer)
        if (there.size, there.sha256) != (self._writing.size, self._writing.sha256):
            return None
        return Written(there.etag, there.version)


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _version(version: str) -> dict[str, str]:
    return {"versionId": version} if version else {}


def _headers(writing: Writing) -> dict[str, str]:
    """What an object is to have besides its content."""
    headers = {f"{META}{name.lower()}": value for name, value in writing.metadata.items()}
    headers[META + SHA256] = writing.sha256
    if writing.content_type:
        headers["content-type"] = writing.content_type
    return headers


def _checksum(body: Body) -> dict[str, str]:
    """By which the server refuses what arrives damaged, whoever has signed it."""
    return {CHECKSUM: base64.b64encode(bytes.fromhex(body.sha256)).decode("ascii")}


def _conditions(writing: Writing) -> dict[str, str]:
    if writing.create_only:
        return {"if-none-match": "*"}
    return {"if-match": f'"{writing.if_match}"'} if writing.if_match else {}


def _object(element: Any, name_of: Callable[[str], str]) -> Record:
    return {
        "key": name_of(element["Key"]),
        "size": int(element["Size"]),
        "etag": unquoted(element.get("ETag", "")),
        "last_modified": element.get("LastModified", ""),
        "storage_class": element.get("StorageClass", ""),
    }
