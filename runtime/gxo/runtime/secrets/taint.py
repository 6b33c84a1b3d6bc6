"""Secrets, and what knowing one taints (language, section 8).

One `Secrets` a job, one `Taint` a workload instance:

    secrets = Secrets(parse_provider("env", os.environ), warn=log.warning)
    await secrets.load(["API_TOKEN"])     before the first workload that needs it starts
    taint = secrets.taint()
    taint.secret("API_TOKEN")             the value; from now on the instance is tainted
    taint.redact(summary)                 what enters the state: without what the instance has read
    secrets.redactor.log_text(line)       what leaves the process: without any the job has resolved
"""

import asyncio
import re
from collections.abc import Callable, Iterable

from gxo.runtime.errors import SecretError
from gxo.runtime.secrets.forms import SHORT, encoded
from gxo.runtime.secrets.providers import Lookup
from gxo.runtime.secrets.redact import Redactor

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Secrets:
    """One a job: resolves each secret once, and redacts all of them from what leaves the process.

    redactor: knows every secret that this job has resolved or was given.
    """

    def __init__(self, look_up: Lookup, warn: Callable[[str], None]) -> None:
        """warn is told (once each) of secrets that are too short to be found inside other text."""
        self.redactor = Redactor()
        self._provider = look_up
        self._warn = warn
        self._values: dict[str, str] = {}
        self._loading = asyncio.Lock()
        self._redactors: dict[frozenset[str], Redactor] = {}

    async def load(self, names: Iterable[str]) -> None:
        """Resolve these before a workload starts.

        Raises SecretError that names the first one that is missing or empty.
        """
        async with self._loading:
            for name in names:
                if name not in self._values:
                    self._values[name] = await self._look_up(name)
                    self.add(self._values[name], f"the secret '{name}'")

    def give(self, name: str, value: str) -> None:
        """Take the value of a secret from the caller; the provider is not asked for it any more."""
        self._values[name] = value
        self.add(value, f"the secret '{name}'")

    def add(self, value: str, what: str = "a secret value") -> None:
        """Taint the job with a secret that came another way, such as a result's field.

        what: how a warning calls it.
        """
        self.redactor.add(value)
        if 0 < len(encoded(value)) < SHORT:
            self._warn(f"{what} is shorter than {SHORT} bytes: only found as a whole value or word")

    def taint(self) -> "Taint":
        """A fresh taint, for one workload instance."""
        return Taint(self)

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
        return await self._provider(name)


class Taint:
    """The secrets that one workload instance has read."""

    __slots__ = ("_secrets", "_values")

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._values: frozenset[str] = frozenset()

    def secret(self, name: str) -> str:
        """The value of a loaded secret, which taints the instance from now on. Or SecretError."""
        value = self._secrets.value(name)
        self.add(value)
        return value

    def add(self, value: str) -> None:
        """Taint the instance with a secret that it read from an input, a var or the state.

        The job must know it already (`Secrets.add`).
        """
        self._values |= {value}

    def redact(self, value: object) -> object:
        """What may enter the state: `value` without these secrets; the same object if clean."""
        return self._secrets.redactor_of(self._values).value(value) if self._values else value
