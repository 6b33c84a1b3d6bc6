"""Which workload has read which secret, and so what must not enter the state (language, section 8).

Not imported by a job without secrets.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import TYPE_CHECKING, Any, TypeVar

from gxo.runtime.errors import SecretError, UsageError
from gxo.runtime.kernel.node import Node
from gxo.runtime.kernel.state import Watched
from gxo.runtime.secrets.providers import Lookup, parse_provider
from gxo.runtime.secrets.redact import Redactor
from gxo.runtime.secrets.taint import Secrets, Taint

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.run import Run

T = TypeVar("T")

MOST_FIELDS = 5
"""Redacted fields that a warning names."""


class Unloaded(BaseException):
    """A var or a `when` reads a secret that has not been loaded. No `except Exception` stops it."""

    def __init__(self, name: str) -> None:
        self.name = name


class SecretUse:
    """The secrets of one run, the taints of its workloads, and those of its vars and inputs.

    loaded: the names of those that the job knows. redacted: for a register in which something was
    redacted, sentences that name field and secret.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        provider: Lookup
        if run.testing is not None:
            provider = run.testing.secret
        else:
            provider = parse_provider(run.settings.secrets, run.environment)
        self._secrets = Secrets(provider, lambda text: run.log.write_clean("warning", text))
        self.loaded: set[str] = set()
        self._loading = False
        self._inputs: dict[str, Taint] = {}
        self._vars: dict[str, set[Taint]] = {}
        self._registers: dict[str, Taint] = {}
        self._names: dict[Taint, set[str]] = {}
        self.redacted: dict[str, list[str]] = {}
        self._warned: set[tuple[Node, str]] = set()
        self._made: set[str] = set()
        self._told: set[tuple[Node, str]] = set()

    @property
    def redactor(self) -> Redactor:
        """All secrets of the job."""
        return self._secrets.redactor

    async def prepare(self, resolve_vars: Callable[[], None]) -> None:
        """Take the secret inputs over, and resolve the vars with the secrets that they read."""
        for name, value in self._run.settings.secret_inputs.items():
            await self._take_input(name, value)
        await self.loading(resolve_vars)

    async def _take_input(self, name: str, value: str | None) -> None:
        """Make an input of what the caller gave, or else of the secret of its name.

        UsageError when there is none, as for any input that a caller must give.
        """
        if value is None:
            try:
                await self.load([name])
            except SecretError as error:
                message = f"input '{name}' is secret, and no vars file gives it: {error.message}"
                raise UsageError(message, hint=error.hint) from None
        else:
            self._secrets.give(name, value)
            self.loaded.add(name)
        taint = self._inputs[name] = self._secrets.taint()
        self._names[taint] = {name}
        self._run.inputs[name] = taint.secret(name)
        if value is None:
            from gxo.runtime.kernel.inputs import check_pattern  # start-up: only with secret inputs

            check_pattern(name, self._run.job.inputs[name], taint.secret(name), "as a secret")

    async def loading(self, evaluate: Callable[[], T]) -> T:
        """Evaluate what may read secrets that are not loaded yet, until all of them are."""
        while True:
            self._loading = True
            try:
                return evaluate()
            except Unloaded as unloaded:
                missing = unloaded.name
            finally:
                self._loading = False
            await self.load([missing])

    async def load(self, names: Iterable[str]) -> None:
        """Resolve the secrets that a workload needs. SecretError names one that is missing."""
        missing = [name for name in names if name not in self.loaded]
        if missing:
            await self._secrets.load(missing)
            self.loaded.update(missing)

    def made(self, value: str) -> None:
        """Redact what the job itself has made, such as a private key, from what leaves it.

        Or what it found elsewhere than among its secrets: a password in an address.
        """
        if value not in self._made:
            self._made.add(value)
            self._secrets.add(value, "a secret that the job has made or found")

    def returned(self, node: Node, field: str, value: str, *, in_step: str | None) -> None:
        """Redact a field of a workload's result from what leaves the job, and from what those have
        that read the result, other than the field itself.

        in_step: the step of a pipeline whose result it is: that enters the state of no workload.
        """
        self._secrets.add(value, f"the `{field}` that {node.name} returns")
        register = node.spec.register
        if register is None or in_step is not None:
            return
        taint = self._registers.get(register)
        if taint is None:
            taint = self._registers[register] = self._secrets.taint()
            self._names[taint] = set()
        taint.add(value)
        self._names[taint].add(f"{register}.{field}")

    def read(self, node: Node, name: str) -> str:
        """The value, which taints the workload."""
        if self._loading and name not in self.loaded:
            raise Unloaded(name)
        if node.taint is None:
            node.taint = self._secrets.taint()
            self._names[node.taint] = set()
        self._names[node.taint].add(name)
        self._tell(node, name)
        return node.taint.secret(name)

    def _input_read(self, node: Node, name: str) -> Iterable[Taint]:
        """What reading an input taints with: nothing, unless it is secret."""
        if name not in self._inputs:
            return ()
        self._tell(node, name)
        return (self._inputs[name],)

    def _tell(self, node: Node, name: str) -> None:
        """Once a workload: it may read the secret for each of its records."""
        if self._run.bus is not None and (node, name) not in self._told:
            self._told.add((node, name))
            self._run.bus.secret_read(node, name)

    def var_read(self, name: str, node: Node) -> None:
        """Remember with what the evaluation of a var was tainted."""
        taints = set(_own(node))
        if taints:
            self._vars[name] = taints

    def is_var_tainted(self, name: str) -> bool:
        """Whether the var has read a secret."""
        return name in self._vars

    def watch(self, context: "Context", node: Node) -> None:
        """Let tainted inputs and vars taint the workload, and redacted values warn."""

        def take(taints: Iterable[Taint]) -> None:
            if node.taints is None:
                node.taints = set()
            node.taints.update(taints)

        if self._inputs:
            context.inputs = Watched(
                context.inputs, lambda name: take(self._input_read(node, name))
            )

        def take_register(name: str) -> None:
            self._warn(node, name)
            if name in self._registers:
                take([self._registers[name]])

        context.vars = Watched(context.vars, lambda name: take(self._vars.get(name, ())))
        if self.redacted or self._registers:
            context.state = Watched(context.state, take_register)

    def clean(self, node: Node, summary: Any) -> Any:
        """The summary without what the workload and its stream ancestors have read."""
        for taint in _all_taints(node):
            cleaned = taint.redact(summary)
            if cleaned is not summary and (register := node.spec.register) is not None:
                fields = ", ".join(islice(_changed(summary, cleaned, register, set()), MOST_FIELDS))
                names = ", ".join(sorted(self._names[taint]))
                self.redacted.setdefault(register, []).append(f"{fields} (secret {names})")
            summary = cleaned
        return summary

    def _warn(self, node: Node, register: str) -> None:
        if register in self.redacted and (node, register) not in self._warned:
            self._warned.add((node, register))
            fields = ", ".join(self.redacted[register])
            self._run.log.write_clean(
                "warning",
                f'the register "{register}" that it reads is redacted in {fields}',
                node.name,
            )


def _own(node: Node) -> Iterable[Taint]:
    if node.taint is not None:
        yield node.taint
    yield from node.taints or ()


def _all_taints(node: Node) -> set[Taint]:
    """The taints of a workload and of all that it reads from."""
    found: set[Taint] = set()
    seen = {node}
    waiting = [node]
    while waiting:
        member = waiting.pop()
        found.update(_own(member))
        fresh = [other for other in member.upstream if other not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return found


def _changed(before: Any, after: Any, path: str, seen: set[int]) -> Iterator[str]:
    """The paths at which two values of the same shape differ. seen: containers met before."""
    pairs: Iterable[tuple[Any, Any, Any]] = ()
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        pairs = ((key, before[key], after[key]) for key in before)
    elif isinstance(before, list) and isinstance(after, list):
        pairs = zip(count(), before, after)
    else:
        yield path
    if id(before) not in seen:
        seen.add(id(before))
        for key, old, new in pairs:
            if old is not new:
                yield from _changed(old, new, f"{path}.{key}", seen)
