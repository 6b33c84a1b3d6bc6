"""Every case of `accounts.yaml`; names of buckets, and what a key file of Google's may say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import ParameterError
from gxo.stdlib.object_storage._google import TOKEN_URI, read_key_file
from gxo.stdlib.object_storage._providers import account_of, check_bucket

CASES = yaml.safe_load(Path(__file__).with_name("accounts.yaml").read_text(encoding="utf-8"))
KEY_FILE = {"client_email": "me@example.test", "private_key": "-----BEGIN S3CRET"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account(case: dict[str, Any]) -> None:
    parameters = [case.get(name) for name in ("provider", "endpoint", "region", "credentials")]
    if "error" in case:
        with pytest.raises(ParameterError) as raised:
            account_of(*parameters)
        assert raised.value.message == case["error"]
    else:
        assert repr(account_of(*parameters)) == case["account"]


@pytest.mark.parametrize("name", ["a.b-c_1", "$web", "x" * 255])
def test_a_bucket_has_a_name(name: str) -> None:
    check_bucket(name)


@pytest.mark.parametrize(
    "name", ["", "ab", "a/b", "a..b", "../x", "ab?", "é" * 3, "abc\n", "x" * 256]
)
def test_a_name_that_is_another_part_of_an_address_is_none(name: str) -> None:
    with pytest.raises(ParameterError, match="`bucket` is"):
        check_bucket(name)


def test_a_key_file_says_where_tokens_are() -> None:
    read = read_key_file(json.dumps(KEY_FILE), may_be_plain=False)
    assert (read.email, read.token_uri, read.project) == ("me@example.test", TOKEN_URI, "")
    assert "S3CRET" not in repr(read)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("S3CRET", "is no JSON: it is the content of a key file"),
        ('["S3CRET"]', "is no JSON: it is the content of a key file"),
        ("[" * 100_000, "is no JSON: it is the content of a key file"),
        ('{"client_email": "me"}', "`service_account` has no `private_key` in it"),
        ('{"private_key": "S3CRET"}', "`service_account` has no `client_email` in it"),
        *(
            (
                json.dumps({**KEY_FILE, "token_uri": uri}),
                "`token_uri` of `service_account` is no https address",
            )
            for uri in (
                "http://127.0.0.1:1/token",
                "https://[bad",
                "https://",
                "https://127.0.0.1:99999/token",
                "https://127.0.0.1/t\u00f6ken",
            )
        ),
    ],
    ids=lambda text: text[:30],
)
def test_a_bad_key_file_is_told_and_not_shown(content: str, why: str) -> None:
    with pytest.raises(ParameterError) as raised:
        read_key_file(content, may_be_plain=False)
    assert why in raised.value.message and "S3CRET" not in raised.value.message
