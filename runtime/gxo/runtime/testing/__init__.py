"""Test playbooks (language, section 10): what the keys of one say, and what a run of one keeps to.

    job = Job("kv.test", test=Test(secrets={"TOKEN": "x"}, network=["cache:6379"]))

Only the artifacts of test playbooks have this package: everything else comes to it by `Job.test`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gxo.runtime.errors import ModuleError

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.testing.session import Session


class Test:
    """What a test playbook says about itself, besides its workloads.

    secrets: the value of each secret that it, or the playbook that it includes, may read. network:
    what it may reach besides this host, as `host:port`. commands: the names of those that it may
    run though no mock stands for them. expect_failed: it passes when the job ends Failed.
    """

    __slots__ = ("commands", "expect_failed", "network", "secrets")
    __test__ = False  # its name has pytest take it for a class of tests

    def __init__(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        network: Sequence[str] = (),
        commands: Sequence[str] = (),
        expect_failed: bool = False,
    ) -> None:
        self.secrets = secrets or {}
        self.network = network
        self.commands = commands
        self.expect_failed = expect_failed

    def session(self) -> "Session":
        """What one run of the test, and of the playbook that it includes, share."""
        from gxo.runtime.testing.session import Session

        return Session(self)


def session_of(ctx: "Context") -> "Session":
    """The session of the test that the context is in. ModuleError when it is in none."""
    session = ctx._run.testing
    if session is None:
        raise ModuleError("only a test playbook can have mocks")
    return session
