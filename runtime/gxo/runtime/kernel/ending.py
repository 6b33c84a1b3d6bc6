"""How a run ends, as far as is known: its status, its first error, its exit code."""

from gxo.runtime.kernel.node import CANCELLED, COMPLETED, FAILED


class Ending:
    """errors: what failed, the first one first, redacted. interrupted: the number of the signal
    that ended the job. timed_out: its `--timeout` ran out. expected: of a test, that it failed is
    what it was to do.
    """

    __slots__ = ("errors", "expected", "interrupted", "timed_out")

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.interrupted = 0
        self.timed_out = False
        self.expected = False

    @property
    def is_cut_short(self) -> bool:
        """Whether nothing but `finally` is to run any more."""
        return bool(self.interrupted) or self.timed_out

    @property
    def error(self) -> str | None:
        """The first failure; None when there was none."""
        return self.errors[0] if self.errors else None

    @property
    def status(self) -> str:
        """`Completed`, `Failed` or `Cancelled`."""
        if self.interrupted:
            return CANCELLED
        return FAILED if self.errors else COMPLETED

    @property
    def exit_code(self) -> int:
        """The process's, by language, section 6."""
        if self.interrupted:
            return 128 + self.interrupted
        if self.timed_out:
            return 124
        return 1 if self.errors and not self.expected else 0
