"""Take secrets out of what leaves the process or enters the state (language, section 8)."""

from collections.abc import Iterable

REDACTED = "[REDACTED_SECRET]"


class Redactor:
    """Finds a set of secret values, in all the forms they take, in texts, bytes and nested data."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """values: the secrets. More may be added later."""
        raise NotImplementedError

    def add(self, value: str) -> None:
        """Redact `value` from now on."""
        raise NotImplementedError

    def text(self, text: str) -> str:
        """The text without the secrets."""
        raise NotImplementedError

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets (as UTF-8)."""
        raise NotImplementedError

    def value(self, value: object) -> object:
        """Nested lists, dicts (keys too), tuples, sets, texts and numbers without the secrets.

        Returns the object itself when nothing in it had to be redacted; never changes it in place.
        """
        raise NotImplementedError

    def log_text(self, text: str) -> str:
        """As `text`, and also what follows keys such as `password=` (for logs and errors)."""
        raise NotImplementedError

    def log_value(self, value: object) -> object:
        """As `value`, and also what stands under keys such as `password` (for logs and errors)."""
        raise NotImplementedError
