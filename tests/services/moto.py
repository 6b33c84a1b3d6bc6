"""moto, an emulator of AWS, with S3 and IAM: keys have to be right, and policies are obeyed."""

import contextlib
import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

from tests.services.process import Server, find, free_port, running

PAGE = 20
"""Few enough keys that a list of a test has pages."""

_POLICIES = {
    "admin": ["s3:*"],
    "reader": ["s3:GetObject", "s3:ListBucket"],
    "writer": ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
}
_UNSIGNED = "AWS4-HMAC-SHA256 Credential=root/20260101/us-east-1/{}/aws4_request"
"""Which service is meant; while IAM is off, nobody looks at more of it."""

_S3 = _UNSIGNED.format("s3")


@dataclass(frozen=True)
class Moto:
    """keys: of users called admin, reader and writer, as the modules' parameter `credentials`."""

    port: int
    process: Server
    keys: Mapping[str, dict[str, str]]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def open_to_all(self) -> Iterator[None]:
        """Meanwhile nobody looks at signatures and policies."""
        _ask(self.port, "POST", "/moto-api/reset-auth", b"inf")
        try:
            yield
        finally:
            _ask(self.port, "POST", "/moto-api/reset-auth", b"0")

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """What the server answers to somebody who may do anything: status and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.open_to_all():
            return _ask(self.port, method, path, body, named | {"Authorization": _S3})

    def fill(self, bucket: str, keys: Iterable[str]) -> None:
        """Put empty objects."""
        with self.open_to_all():
            for key in keys:
                status, body = _ask(
                    self.port, "PUT", f"/{bucket}/{key}", b"", {"Authorization": _S3}
                )
                assert status == 200, body

    def make_bucket(self, name: str, *, versions: bool = False) -> str:
        """A new bucket; its name."""
        status, body = self.ask("PUT", f"/{name}")
        assert status == 200, body
        if versions:
            enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            status, body = self.ask("PUT", f"/{name}?versioning", enabled)
            assert status == 200, body
        return name

    def uploads(self, bucket: str) -> list[str]:
        """The keys of uploads whose parts are kept, and that are no objects yet."""
        status, body = self.ask("GET", f"/{bucket}?uploads")
        assert status == 200, body
        return [
            one.text or "" for one in ElementTree.fromstring(body).iterfind(".//{*}Upload/{*}Key")
        ]


@contextlib.contextmanager
def moto_server(folder: Path, page: int = PAGE) -> Iterator[Moto]:
    """Run moto; the folder is its own. page: of a list, where the request says nothing else."""
    port = free_port()
    command = ["env", f"MOTO_S3_DEFAULT_MAX_KEYS={page}", find("moto_server")]
    command += ["-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder / "moto.log", ready="Running on http://") as process:
        keys = {name: _make_user(port, name, actions) for name, actions in _POLICIES.items()}
        _ask(port, "POST", "/moto-api/reset-auth", b"0")
        yield Moto(port, process, keys)


def _make_user(port: int, name: str, actions: list[str]) -> dict[str, str]:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    _iam(port, "CreateUser", UserName=name)
    document = json.dumps(policy)
    _iam(port, "PutUserPolicy", UserName=name, PolicyName="s3", PolicyDocument=document)
    made = _iam(port, "CreateAccessKey", UserName=name)
    names = {"access_key_id": "AccessKeyId", "secret_access_key": "SecretAccessKey"}
    return {ours: made.findtext(f".//{{*}}{its}", "") for ours, its in names.items()}


def _iam(port: int, action: str, **parameters: str) -> ElementTree.Element:
    form = urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode()
    headers = {
        "Authorization": _UNSIGNED.format("iam"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    status, body = _ask(port, "POST", "/", form, headers)
    assert status == 200, body
    return ElementTree.fromstring(body)


def _ask(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
