"""Tokens of Azure's (SAS) at Azurite, which looks at what is signed, at its end and at what it allows."""

import base64
import hmac
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.services.azurite import Azurite
from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls

VERSION = "2020-12-06"
BUCKET = "tokens"


def token(azurite: Azurite, permissions: str, *, days: int = 1, secret: str = "") -> str:
    """What somebody who has the account's key gives to others, for all that is in the account.

    https://learn.microsoft.com/rest/api/storageservices/create-account-sas
    """
    end = datetime.fromtimestamp(time.time() + days * 86400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = (azurite.account, permissions, "b", "sco", "", end, "", "", VERSION, "", "")
    key = base64.b64decode(secret or azurite.account_key)
    digest = hmac.digest(key, "\n".join(signed).encode(), "sha256")
    said = {"sv": VERSION, "ss": "b", "srt": "sco", "sp": permissions, "se": end}
    return urlencode({**said, "sig": base64.b64encode(digest).decode()})


def with_token(call: Calls, given: str) -> Calls:
    return Calls(call.bench, {**call.shared, "credentials": {"sas_token": given}})


def test_a_token_is_what_its_account_is(azurite: Azurite, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(5_000_001))
    given = token(azurite, "rwdlac")

    async def play() -> None:
        shared = {"provider": "azure", "endpoint": azurite.endpoint, "bucket": BUCKET}
        async with calls(tmp_path, **shared) as call:
            call = with_token(call, f"?{given}")  # as the portal shows it
            await call.done("manage_bucket", state="present")
            await call.done("put_object", key="a b/ü?&=.txt", content="hello")
            assert (await call.done("get_object", key="a b/ü?&=.txt"))["content"] == "hello"
            await call.done("put_object", key="big", source="file", part_size=4_000_000)
            assert (await call.done("list_objects"))["count"] == 2
            for key in ("a b/ü?&=.txt", "big"):
                assert (await call.done("delete_object", key=key))["changed"]
            await call.done("manage_bucket", state="absent")

    run(play())


@pytest.mark.parametrize(
    ("permissions", "days", "secret"),
    [("l", 1, ""), ("rl", -1, ""), ("rl", 1, "d3Jvbmc=")],
    ids=["not for this", "over", "wrong"],
)
def test_a_token_that_does_not_allow_it_is_not_shown(
    permissions: str,
    days: int,
    secret: str,
    azurite: Azurite,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = token(azurite, permissions, days=days, secret=secret)

    async def play() -> str:
        shared = {"provider": "azure", "endpoint": azurite.endpoint, "bucket": BUCKET}
        async with calls(tmp_path, **shared) as call:
            return await with_token(call, given).refused("get_object", key="a")

    told = run(play())
    assert "does not allow to read object 'a' in bucket 'tokens'" in told
    assert "the permissions of the SAS token, must allow it" in told
    assert "sig=" not in told + capfd.readouterr().err
