"""What can go wrong while a job runs, in one tree: `except` can be as wide or narrow as it must.

    GxoError
     ├ UsageError            bad option, missing file, wrong input: exit code 2
     ├ ArtifactError         a damaged artifact, a foreign cache folder: exit code 2
     └ WorkloadError         what makes one workload fail
        ├ ModuleError        a module's own failure
        ├ ParameterError     a parameter that cannot be converted or is out of range
        ├ ExpressionError    a template expression that failed
        ├ SecretError        a secret that is missing, empty or cannot be read
        ├ SecurityError      left the workspace and the like: fatal, never retried, never ignored
        ├ TimeoutExceeded    the workload's `timeout` ran out
        ├ RecordError        a record that could not be processed
        ├ StreamError        a stream that overflowed (`error`) or spilled past its limit
        └ UpstreamFailed     a workload whose records this one reads has failed

A message says what happened and where; a hint says what to do about it. Neither shows a traceback.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class GxoError(Exception):
    """Base of all errors that gxo raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GxoError):
    """The job was called wrongly: a bad option, a missing file, an unknown or mistyped input."""


class ArtifactError(GxoError):
    """The artifact itself cannot be used."""


class WorkloadError(GxoError):
    """Base of what makes one workload fail.

    failures: of `test:assert`, as data, the assertions that do not hold; redacted.
    """

    failures: Sequence[Mapping[str, Any]] = ()


class ModuleError(WorkloadError):
    """A module could not do what it was asked to. The usual error for a module to raise."""


class ParameterError(WorkloadError):
    """A parameter's value has the wrong type or is out of range."""


class ExpressionError(WorkloadError):
    """A template expression failed."""


class SecretError(WorkloadError):
    """A secret is missing, empty, or its provider failed. Names the secret, never shows it."""


class SecurityError(WorkloadError):
    """Something was refused to keep the host safe. Fatal: not retried, not ignorable."""


class TimeoutExceeded(WorkloadError):  # noqa: N818 - what happened, as the language page says it
    """The workload took longer than its `timeout` allows."""


class RecordError(WorkloadError):
    """A record could not be processed, and the workload's policy is to fail."""


class StreamError(WorkloadError):
    """A stream overflowed with the strategy `error`, or spilled past its limit."""


class UpstreamFailed(WorkloadError):  # noqa: N818 - as above
    """A workload whose stream this one reads has failed (language, section 5).

    ignored: whether that failure is, and so this one too.
    """

    def __init__(self, message: str, *, ignored: bool = False) -> None:
        super().__init__(message)
        self.ignored = ignored


class Unknown(BaseException):
    """A dry run has come to a value that it cannot know (see gxo.runtime.dryrun.forecast).

    A signal, not an error, and so not an `Exception`: no `except Exception`, no retry and no policy
    for record errors takes it for a failure. what: the value, as in `stdout of 'disks'`.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
