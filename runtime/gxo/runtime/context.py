"""What a workload's function and the modules it calls are given: all they need."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gxo.runtime.host.clock import Clock, rfc3339

if TYPE_CHECKING:
    from gxo.runtime.dryrun.views import ForeseenWorkload
    from gxo.runtime.kernel.node import Failure, Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.pipelines.steps import Step
    from gxo.runtime.spec import Record
    from gxo.runtime.workspace.jail import Jail

T = TypeVar("T")


class Context:
    """One attempt of one workload instance.

    inputs, vars: the playbook's. state: the registers. workload: its name. attempt: from 1.
    iteration: the loop item's index, from 0; None outside a loop.
    """

    __slots__ = ("_node", "_run", "attempt", "inputs", "iteration", "state", "vars", "workload")

    step: str | None = None
    """The step of a pipeline whose module is called; None outside of one."""

    def __init__(
        self, run: "Run", node: "Node", attempt: int = 1, iteration: int | None = None
    ) -> None:
        self._run = run
        self._node = node
        self.workload: str = node.name
        self.attempt = attempt
        self.iteration = iteration
        self.state: Mapping[str, Any] = run.state
        self.vars: Mapping[str, Any] = run.vars
        self.inputs: Mapping[str, Any] = run.inputs
        if run.secret_use is not None:
            run.secret_use.watch(self, node)

    @property
    def workloads(self) -> "Mapping[str, Node | ForeseenWorkload]":
        """Every workload's `status`, `error` and `summary`, by name."""
        forecast = self._run.forecast
        return self._run.nodes if forecast is None else forecast.workloads

    @property
    def playbook(self) -> "Run":
        """The run: `name` of the playbook and `run_id`."""
        return self._run

    @property
    def workspace(self) -> "Jail":
        """The folder the job works in, and what `allow_paths` lets this workload use besides.

        The folder is made when it is first asked for.
        """
        allowed = self._node.spec.allow_paths
        files: Jail = self._run.workspace
        if allowed:
            from gxo.runtime.workspace.allowed import (
                AllowedPaths,  # start-up: only where something is allowed
            )

            files = AllowedPaths(files, allowed)
        forecast = self._run.forecast
        return files if forecast is None else forecast.over(files)

    @property
    def status(self) -> str:
        """How the job has ended, for `finally`."""
        if self._run.forecast is not None:
            self._run.forecast.check_ending("how the job ends")
        return self._run.ending.status

    @property
    def failure(self) -> "Failure":
        """What failed, for `on_failure` and `finally`."""
        if self._run.forecast is not None:
            self._run.forecast.check_failure(self._node.unit.failure)
        return self._node.unit.failure

    # A dry run

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be changed: say what would be with `would`, and return its result.

        `workspace` can be written to all the same: it then keeps in memory what would be there.
        """
        return self._run.forecast is not None

    def would(
        self,
        what: str,
        known: Mapping[str, Any] | None = None,
        *,
        changes: bool = True,
        writes: str | None = None,
        removes: str | None = None,
    ) -> Any:
        """Say what this call would do, in a dry run. Returns its summary.

        what: goes on after "would": `run: sh deploy.sh`. known: the fields of the summary that are
        known; what reads another one is not evaluated. changes: whether it would change something.
        writes: a file that it would write with what is not known, or `.` for any in the workspace.
        removes: a file or folder that it would remove.
        """
        forecast = self._run.forecast
        assert forecast is not None, "only a dry run asks what a module would do"
        return forecast.would(self, what, dict(known or {}), changes, writes, removes)

    def changes_nothing(self) -> None:
        """Of a module that decides by call (`changes="by_call"`): this call changes nothing."""
        if self._run.forecast is not None:
            self._run.forecast.changes_nothing(self)
        if self._run.journal is not None:
            self._run.journal.changes_nothing(self._node)

    async def show_diff(self, path: str, content: Callable[[], bytes]) -> None:
        """With `--diff`, show how a file of the workspace changes. Call it before it is written.

        content: gives what the file will hold, or its first part; called in a thread.
        """
        if self._run.settings.diff:
            from gxo.runtime.reporting.diff import show  # only when asked for

            await show(self, self._run.log, path, content)

    @property
    def clock(self) -> Clock:
        """The time, and waiting."""
        return self._run.clock

    @property
    def module(self) -> str:
        """The name of the workload's module."""
        return self._run.module_of(self.workload)

    @property
    def is_over(self) -> bool:
        """Whether its workload has ended without it: it took no notice of being cancelled."""
        return self._node.over

    def secret(self, name: str) -> str:
        """The value of a secret; from now on it is redacted from what this workload leaves.

        SecretError when it is missing or empty.
        """
        return self._run.secrets.read(self._node, name)

    def private(self, made: T, *fields: str) -> T:
        """What a template function has made, of which the text, or these fields, is a secret.
        Or what a module has found to be one, such as the password in an address.

        It stays what it is for who uses it, and is redacted from what leaves the process.
        """
        parts = [made[name] for name in fields] if isinstance(made, dict) else [made]
        for part in parts:
            self._run.secrets.made(str(part))
        return made

    def with_secrets(self, summary: T, *fields: str) -> T:
        """What a module has returned, in which these fields are secrets, as far as they are there.

        They stay what they are for who reads them, whom they taint, and are redacted from what
        leaves the process.
        """
        if isinstance(summary, dict):
            for name in fields:
                value = dict.get(summary, name)  # of a dry run's summary only what is known
                if value is not None:
                    self._run.secrets.returned(self._node, name, str(value), in_step=self.step)
        return summary

    def redact(self, value: Any) -> Any:
        """A text, or nested data, as logs and errors show it: without the secrets of the job.

        They are redacted by themselves. This is for a module that tells only a part of a text, as a
        part of a secret would not be found any more.
        """
        return self._run.redact(value)

    @property
    def secret_reach(self) -> int:
        """The bytes that the longest secret of the job may take, in any form; 0 without secrets."""
        use = self._run.secret_use
        return 0 if use is None else use.redactor.reach

    def cut(self, data: bytes, size: int) -> bytes:
        """The first `size` bytes of some that a limit applies to, or fewer: no part of a secret.

        data: the bytes, and `secret_reach` more, as far as there are.
        """
        use = self._run.secret_use
        return data[:size] if use is None else use.redactor.cut(data, size)

    def env(self, name: str) -> str:
        """The environment variable, or an empty text."""
        return self._run.environment.get(name, "")

    def child_environment(self) -> dict[str, str]:
        """The environment for a command: this process's, without the playbook's secrets.

        With traces, TRACEPARENT makes what the command does part of this attempt's.
        """
        run = self._run
        secrets = run.job.secrets
        environment = {name: text for name, text in run.environment.items() if name not in secrets}
        if run.bus is not None:
            environment |= run.bus.for_children(self)
        return environment

    def ready(self, summary: Any) -> None:
        """A background module is in service: what depends on it may start, and sees this summary.

        From now on the job can end, and the module be cancelled, whenever nothing else is left.
        """
        self._run.scheduler.ready(self._node, summary)

    async def signal(self, token: str, context: Mapping[str, Any]) -> Any:
        """Wait, Paused, until somebody outside gives the token back; returns what comes with it.

        ModuleError where nobody can: only `gxo daemon` keeps what waits, and takes tokens.
        """
        signals = self._run.signals
        if signals is None:
            from gxo.runtime.errors import ModuleError  # start-up: no job of today comes here

            raise ModuleError("only `gxo daemon` can wait for a signal")
        return await signals.wait(self.workload, token, context)

    def watched(self, steps: "Mapping[str, Step]") -> "Mapping[str, Step]":
        """The steps of a pipeline as whoever watches the run wants them."""
        bus = self._run.bus
        return steps if bus is None else bus.watched(self._node, steps)

    def end_within(self, seconds: float) -> None:
        """Ask for more time than the usual 5 s to end in order, after a cancellation.

        For a module that has taken notice and, say, waits for processes that it has told to end.
        """
        self._node.patience = self._run.loop.time() + seconds

    def now(self) -> str:
        """The time in UTC, as RFC 3339 text."""
        return rfc3339(self._run.clock.seconds(), fraction=False)

    def log(self, level: str, message: str, **fields: Any) -> None:
        """Write one log line about this workload. level: `debug`, `info`, `warning` or `error`."""
        if self._run.log.shows(level):
            self._run.log.write(
                level,
                message,
                workload=self.workload,
                attempt=self.attempt,
                iteration=self.iteration,
                **fields,
            )

    async def record_failed(
        self, record: "Record", error: Exception, number: int | None = None
    ) -> None:
        """Tell that a record could not be processed; what follows is the playbook's choice.

        Returns when it is to be left out (it then goes to the readers of `<name>.errors`, if there
        are any); RecordError when the workload is to fail (language, section 5).
        number: its place in the stream, from 1; by default that of the next record error.
        """
        from gxo.runtime.streams.records import record_failed  # start-up: only when a record fails

        await record_failed(self._run, self._node, record, error, number)

    async def thread(self, function: Callable[..., T], *args: Any) -> T:
        """Call what blocks in a thread. A cancelled call is waited for: it cannot be stopped."""
        return await self._run.loop.threads.call(function, *args)

    async def complete(self, function: Callable[..., T], *args: Any) -> T:
        """Call what completes the module's work in a thread, as `thread` does.

        Once that is done it is too late to cancel the workload: the module returns its summary, and
        waits for nothing before.
        """
        done: list[T] = []
        try:
            await self.thread(lambda: done.append(function(*args)))
        except asyncio.CancelledError:
            if not done:
                raise
        return done[0]

    async def offload(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """Call what computes: in a thread if that could hold up the others, else here and now.

        size: of the data that it goes through, in bytes or characters; or what `weight` says.
        """
        return await self._run.loop.offload(size, function, *args)

    async def shared(
        self,
        key: object,
        open: Callable[[], Awaitable[T]],  # noqa: A002 - pairs with close
        close: Callable[[T], Awaitable[None]],
    ) -> T:
        """The job's one value for `key`: opened when first asked for, closed when the job ends."""
        return await self._run.shared.get(key, open, close)
