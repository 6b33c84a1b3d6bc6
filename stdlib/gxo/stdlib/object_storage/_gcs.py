"""Google Cloud Storage by its JSON API (v1).

An etag is the object's generation: what a condition compares, and what a read is pinned to.
"""

import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from gxo.runtime.context import Context
from gxo.runtime.errors import ModuleError
from gxo.runtime.spec import Record
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.object_storage._content import Bytes
from gxo.stdlib.object_storage._digests import Md5, md5_of
from gxo.stdlib.object_storage._gcs_answers import listed, object_found, refusal
from gxo.stdlib.object_storage._google import read_key_file, shared_tokens
from gxo.stdlib.object_storage._providers import GcsAccount
from gxo.stdlib.object_storage._store import (
    SHA256,
    Body,
    Conflict,
    Denied,
    Found,
    Reading,
    Writing,
    Written,
)
from gxo.stdlib.object_storage._transfer import DROPS, PROGRESS
from gxo.stdlib.object_storage._wire import AGAIN, Answer, Request, Speaker, Wire

UNIT = 256 * 1024
"""Bytes: what the service keeps of an upload that breaks is a multiple of it."""

_LISTED = "items(name,size,generation,updated,storageClass),prefixes,nextPageToken"


class GcsBucket(Speaker):
    """Where the requests go, who may send them, and what their answers say."""

    def __init__(self, ctx: Context, account: GcsAccount, name: str, timeout: float) -> None:
        self.ctx = ctx
        self.name = name
        self._timeout = timeout
        place = urlsplit(account.endpoint)
        self.base = place.path
        self.origin = f"{place.scheme}://{place.netloc}"
        self._wire = Wire(ctx, self.origin, self._signed, timeout)
        self._who = None
        if account.service_account:
            plain = place.scheme == "http"
            self._who = read_key_file(account.service_account, may_be_plain=plain)

    def target(self, key: str = "", **query: str) -> str:
        """The path and query for a key, or for the bucket."""
        path = f"{self.base}/storage/v1/b/{quote(self.name, safe='')}"
        return _asked(f"{path}/o/{quote(key, safe='')}" if key else path, query)

    @property
    def project(self) -> str:
        """That of the service account; empty where it names none."""
        return self._who.project if self._who is not None else ""

    def all_of(self, project: str) -> str:
        """The path and query for all buckets of a project."""
        return _asked(f"{self.base}/storage/v1/b", {"project": project})

    def under(self, what: str, **query: str) -> str:
        """The path and query for what belongs to the bucket: `o`."""
        return _asked(f"{self.target()}/{what}", query)

    def sending(self, **query: str) -> str:
        """The path and query that take content."""
        return _asked(f"{self.base}/upload{self.target().removeprefix(self.base)}/o", query)

    async def _signed(self, request: Request, host: str) -> Mapping[str, str]:
        headers = {**request.headers, "host": host}
        if self._who is not None:
            tokens = await shared_tokens(self.ctx, self._who)
            token = await tokens.get(self.ctx, self._who, self._timeout)
            headers["authorization"] = f"Bearer {token}"
        return headers

    def content(self, answer: Answer) -> Record:
        """The JSON of an answer, which is a map."""
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise self.nonsense("it is no map in JSON")
        return content

    def nonsense(self, why: str) -> ModuleError:
        return ModuleError(
            f"{self.origin} gave an answer that is none of Google's: {why}",
            hint="check `endpoint`: it is the address of Google's storage, or of an emulator",
        )

    def refusal(self, doing: str, answer: Answer, key: str = "") -> ModuleError:
        anonymous = self._who is None
        return refusal(self.ctx, answer, self.origin, self.name, key, doing, anonymous=anonymous)


