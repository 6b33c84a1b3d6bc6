"""Secrets, and what knowing one taints (language, section 8).

secrets = Secrets(parse_provider("env", os.environ), warn=log.warning)    one a job
await secrets.load(["API_TOKEN"])            before the first workload that needs it starts
taint = secrets.taint(parents)               one a workload instance; its stream ancestors'
taint.secret("API_TOKEN")                    the value; from now on the instance is tainted
taint.redact(summary)                        what enters the state: with the instance's taints
secrets.redactor.log_text(line)              what leaves the process: with all of the job's
"""

import asyncio
import re
from collections.abc import Callable, Iterable

from gxo.runtime.errors import SecretError
from gxo.runtime.providers import Provider
from gxo.runtime.redact import Redactor

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
SHORT = 6  # bytes


class Secrets:
    """One a job: resolves each secret once, and redacts all of them from what leaves the process.

    redactor: knows every secret that this job has resolved or was given.
    """

    def __init__(self, provider: Provider, warn: Callable[[str], None]) -> None:
        """warn is told (once each) of secrets that are too short to be found inside other text."""
        self.redactor = Redactor()
        self._provider = provider
        self._warn = warn
        self._values: dict[str, str] = {}
        self._loading = asyncio.Lock()
        self._redactors: dict[frozenset[str], Redactor] = {}

    async def load(self, names: Iterable[str]) -> None:
        """Resolve these before a workload starts; blocking lookups run in a thread.

        Raises SecretError that names the first one that is missing or empty.
        """
        async with self._loading:
            for name in names:
                if name not in self._values:
                    self._values[name] = await self._look_up(name)
                    self.add(self._values[name], f"the secret '{name}'")

    def add(self, value: str, what: str = "a secret value") -> None:
        """Taint the job with a secret that came another way: an input, a result's field.

        what: how a warning calls it.
        """
        self.redactor.add(value)
        if 0 < len(value.encode("utf-8", "surrogateescape")) < SHORT:
            self._warn(f"{what} is shorter than {SHORT} bytes: only found as a whole value or word")

    def taint(self, parents: "Iterable[Taint]" = ()) -> "Taint":
        """The taint of one workload instance; parents: those of the producers it reads from."""
        return Taint(self, parents)

    def value(self, name: str) -> str:
        """The value of a loaded secret, or SecretError. Taints nothing: see `Taint.secret`."""
        try:
            return self._values[name]
        except KeyError:
            message = f"the secret '{name}' was not declared by the workload that reads it"
            raise SecretError(message) from None

    def redactor_of(self, values: frozenset[str]) -> Redactor:
        """A redactor for some of the secrets; made once for each set."""
        redactor = self._redactors.get(values)
        if redactor is None:
            redactor = self._redactors[values] = Redactor(values)
        return redactor

    async def _look_up(self, name: str) -> str:
        if NAME.fullmatch(name) is None:
            message = f"'{name}' cannot be the name of a secret"
            raise SecretError(message, hint="letters, digits and _, not beginning with a digit")
        if self._provider.blocks:
            return await asyncio.to_thread(self._provider.lookup, name)
        return self._provider.lookup(name)


class Taint:
    """The secrets that one workload instance, or a stream ancestor of it, has read."""

    __slots__ = ("_parents", "_secrets", "_values")

    def __init__(self, secrets: Secrets, parents: Iterable["Taint"]) -> None:
        self._secrets = secrets
        self._parents = tuple(parents)
        self._values: set[str] = set()

    def secret(self, name: str) -> str:
        """The value of a loaded secret, which taints the instance from now on. Or SecretError."""
        value = self._secrets.value(name)
        self._values.add(value)
        return value

    def add(self, value: str) -> None:
        """Taint the instance with a secret that it read from an input, a var or the state.

        The job must know it already (`Secrets.add`).
        """
        self._values.add(value)

    def values(self) -> frozenset[str]:
        """The secrets of this instance and, as of now, of its stream ancestors."""
        found: set[str] = set()
        seen: set[int] = set()
        todo = [self]
        while todo:
            taint = todo.pop()
            if id(taint) not in seen:
                seen.add(id(taint))
                found |= taint._values
                todo += taint._parents
        return frozenset(found)

    def redact(self, value: object) -> object:
        """What may enter the state: `value` without these secrets; the same object if clean."""
        values = self.values()
        return self._secrets.redactor_of(values).value(value) if values else value
