"""Every case of `cases.yaml`, on moto, whose IAM looks at each signature and policy."""

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import yaml

from tests.services.moto import Moto
from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls
from tests.stdlib.test_cases import _check_files as check_files
from tests.stdlib.test_cases import _lay_out as lay_out
from tests.stdlib.test_cases import _matches as matches

# PyYAML's own loader in Python: the one in C takes no lone surrogate.
CASES = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
SECRET = "s3cret-that-nobody-may-see"

_numbers = itertools.count(1)


def keys(moto: Moto, who: str) -> dict[str, str] | None:
    """The credentials of a user, or wrong ones."""
    match who:
        case "nobody":
            return None
        case "wrong_secret":
            return {**moto.keys["admin"], "secret_access_key": SECRET}
        case "wrong_key":
            return {"access_key_id": "AKIANOBODY", "secret_access_key": SECRET}
    return moto.keys[who]


def filled(value: Any, kept: dict[str, str]) -> Any:
    """The value with what earlier steps have kept."""
    if isinstance(value, dict):
        return {name: filled(one, kept) for name, one in value.items()}
    is_kept = isinstance(value, str) and value.startswith("$") and value[1:] in kept
    return kept[value[1:]] if is_kept else value


async def play(call: Calls, step: dict[str, Any], kept: dict[str, str], moto: Moto) -> None:
    known = {"gives", "sent", "error", "as", "keep", "consumed"}
    [verb] = step.keys() - known
    params = filled(step[verb], kept) | {"credentials": keys(moto, step.get("as", "admin"))}
    outcome = await call(verb, consumed=step.get("consumed", True), **params)
    if "error" in step:
        assert outcome.error is not None, outcome.summary
        told = f"{outcome.error} {getattr(outcome.error, 'hint', '')}"
        matches(told, f"re:{step['error']}", verb)
        assert SECRET not in told and moto.keys["admin"]["secret_access_key"] not in told
        return
    assert outcome.error is None, outcome.error
    matches(outcome.summary, filled(step.get("gives", {}), kept), verb)
    if "sent" in step:
        matches(outcome.sent, step["sent"], verb)
    for name, field in step.get("keep", {}).items():
        kept[name] = outcome.summary[field]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], moto: Moto, tmp_path: Path) -> None:
    known = {"name", "there", "there_are", "versions", "files", "steps", "objects", "after"}
    assert case.keys() <= known
    lay_out(tmp_path, case.get("files", {}))
    bucket = moto.make_bucket(f"case-{next(_numbers)}", versions=case.get("versions", False))
    moto.fill(bucket, (f"n{n}" for n in range(case.get("there_are", 0))))
    for key, text in case.get("there", {}).items():
        assert moto.ask("PUT", f"/{bucket}/{quote(key)}", text.encode())[0] == 200

    async def steps() -> None:
        async with calls(tmp_path, endpoint=moto.endpoint, bucket=bucket) as call:
            kept: dict[str, str] = {}
            for step in case["steps"]:
                await play(call, step, kept, moto)

    run(steps())
    check_files(tmp_path, case.get("after", {}))
    if "objects" in case:
        assert objects(moto, bucket) == case["objects"]
    assert not moto.uploads(bucket)


def objects(moto: Moto, bucket: str) -> dict[str, str]:
    """The texts of all objects, asked for by somebody else than the modules."""
    _, page = moto.ask("GET", f"/{bucket}?list-type=2&max-keys=1000")
    found = [one.text or "" for one in ElementTree.fromstring(page).iterfind(".//{*}Key")]
    return {key: moto.ask("GET", f"/{bucket}/{quote(key)}")[1].decode() for key in found}
