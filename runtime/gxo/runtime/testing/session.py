"""What a test and the playbook that it includes share while they run: one `Session` a test.

begin    the process keeps to what the test may touch
judge    whether the test has passed: not when something was refused or an assertion has failed,
         whatever became of the error
end      the process is free again
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from gxo.runtime.errors import SecretError, SecurityError
from gxo.runtime.host.clock import Clock, Process
from gxo.runtime.kernel.node import COMPLETED, FAILED, PENDING
from gxo.runtime.testing import hook
from gxo.runtime.testing.commands import Commands
from gxo.runtime.testing.modules import Modules
from gxo.runtime.testing.network import Network
from gxo.runtime.testing.servers import Servers
from gxo.runtime.testing.virtual import VirtualClock, VirtualLoop

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Job
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.lifecycles import Lifecycle
    from gxo.runtime.testing import Test


_calling: ContextVar["Node | None"] = ContextVar("calling", default=None)
"""The workload whose module a task works for."""


UNMET = "the test expects that the job fails (`expect: Failed`), and it has completed"
_TO_ASK = "it runs when its `when` asks for the status of what may fail"

MOST = 100
"""What was refused that is told of at the end."""


class Refused(SecurityError):  # noqa: N818 - what happened
    """The test tried what it may not.

    node: the workload that did, as far as that is known. told: what its log says, once it does.
    """

    def __init__(self, message: str, hint: str | None, node: "Node | None") -> None:
        super().__init__(message, hint=hint)
        self.node = node
        self.told = message

    def is_like(self, other: "Refused") -> bool:
        """Whether the other one is the same once more."""
        return self.message == other.message and self.node is other.node


class Session:
    """The mocks of one run of a test, and what it may touch besides them.

    test: what the playbook says. network, commands: what may be reached, and run. refused: the
    errors for what was tried that may not be, in the order of the trials. clock: the test's time.
    servers: the mocks that listen. modules: the mocks of modules.
    """

    __slots__ = ("_run", "clock", "commands", "modules", "network", "refused", "servers", "test")

    def __init__(self, test: "Test") -> None:
        self.test = test
        self.clock = VirtualClock()
        self.servers = Servers()
        self.modules = Modules()
        self.refused: list[Refused] = []
        self.network = Network(test.network, self._workspace, self._refuse)
        self.commands = Commands(test.commands, self._workspace, self._refuse)
        self._run: Run | None = None

    def adopt(self, job: "Job") -> None:
        """Let a job run that is the test or the playbook that it includes: each workload once."""
        from gxo.runtime.testing.lifecycles import read_sources

        read_sources(job.workloads.values())

    async def due(self, lifecycle: "Lifecycle") -> None:
        """Wait until a workload with the lifecycle is to run."""
        from gxo.runtime.testing.lifecycles import due

        await due(lifecycle, self.clock)

    def make_loop(self, grace: float) -> VirtualLoop:
        """A loop whose time is the test's. grace: as of any job's loop."""
        return VirtualLoop(grace, self.clock, self.servers)

    def begin(self, run: "Run") -> None:
        """A run starts: with the first one, which is the test's own, the process is held to it."""
        if self._run is None:
            self._run = run
            run.loop.testing = self
            self.commands.begin(run)
            Process.clock = self.clock
            hook.watch(self)

    def end(self) -> None:
        """Nothing of the test runs any more. Blocks."""
        hook.unwatch(self)
        Process.clock = Clock()
        self.commands.end()

    def judge(self, run: "Run") -> None:
        """Let the ending say whether the test has passed, rather than how its workloads ended.

        How the run of the playbook that it includes ends is data.
        """
        if run is not self._run:
            return
        broken = [text for node in run.nodes.values() if (text := _broken_mock(run, node))]
        wrong = [(run.redact(error.told), error.hint) for error in self.refused]
        for text, hint in (*wrong, *((text, None) for text in broken)):
            if not any(text in told for told in run.ending.errors):
                whatever = ". That fails a test, whatever becomes of the error"
                run.fail(_in_first_line(text, whatever), hint)
        asserted = _failed_assertions(run)
        for text in asserted:
            if not any(text in told for told in run.ending.errors):
                run.fail(text, logged=True)
        if run.ending.status == FAILED:
            run.ending.expected = self.test.expect_failed and not (wrong or broken or asserted)
        elif run.ending.status == COMPLETED and self.test.expect_failed:
            run.fail(UNMET)
        elif run.ending.status == COMPLETED and not run.settings.dry_run:
            for node in run.nodes.values():
                if node.status == PENDING and run.module_of(node.name) == "test:assert":
                    run.fail(f"workload '{node.name}' has checked nothing: {node.reason}", _TO_ASK)

    def calling(self, node: "Node") -> None:
        """What this task, and what it starts, tries from now on is tried by the workload."""
        _calling.set(node)

    def raise_refusal(self, node: "Node", error: BaseException | None = None) -> None:
        """Raise what was refused to a workload, whatever its module has made of it: no result, and
        no error that is retried or ignored.
        """
        for refused in self.refused:
            if refused.node is node or (error is not None and _came_of(error, refused)):
                refused.node = node
                raise refused from None

    def placed(self, run: "Run", node: "Node", error: BaseException, text: str) -> str:
        """The text of an error, for what was refused with the workload's line at least."""
        from gxo.runtime.reporting.trace import source_map

        found = source_map(run)
        line = found.get("workloads", {}).get(node.name)
        if not isinstance(error, Refused):
            return text
        if line is not None and f"({found['file']}:" not in text:
            text = _in_first_line(text, f" ({found['file']}:{line})")
        error.told = text
        return text

    def came_to_end(self, run: "Run") -> bool:
        """Whether the job has done, up to now, all that it was to: else calls that mocks wait for
        need not have come. A dry run leaves out what changes something.
        """
        if run.settings.dry_run:
            return False
        status = run.ending.status
        return status == COMPLETED or (status == FAILED and self.test.expect_failed)

    def spoiled(self, ctx: "Context", message: str, hint: str | None = None) -> SecurityError:
        """The error of a mock by which a test has not passed, whatever the test expects."""
        error = Refused(message, hint, ctx._node)
        self.placed(ctx._run, ctx._node, error, message)
        self.refused.append(error)
        return error

    async def secret(self, name: str) -> str:
        """The only provider of secrets in a test: its `secrets`. SecretError."""
        value = self.test.secrets.get(name)
        if value is None:
            raise SecretError(
                f"the secret '{name}' is missing: it is not among the test's `secrets`",
                hint=f"a test reads no real secrets; add `secrets: {{{name}: some-value}}` to it",
            )
        if not value:
            raise SecretError(f"the secret '{name}' is empty in the test's `secrets`")
        return value

    def _workspace(self) -> str:
        assert self._run is not None, "the session has begun"
        return self._run.workspace.path

    def _refuse(self, message: str, hint: str) -> SecurityError:
        error = Refused(message, hint, _calling.get())
        known = any(one.is_like(error) for one in self.refused)
        if not known and len(self.refused) < MOST:
            self.refused.append(error)
        return error


def _broken_mock(run: "Run", node: "Node") -> str | None:
    """Why the workload, if it is a mock, has failed: perhaps there was none for its users."""
    is_broken = node.status == FAILED and run.module_of(node.name).startswith("test:mock_")
    return node.error if is_broken else None


def _failed_assertions(run: "Run") -> list[str]:
    """What failed of the workloads that assert something, those of blocks too.

    Also one whose assertions could not be evaluated: it has not looked at them.
    """
    return [
        f"workload '{node.name}' failed: {node.error}"
        for node in run.nodes.values()
        if node.status == FAILED and (node.failures or run.module_of(node.name) == "test:assert")
    ]


def _in_first_line(text: str, addition: str) -> str:
    first, *rest = text.split("\n", 1)
    return "\n".join([first + addition, *rest])


def _came_of(error: BaseException, refused: Refused) -> bool:
    """Whether an error is one that was refused, or was made of it."""
    waiting: list[BaseException | None] = [error]
    for one in waiting:
        if isinstance(one, Refused) and one.message == refused.message:
            return True
        if one is not None:
            waiting += [one.__cause__, one.__context__]
            waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return False
