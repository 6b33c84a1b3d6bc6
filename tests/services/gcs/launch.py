"""gcp-storage-emulator, with what Google's service has and it lacks in front of its handlers.

    build/services/python/bin/python launch.py PORT KEY PAGE KEYS

KEY: a file with the public key of the one service account, in PEM. PAGE: how many objects a page of
a list has, unless the request says how many. KEYS: how many empty ones are in the bucket `first` when
it starts.

What is added is a fake of ours, after https://cloud.google.com/storage/docs/json_api and RFC 7523: a
token for a signed assertion (`/token`), 401 without it, 412 where `ifGenerationMatch` does not hold,
lists in pages, and what a 404 says.
"""

import base64
import json
import secrets
import sys
import urllib.parse
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from gcp_storage_emulator import server  # type: ignore[import-not-found]
from gcp_storage_emulator.exceptions import NotFound  # type: ignore[import-not-found]
from gcp_storage_emulator.handlers import objects  # type: ignore[import-not-found]

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKENS: set[str] = set()


def token(public: rsa.RSAPublicKey, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
    """An access token for an assertion that the account has signed."""
    head, claims, signature = form["assertion"][0].split(".")
    try:
        public.verify(
            _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256()
        )
    except InvalidSignature:
        return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    claimed = json.loads(_decoded(claims))
    is_good = (
        form["grant_type"] == [GRANT]
        and json.loads(_decoded(head))["alg"] == "RS256"
        and claimed["aud"].endswith("/token")
        and 0 < claimed["exp"] - claimed["iat"] <= 3600
        and claimed["scope"].startswith("https://www.googleapis.com/auth/devstorage.")
    )
    if not is_good:
        return 400, {"error": "invalid_request", "error_description": "Not a good assertion."}
    made = secrets.token_urlsafe(16)
    TOKENS.add(made)
    return 200, {"access_token": made, "expires_in": 3599, "token_type": "Bearer"}


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def refused(request: Any, storage: Any) -> tuple[int, dict[str, Any]] | None:
    """Why the service would not do it."""
    kind, _, given = (request.get_header("authorization") or "").partition(" ")
    if "upload_id" not in request.query and (kind != "Bearer" or given not in TOKENS):
        return _error(401, "Invalid Credentials", "authError")
    found = urllib.parse.unquote(request.path).split("/b/", 1)[-1].split("/o/", 1)
    bucket = found[0].split("/")[0]
    key = found[1] if len(found) > 1 else request.query.get("name", [""])[0]
    wanted = request.query.get("ifGenerationMatch")
    if not wanted or "upload_id" in request.query:
        return None
    try:
        there = storage.get_file_obj(bucket, key)["generation"]
    except NotFound:
        there = "0"
    if there == wanted[0]:
        return None
    message = "At least one of the pre-conditions you specified did not hold."
    return _error(412, message, "conditionNotMet")


def _error(code: int, message: str, reason: str) -> tuple[int, dict[str, Any]]:
    errors = [{"domain": "global", "reason": reason, "message": message}]
    return code, {"error": {"code": code, "message": message, "errors": errors}}


def in_pages(request: Any, response: Any, page_size: int) -> None:
    """Leave one page of a list."""
    content = json.loads(response._content)
    entries = [("items", one["name"], one) for one in content["items"]]
    entries += [("prefixes", one, one) for one in content["prefixes"]]
    entries.sort(key=lambda entry: entry[1])
    start = int(request.query.get("pageToken", ["0"])[0])
    size = int(request.query.get("maxResults", [page_size])[0])
    page: dict[str, Any] = {"kind": content["kind"]}
    for kind, _, one in entries[start : start + size]:
        page.setdefault(kind, []).append(one)
    if start + size < len(entries):
        page["nextPageToken"] = str(start + size)
    response.json(page)


def what_is_missing(request: Any, response: Any, storage: Any) -> None:
    """Say of a 404 what is not there, as the service does."""
    bucket = urllib.parse.unquote(request.path).split("/b/", 1)[-1].split("/")[0]
    if bucket not in storage.buckets:
        message = "The specified bucket does not exist."
    else:
        message = f"No such object: {bucket}"
    response.json(_error(404, message, "notFound")[1])


class Front(server.Response):  # type: ignore[misc]
    """An answer, which is completed before it is sent."""

    request: Any = None
    page_size = 0

    def close(self) -> None:
        request, storage = self.request, self._handler.storage
        if self.status == HTTPStatus.NOT_FOUND and not self._content:
            what_is_missing(request, self, storage)
        is_list = request.method == "GET" and request.path.endswith("/o")
        if is_list and self.status == HTTPStatus.OK:
            in_pages(request, self, self.page_size)
        super().close()


def handle(router: Any, method: str, public: rsa.RSAPublicKey) -> None:
    """What the emulator's router does, after what is checked here."""
    handler = router._request_handler
    request = server.Request(handler, method)
    answer: tuple[int, dict[str, Any]] | None
    if request.path == "/token":
        length = int(handler.headers["content-length"])
        answer = token(public, urllib.parse.parse_qs(handler.rfile.read(length).decode()))
    elif request.path == "/":
        answer = 200, {}
    else:
        answer = refused(request, handler.storage)
    if answer is None:
        Front.request = request
        server.Response = Front
        emulated(router, method)
        return
    if request.path != "/token":
        handler.rfile.read(int(handler.headers.get("content-length") or 0))
    response = plain(handler)
    response.status = HTTPStatus(answer[0])
    response.json(answer[1])
    response.close()


emulated = server.Router.handle
plain = server.Response


def fill(storage: Any, bucket: str, keys: int) -> None:
    """Objects as an upload makes them, but what there is is written down once, not after each."""
    write = storage._write_config_to_file
    storage._write_config_to_file = lambda: None
    for number in range(keys):
        key = f"logs/{number:09}"
        made = objects._make_object_resource("", bucket, key, "application/octet-stream", "0")
        storage.create_file(bucket, key, b"", objects._checksums(b"", made))
    storage._write_config_to_file = write
    write()


def main(port: int, key: Path, page: int, keys: int) -> None:
    public = load_pem_public_key(key.read_bytes())
    assert isinstance(public, rsa.RSAPublicKey)
    server.Router.handle = lambda router, method: handle(router, method, public)
    storage = server.create_server("127.0.0.1", port, in_memory=True, default_bucket="first")
    fill(storage._storage, "first", keys)
    Front.page_size = page
    storage.start()
    print("the emulator is up", flush=True)
    storage._api.join = lambda *_, **__: None  # it runs until this process is ended


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
