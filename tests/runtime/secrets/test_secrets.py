"""What a job knows of its secrets, and what each workload instance is tainted with."""

import asyncio

import pytest

from gxo.runtime.errors import SecretError
from gxo.runtime.secrets.keys import REDACTED
from gxo.runtime.secrets.taint import Secrets

VALUES = {"API_TOKEN": "hunter22-token", "DB": "swordfish-db", "PIN": "1234", "_x9": "underscore"}


def made(values=VALUES):
    """A job's secrets, the look-ups made (a fake provider), and the warnings given."""
    asked, warned = [], []

    async def look_up(name):
        asked.append(name)
        await asyncio.sleep(0)
        if name not in values:
            raise SecretError(f"the secret '{name}' is missing")
        return values[name]

    return Secrets(look_up, warned.append), asked, warned


def run(coroutine):
    return asyncio.run(coroutine, debug=True)


def test_each_secret_is_looked_up_once():
    secrets, asked, _ = made()

    async def check():
        await asyncio.gather(*(secrets.load(["API_TOKEN", "DB"]) for _ in range(5)))

    run(check())
    assert asked == ["API_TOKEN", "DB"]
    assert secrets.value("DB") == "swordfish-db"


def test_a_missing_secret_is_named_and_asked_for_again():
    secrets, asked, _ = made()
    for _ in range(2):
        with pytest.raises(SecretError, match="'NOPE' is missing"):
            run(secrets.load(["API_TOKEN", "NOPE", "DB"]))
    assert asked == ["API_TOKEN", "NOPE", "NOPE"]


@pytest.mark.parametrize("name", ["", "9x", "a-b", "a.b", "../x", "a\n", "é", "A B"])
def test_a_name_that_none_can_have_is_never_looked_up(name):
    secrets, asked, _ = made()
    with pytest.raises(SecretError, match="cannot be the name of a secret"):
        run(secrets.load([name]))
    assert asked == []


def test_names_that_can_be():
    secrets, _, _ = made()
    run(secrets.load(["_x9"]))
    assert secrets.value("_x9") == "underscore"


def test_what_was_not_loaded_cannot_be_read():
    secrets, asked, _ = made()
    with pytest.raises(SecretError, match="'DB' was not declared by the workload"):
        secrets.taint().secret("DB")
    assert asked == []


def test_a_resolved_secret_taints_what_leaves_the_job_at_once():
    secrets, _, _ = made()
    line = "with hunter22-token and swordfish-db"
    assert secrets.redactor.log_text(line) == line
    run(secrets.load(["API_TOKEN"]))
    assert secrets.redactor.log_text(line) == f"with {REDACTED} and swordfish-db"
    secrets.add("swordfish-db")
    assert secrets.redactor.log_text(line) == f"with {REDACTED} and {REDACTED}"


def test_short_secrets_are_warned_of_once():
    secrets, _, warned = made()
    for _ in range(2):
        run(secrets.load(["PIN", "DB"]))
    secrets.add("abc", "the input 'pin'")
    assert [text.split(" is shorter")[0] for text in warned] == [
        "the secret 'PIN'",
        "the input 'pin'",
    ]
    assert not any(value in text for text in warned for value in ("1234", "abc"))


SUMMARY = {"a": "hunter22-token", "b": ["swordfish-db"], "c": "1234"}


def test_the_state_is_redacted_with_what_the_instance_has_read():
    secrets, _, _ = made()
    run(secrets.load(["API_TOKEN", "DB", "PIN"]))
    taint, other = secrets.taint(), secrets.taint()
    assert taint.redact(SUMMARY) is SUMMARY
    assert taint.secret("API_TOKEN") == "hunter22-token"
    assert taint.redact(SUMMARY) == {**SUMMARY, "a": REDACTED}
    taint.add("1234")
    assert taint.redact(SUMMARY) == {**SUMMARY, "a": REDACTED, "c": REDACTED}
    assert other.redact(SUMMARY) is SUMMARY
    assert SUMMARY["a"] == "hunter22-token"


def test_jobs_in_one_process_never_mix():
    """20 jobs at once, each with its own value under the same name."""

    async def job(number):
        secrets, _, _ = made({"TOKEN": f"token-of-job-{number:02}"})
        await secrets.load(["TOKEN"])
        taint = secrets.taint()
        mine = taint.secret("TOKEN")
        everybodys = [f"token-of-job-{other:02}" for other in range(20)]
        for redact in (taint.redact, secrets.redactor.value, secrets.redactor.log_value):
            await asyncio.sleep(0)
            left = redact(everybodys)
            assert left == [REDACTED if text == mine else text for text in everybodys]

    async def check():
        await asyncio.gather(*map(job, range(20)))

    run(check())
