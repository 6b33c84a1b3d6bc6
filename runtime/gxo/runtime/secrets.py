"""Secrets: where they come from, and what knowing one taints (language, section 8)."""

from collections.abc import Callable, Iterable, Mapping

from gxo.runtime.redact import Redactor

Provider = Callable[[str], str]


def provider(option: str, environment: Mapping[str, str]) -> Provider:
    """The lookup for `--secrets`: `env`, `dir:PATH` or `exec:CMD`. UsageError for anything else.

    The lookup takes a name and returns the value; it may block, and raises SecretError.
    """
    raise NotImplementedError


class Secrets:
    """One a job: resolves each secret once, and redacts all of them from what leaves the process."""

    redactor: Redactor

    def __init__(self, lookup: Provider, warn: Callable[[str], None]) -> None:
        """warn is told (once each) of secrets that are too short to be found inside other text."""
        raise NotImplementedError

    async def load(self, names: Iterable[str]) -> None:
        """Resolve these before a workload starts; blocking lookups run in a thread.

        Raises SecretError that names the first one that is missing or empty.
        """
        raise NotImplementedError

    def add(self, value: str) -> None:
        """Taint the job with a secret that came another way: an input, a result's field."""
        raise NotImplementedError

    def taint(self, parents: "Iterable[Taint]" = ()) -> "Taint":
        """The taint of one workload instance; parents: those of its stream ancestors."""
        raise NotImplementedError


class Taint:
    """The secrets that one workload instance, or a stream ancestor of it, has read."""

    def secret(self, name: str) -> str:
        """The value of a loaded secret, which taints the instance from now on. Or SecretError."""
        raise NotImplementedError

    def add(self, value: str) -> None:
        """Taint the instance with a secret value that it read from an input, var or state."""
        raise NotImplementedError

    def redact(self, value: object) -> object:
        """What may enter the state: `value` without these secrets; the same object if clean."""
        raise NotImplementedError
