"""What S3 is sent: to which address, and signed as Amazon's examples are."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.stdlib.object_storage._providers import Credentials, account_of
from gxo.stdlib.object_storage._s3 import Bucket
from gxo.stdlib.object_storage._sigv4 import Keys, signed
from tests.stdlib.harness import bench, run

SIGNED = yaml.safe_load(Path(__file__).with_name("signed.yaml").read_text(encoding="utf-8"))
EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case["name"])
def test_a_signature_is_amazons(case: dict[str, Any]) -> None:
    headers = signed(
        case["method"],
        case["target"],
        {"host": "examplebucket.s3.amazonaws.com", **case["headers"]},
        hashlib.sha256(case["body"].encode()).hexdigest(),
        keys=EXAMPLE,
        region="us-east-1",
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders={case['signed']}, Signature={case['signature']}"
    )


def test_no_text_of_the_keys_shows_them() -> None:
    assert "wJal" not in repr(EXAMPLE) and "t0ken" not in repr(Keys("a", "b", "t0ken"))


@pytest.mark.parametrize(
    ("bucket", "endpoint", "region", "address"),
    [
        ("logs", None, "eu-west-1", "https://logs.s3.eu-west-1.amazonaws.com /a%20b//c"),
        ("my.logs", None, None, "https://s3.us-east-1.amazonaws.com /my.logs/a%20b//c"),
        ("logs", "http://host:9000", None, "http://host:9000 /logs/a%20b//c"),
        ("logs", "https://host/s3/", None, "https://host /s3/logs/a%20b//c"),
        ("logs", "http://[::1]:9000", None, "http://[::1]:9000 /logs/a%20b//c"),
    ],
)
def test_an_object_has_an_address(
    bucket: str, endpoint: str | None, region: str | None, address: str, tmp_path: Path
) -> None:
    keys: Credentials = {"access_key_id": "a", "secret_access_key": "b"}

    async def play() -> str:
        async with bench(tmp_path) as workbench:
            account = account_of("s3", endpoint, region, keys)
            there = Bucket(workbench.context, account, bucket, 1.0)
            return f"{there.origin} {there.target('a b//c')}"

    assert run(play()) == address