class GcsStore:
    """A bucket as gxo.stdlib.object_storage._store.Store asks of any."""

    in_flight = 1
    least_part = UNIT
    part_unit = UNIT
    most_parts = 1_000_000

    def __init__(self, ctx: Context, account: GcsAccount, bucket: str, timeout: float) -> None:
        self.bucket = bucket
        self._bucket = GcsBucket(ctx, account, bucket, timeout)
        self.origin = self._bucket.origin

    async def head(self, key: str, version: str = "") -> Found | None:
        target = self._bucket.target(key, **_generation(version))
        answer = await self._bucket.ask(Request("GET", target))
        if answer.status == 404:
            return None
        if answer.status in (401, 403):
            raise Denied(self._bucket.refusal("look at", answer, key).message)
        if answer.status != 200:
            raise self._bucket.refusal("look at", answer, key)
        return self._found(answer)

    async def exists(self) -> bool:
        target = self._bucket.under("o", maxResults="1", fields="kind")
        return (await self._bucket.ask(Request("GET", target))).status != 404

    @asynccontextmanager
    async def read(
        self, key: str, *, version: str = "", start: int = 0, if_match: str = ""
    ) -> AsyncIterator[Reading]:
        target = self._bucket.target(key, **_generation(version))
        found = self._found(await self._bucket.do("read", Request("GET", target), key))
        if if_match and found.etag != if_match:
            raise Conflict(f"object {shown_text(key)} was replaced while it was read")
        # Compressed ones as they are stored: what the service would decompress has no checksum.
        headers = {"accept-encoding": "gzip"}
        if start:
            headers["range"] = f"bytes={start}-"
        target = self._bucket.target(key, alt="media", generation=found.version)
        async with self._bucket.stream(Request("GET", target, headers), key) as (_, pieces):
            yield Reading(found, pieces)

    async def put(self, key: str, body: Body, writing: Writing) -> Written:
        md5 = await md5_of(body)
        related = Related({**_metadata(key, writing), "md5Hash": md5}, writing.content_type, body)
        request = Request(
            "POST",
            self._bucket.sending(uploadType="multipart", name=key, **_conditions(writing)),
            {"content-type": f"multipart/related; boundary={related.boundary}"},
            related,
            once=bool(_conditions(writing)),
        )
        return self._written(await self._bucket.do("write", request, key))

    async def begin(self, key: str, writing: Writing) -> "GcsUpload":
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-upload-content-length": str(writing.size),
            "x-upload-content-type": writing.content_type or "application/octet-stream",
        }
        target = self._bucket.sending(uploadType="resumable", name=key, **_conditions(writing))
        body = Bytes(json.dumps(_metadata(key, writing)).encode())
        answer = await self._bucket.do("write", Request("POST", target, headers, body), key)
        place = urlsplit(answer.headers.get("location", ""))
        if f"{place.scheme}://{place.netloc}" != self._bucket.origin or not place.query:
            raise self._bucket.nonsense("it does not say where the upload goes on")
        return GcsUpload(self._bucket, key, f"{place.path}?{place.query}", writing)

    async def pages(self, prefix: str, delimiter: str) -> AsyncGenerator[list[Record], None]:
        query = {"fields": _LISTED, "prefix": prefix}
        if delimiter:
            query["delimiter"] = delimiter
        while True:
            request = Request("GET", self._bucket.under("o", **query))
            page = self._bucket.content(await self._bucket.do("list", request))
            try:
                records = [listed(one) for one in page.get("items", [])]
                records += [{"prefix": str(one)} for one in page.get("prefixes", [])]
            except (KeyError, ValueError, TypeError):
                raise self._bucket.nonsense("an object of a list has no name or size") from None
            yield sorted(records, key=lambda record: str(record.get("key", record.get("prefix"))))
            token = page.get("nextPageToken", "")
            if not token:
                return
            if not isinstance(token, str) or token == query.get("pageToken"):
                raise self._bucket.nonsense("a list goes on and does not say where")
            query["pageToken"] = token

    async def delete(self, key: str, version: str = "") -> None:
        target = self._bucket.target(key, **_generation(version))
        answer = await self._bucket.ask(Request("DELETE", target))
        if answer.status == 404 and await self.exists():
            return
        if not 200 <= answer.status < 300:
            raise self._bucket.refusal("delete", answer, "" if answer.status == 404 else key)

    def _found(self, answer: Answer) -> Found:
        there = self._bucket.content(answer)
        try:
            return object_found(there)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise self._bucket.nonsense("it does not say how large the object is") from None

    def _written(self, answer: Answer) -> Written:
        found = self._found(answer)
        return Written(found.etag, found.version)


