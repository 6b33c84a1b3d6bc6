"""One session a test, which the playbook that it includes shares: secrets, and what is expected."""

from typing import Any

import pytest

from gxo.runtime import Context
from gxo.runtime.errors import ModuleError, UsageError
from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from gxo.runtime.testing import Test
from gxo.runtime.testing.network import split_address
from tests.runtime.kernel.harness import Played, Stage, play


def played(test: Test, do: Any, **keywords: Any) -> Played:
    job = Job("a.test", secrets=["TOKEN"], test=test)
    job.workload("a", register="a", secrets=["TOKEN"] if test.secrets else (), **keywords)(do)
    return play(job, Stage(), environment={"TOKEN": "the real one"})


async def fails(ctx: Context) -> None:
    raise ModuleError("no luck")


async def completes(ctx: Context) -> None:
    pass


async def tells_secret(ctx: Context) -> Any:
    return {"env": ctx.env("TOKEN"), "secret": ctx.secret("TOKEN")}


def test_the_included_playbook_shares_it_and_others_have_none() -> None:
    outer = Run(Job("a.test", test=Test()), Settings())
    assert outer.testing is not None
    assert Run(Job("a"), Settings(), testing=outer.testing).testing is outer.testing
    assert Run(Job("a"), Settings()).testing is None


def test_a_condition_of_the_test_is_evaluated_or_fails_and_the_playbooks_is_as_ever() -> None:
    outer = Run(Job("a.test", test=Test()), Settings())
    assert outer.strict
    assert not Run(Job("a"), Settings(), testing=outer.testing).strict


def test_a_secret_is_the_tests_own_and_redacted() -> None:
    result = played(Test(secrets={"TOKEN": "made-up-value"}), tells_secret)
    assert result.code == 0
    assert result.run.state["a"] == {"env": "the real one", "secret": "[REDACTED_SECRET]"}


@pytest.mark.parametrize(
    ("secrets", "error"),
    [
        ({"OTHER": "x"}, "the secret 'TOKEN' is missing: it is not among the test's `secrets`"),
        ({"TOKEN": ""}, "the secret 'TOKEN' is empty in the test's `secrets`"),
    ],
)
def test_no_real_secret_is_read(secrets: dict[str, str], error: str) -> None:
    result = played(Test(secrets=secrets), tells_secret)
    assert result.code == 1
    assert error in (result.run.ending.error or "")


@pytest.mark.parametrize(
    ("expect_failed", "do", "code", "told"),
    [
        (False, completes, 0, ""),
        (False, fails, 1, "no luck"),
        (True, fails, 0, "no luck"),
        (True, completes, 1, "expects that the job fails (`expect: Failed`), and it has completed"),
    ],
)
def test_what_is_expected(expect_failed: bool, do: Any, code: int, told: str) -> None:
    result = played(Test(expect_failed=expect_failed), do)
    assert result.code == code
    assert told in (result.run.ending.error or "")


def test_an_ignored_failure_is_none() -> None:
    result = played(Test(expect_failed=True), fails, ignore_errors=True)
    assert result.code == 1


def test_an_interrupted_test_has_not_failed_as_expected() -> None:
    async def waits(ctx: Context) -> None:
        ctx.playbook.interrupt(2)
        await ctx.clock.sleep(9)

    assert played(Test(expect_failed=True), waits).code == 130


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Cache.Example.com.:6379", ("cache.example.com", 6379)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("[2001:DB8::1]:443", ("2001:db8::1", 443)),
        ("::ffff:192.0.2.1:80", ("192.0.2.1", 80)),
    ],
)
def test_an_allowed_address(text: str, wanted: tuple[str, int]) -> None:
    assert split_address(text) == wanted


@pytest.mark.parametrize("text", ["", "host", "host:", ":80", "host:http", "host:70000", "host:-1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="is not `host:port`"):
        split_address(text)
