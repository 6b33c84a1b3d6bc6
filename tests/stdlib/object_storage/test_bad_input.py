"""Each text that a module takes, empty, huge or not printable: one error that can be read, or a result."""

from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.errors import WorkloadError
from tests.modules.test_bad_input import TEXTS, kinds
from tests.stdlib.harness import module_spec, run
from tests.stdlib.object_storage.test_answers import KEYS, asking

VERBS = {
    "put_object": {"key": "a", "content": "x"},
    "get_object": {"key": "a"},
    "list_objects": {},
    "delete_object": {"key": "a"},
}
CALLS = [
    pytest.param(verb, param.name, id=f"{verb} {param.name}")
    for verb in VERBS
    for param in module_spec(f"object_storage:{verb}").params
    if kinds(param.type) == {"text"} and param.name != "provider"
]
GOOD = {"body": "<ListBucketResult></ListBucketResult>", "headers": {"ETag": '"x"'}}


def told_of(folder: Path, verb: str, several: list[dict[str, Any]]) -> list[str]:
    """The error of each call, if any; it has to be ours."""

    async def play() -> list[str]:
        told = []
        async with asking(folder, {"/bkt": GOOD, "/bkt/a": GOOD}) as (call, _):
            for params in several:
                outcome = await call(verb, **{**VERBS[verb], **params})
                assert outcome.error is None or isinstance(outcome.error, WorkloadError)
                told.append("" if outcome.error is None else str(outcome.error))
        return told

    return run(play())


@pytest.mark.parametrize(("verb", "name"), CALLS)
def test_a_text(verb: str, name: str, tmp_path: Path) -> None:
    other = {"content": None} if name == "source" else {}
    for told in told_of(tmp_path, verb, [{**other, name: text} for text in TEXTS]):
        assert len(told) < 600 and "\0" not in told and "\x1b" not in told, told[:600]


def test_a_credential(tmp_path: Path) -> None:
    texts = ["", "\0", "a\r\nb: c", "ü", "x y"]
    names = ["access_key_id", "secret_access_key", "session_token"]
    pairs = [(name, text) for name in names for text in texts]
    given = [{"credentials": KEYS["somebody"] | {name: text}} for name, text in pairs]
    for (name, text), told in zip(pairs, told_of(tmp_path, "get_object", given), strict=True):
        assert told.startswith(f"credentials: `{name}` ")
        assert not text or repr(text)[1:-1] not in told


def test_metadata_is_limited(tmp_path: Path) -> None:
    [told] = told_of(tmp_path, "put_object", [{"metadata": {"a": "x" * 3000}}])
    assert "metadata: it is longer than 2048 bytes" in told