class GcsUpload:
    """A resumable upload: it knows how much of it has arrived, also after a drop."""

    def __init__(self, bucket: GcsBucket, key: str, target: str, writing: Writing) -> None:
        self._bucket = bucket
        self._key = key
        self._target = target
        self._writing = writing
        self._sent = 0
        self._md5 = Md5()
        self._made: Answer | None = None

    async def part(self, number: int, body: Body) -> None:  # noqa: ARG002 - they come in order
        await self._md5.add(body)
        start, at, end = self._sent, self._sent, self._sent + body.size
        mark, drops = at, 0
        while at < end:
            at = self._arrived(await self._send(body, at - start, at, end), end)
            if at - mark >= PROGRESS:
                mark, drops = at, 0
            elif at < end:
                drops += 1
                if drops > DROPS:
                    origin = self._bucket.origin
                    raise ModuleError(f"the connection to {origin} breaks again and again")
                await self._bucket.ctx.clock.sleep(0.1 * 2**drops)
        self._sent = end

    async def _send(self, body: Body, skip: int, at: int, end: int) -> Answer:
        """Send what has not arrived; after a lost connection the answer is how far that came."""
        headers = {"content-range": f"bytes {at}-{end - 1}/{self._writing.size}"}
        if end == self._writing.size:
            headers["x-goog-hash"] = f"md5={self._md5.base64}"
        try:
            rest = Rest(body, skip)
            answer = await self._bucket.ask(Request("PUT", self._target, headers, rest, once=True))
        except ModuleError:
            return await self._state()
        return await self._state() if answer.status in AGAIN else answer

    async def _state(self) -> Answer:
        headers = {"content-range": f"bytes */{self._writing.size}"}
        return await self._bucket.ask(Request("PUT", self._target, headers))

    def _arrived(self, answer: Answer, end: int) -> int:
        """How many bytes of the object the service has kept, as its answer says."""
        if answer.status in (200, 201):
            self._made = answer
            return end
        if answer.status in (404, 410):
            raise ModuleError(f"the upload of {shown_text(self._key)} has expired")
        if answer.status != 308:
            raise self._bucket.refusal("write", answer, self._key)
        last = answer.headers.get("range", "").rpartition("-")[2]
        arrived = int(last) + 1 if last.isascii() and last.isdigit() else 0
        if arrived == 1:  # as an emulator says that it has nothing; Google's keeps whole units
            arrived = 0
        if not self._sent <= arrived <= end:
            raise self._bucket.nonsense("it has lost, or invented, a part of an upload")
        return arrived

    async def complete(self) -> Written:
        answer = self._made if self._made is not None else await self._state()
        if answer.status not in (200, 201):
            raise self._bucket.refusal("write", answer, self._key)
        there = self._bucket.content(answer)
        found = object_found(there)
        if found.size != self._writing.size or there.get("md5Hash") != self._md5.base64:
            target = self._bucket.target(self._key, **_generation(found.version))
            await self._bucket.ask(Request("DELETE", target))
            raise ModuleError(
                f"what arrived as object {shown_text(self._key)} is not what was sent",
                hint="try it again",
            )
        return Written(found.etag, found.version)

    async def abort(self) -> None:
        if self._made is None:
            await self._bucket.ask(Request("DELETE", self._target))


@dataclass(frozen=True, slots=True)
class Rest:
    """A body without its first bytes."""

    body: Body
    skip: int

    @property
    def size(self) -> int:
        return self.body.size - self.skip

    @property
    def sha256(self) -> str:
        raise NotImplementedError("a part of a body has no checksum")

    async def pieces(self) -> AsyncIterator[bytes]:
        skip = self.skip
        async for piece in self.body.pieces():
            if skip < len(piece):
                yield piece[skip:] if skip else piece
            skip = max(skip - len(piece), 0)


class Related:
    """What is said of an object, and its content, in one body (RFC 2387)."""

    def __init__(self, said: Mapping[str, Any], content_type: str, body: Body) -> None:
        self.boundary = secrets.token_hex(16)
        kind = content_type or "application/octet-stream"
        self._head = (
            f"--{self.boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(said)}\r\n--{self.boundary}\r\nContent-Type: {kind}\r\n\r\n"
        ).encode()
        self._end = f"\r\n--{self.boundary}--\r\n".encode()
        self._body = body

    @property
    def size(self) -> int:
        return len(self._head) + self._body.size + len(self._end)

    @property
    def sha256(self) -> str:
        raise NotImplementedError("only the content has a checksum")

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self._head
        async for piece in self._body.pieces():
            yield piece
        yield self._end


def _asked(path: str, query: Mapping[str, str]) -> str:
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{path}?{pairs}" if pairs else path


def _generation(version: str) -> dict[str, str]:
    return {"generation": version} if version else {}


def _conditions(writing: Writing) -> dict[str, str]:
    if writing.create_only:
        return {"ifGenerationMatch": "0"}
    return {"ifGenerationMatch": writing.if_match} if writing.if_match else {}


def _metadata(key: str, writing: Writing) -> dict[str, Any]:
    """What an object is to have besides its content."""
    # In small letters, as the others keep names: what is written is found again by the same name.
    metadata = {name.lower(): value for name, value in writing.metadata.items()}
    said: dict[str, Any] = {"name": key, "metadata": {**metadata, SHA256: writing.sha256}}
    if writing.content_type:
        said["contentType"] = writing.content_type
    return said
