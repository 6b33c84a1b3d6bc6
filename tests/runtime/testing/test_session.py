"""One session a test, which the playbook that it includes shares."""

from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from gxo.runtime.testing import Test


def test_a_test_has_a_session() -> None:
    test = Test(secrets={"TOKEN": "x"}, network=["cache:6379"])
    testing = Run(Job("a.test", test=test), Settings()).testing
    assert testing is not None
    assert testing.test is test


def test_the_included_playbook_shares_it_and_others_have_none() -> None:
    outer = Run(Job("a.test", test=Test()), Settings())
    assert Run(Job("a"), Settings(), testing=outer.testing).testing is outer.testing
    assert Run(Job("a"), Settings()).testing is None
