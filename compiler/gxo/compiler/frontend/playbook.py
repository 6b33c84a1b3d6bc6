"""The typed playbook: what an author wrote, checked for form, with the place of every name.

    Playbook
     ├ inputs      InputDecl
     ├ vars        VarDecl
     ├ test        TestDecl (of a test playbook)
     ├ workloads   WorkloadDecl ┬ on_failure  WorkloadDecl (no lifecycle)
     │                          └ steps       WorkloadDecl (those of a `stream:pipeline`)
     └ cleanup     WorkloadDecl (the playbook's `finally`; no lifecycle)

`reader.py` makes it from the tree of `yaml.py`. Durations are seconds here, defaults that the
language page fixes are filled in, and everything that another stage must still look at (templates,
parameters, references) is kept as a node of the tree.
"""

from dataclasses import dataclass
from typing import Literal

from gxo.compiler.diagnostics import Span
from gxo.compiler.frontend.allows import Allow
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar
from gxo.runtime.cron import WORDS


@dataclass(frozen=True, slots=True)
class Name:
    """A word that the author chose or refers to, and where it stands."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class InputDecl:
    """One of `inputs` (language, section 1). Without a default, a caller must give it."""

    name: Name
    type: str
    default: Node | None
    enum: tuple[Node, ...]
    pattern: str | None
    description: str
    secret: bool


@dataclass(frozen=True, slots=True)
class VarDecl:
    """One of `vars`; texts in the value are templates."""

    name: Name
    value: Node


@dataclass(frozen=True, slots=True)
class RunOnce:
    policy: Name


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a restart waits: in seconds, apart from `factor`."""

    initial: float = 1.0
    factor: float = 2.0
    max: float = 60.0
    reset_after: float = 60.0


@dataclass(frozen=True, slots=True)
class Supervise:
    policy: Name
    restart: str = "always"
    backoff: Backoff = Backoff()


@dataclass(frozen=True, slots=True)
class EventDriven:
    """`concurrency` is how many events are worked on at once.

    `source` is None when the playbook does not say it in a readable way, which is reported.
    """

    policy: Name
    source: Name | None
    concurrency: int = 64


@dataclass(frozen=True, slots=True)
class Scheduled:
    """`cron` is an expression that `gxo.runtime.cron` reads; empty as `source` is None.

    `timezone` is a name of the tz database.
    """

    policy: Name
    cron: str
    timezone: str = "UTC"
    overlap: str = "skip"

    @property
    def schedule(self) -> tuple[str, str, str]:
        """What two workloads have in common that run at the same times."""
        return WORDS.get(self.cron, self.cron), self.timezone, self.overlap


Lifecycle = RunOnce | Supervise | EventDriven | Scheduled


@dataclass(frozen=True, slots=True)
class AllowedPath:
    """A path outside the workspace that a workload may use; `access` is `ro` or `rw`."""

    path: Name
    access: str

    @property
    def normal(self) -> str:
        """The path without what does not change where it leads: `//srv/./www/` is `/srv/www`."""
        return "/" + "/".join(part for part in self.path.text.split("/") if part not in ("", "."))


@dataclass(frozen=True, slots=True)
class LoopControl:
    """`parallel` is how many instances run at once; without a `loop_var` the variable is `item`."""

    loop_var: Name | None
    index_var: Name | None
    parallel: int


@dataclass(frozen=True, slots=True)
class RetryDecl:
    """Delays are in seconds; `jitter` is a share from 0 to 1."""

    attempts: int
    delay: float
    max_delay: float | None
    backoff_factor: float
    jitter: float
    on_error: bool


@dataclass(frozen=True, slots=True)
class StatePolicy:
    access_mode: str


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """None means: as the playbook's policy or the language's default says."""

    span: Span
    buffer_size: int | None
    overflow: str | None


@dataclass(frozen=True, slots=True)
class WorkloadDecl:
    """One workload (language, section 2).

    `module.text` is empty when the playbook does not say it in a readable way; that is reported
    already, so later stages leave such a workload's parameters alone. `timeout` is in seconds.
    A step of a `stream:pipeline` is a workload in small: its `id` is the name, `uses` the module,
    `with` the params, and what has a default here it cannot have.
    """

    name: Name
    module: Name
    params: Mapping | None
    span: Span
    needs: tuple[Name, ...]
    when: Scalar | None
    lifecycle: Lifecycle | None = None
    register: Name | None = None
    stream_inputs: tuple[Name, ...] = ()
    loop: Node | None = None
    loop_control: LoopControl | None = None
    retry: RetryDecl | None = None
    timeout: float | None = None
    ignore_errors: bool = False
    on_record_error: Literal["fail", "skip"] | None = None
    on_failure: "tuple[WorkloadDecl, ...]" = ()
    state_policy: StatePolicy | None = None
    channel_policy: ChannelPolicy | None = None
    skip_on_no_input: bool | None = None
    allow_paths: tuple[AllowedPath, ...] | None = None
    steps: "tuple[WorkloadDecl, ...]" = ()

    @property
    def source(self) -> Name | None:
        """The workload whose records are this one's events."""
        return self.lifecycle.source if isinstance(self.lifecycle, EventDriven) else None

    @property
    def reads(self) -> tuple[Name, ...]:
        """The names of the streams that it reads: its `stream_inputs` and its `source`."""
        return (*self.stream_inputs, *((self.source,) if self.source else ()))


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file with a template: its path below the playbook's folder, and as messages show it."""

    name: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class TestDecl:
    """What only a test playbook says (language, section 10).

    network: each `host:port`. commands: names of programs. expect_failed: it passes by failing;
    expect: the key that says so. include: the path of the playbook under test, which a workload of
    its own runs.
    """

    __test__ = False  # pytest: none of its own

    secrets: tuple[tuple[Name, str], ...] = ()
    network: tuple[Name, ...] = ()
    commands: tuple[Name, ...] = ()
    expect_failed: bool = False
    expect: Span | None = None
    include: Name | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    """A whole playbook; `cleanup` is its `finally` list, `text` the file's text.

    test: of a test playbook, also of one without keys of its own.
    """

    name: str
    file: str
    span: Span
    inputs: tuple[InputDecl, ...]
    vars: tuple[VarDecl, ...]
    assets: tuple[Name, ...]
    outputs: tuple[Name, ...]
    workloads: tuple[WorkloadDecl, ...]
    cleanup: tuple[WorkloadDecl, ...]
    state_policy: StatePolicy | None
    channel_policy: ChannelPolicy | None
    skip_on_no_input: bool | None
    allow_paths: tuple[AllowedPath, ...] | None
    text: str
    allows: tuple[Allow, ...] = ()
    templates: tuple[TemplateFile, ...] = ()
    test: TestDecl | None = None
