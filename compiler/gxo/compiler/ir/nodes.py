"""The plan: what a playbook means, as frozen values that passes turn into better ones.

    Plan
     ├ vars       VarDef: a name and a Value
     ├ workloads  Workload: a typed call of a module, its policies and its edges; the steps of a
     │            `stream:pipeline` are workloads inside it
     ├ cleanup    Workload: the playbook's `finally`
     └ fused      FusedLoop: workloads that share one loop

Values of parameters are trees of `Constant`, `Computed` (a template), `Items` and `Fields`;
`ForEach` makes a value a function of the record, or of a value of the module's own; `Copy` marks
where a reader gets a copy of state instead of the state itself.
"""

from dataclasses import dataclass, field
from typing import Literal

from gxo.compiler.diagnostics import Span
from gxo.compiler.frontend.allows import Allow
from gxo.compiler.frontend.playbook import TemplateFile, WorkloadDecl
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.template.ast import Expr, Template
from gxo.compiler.template.resolve import References
from gxo.compiler.types import ANY, Type

Want = Literal["text", "native", "condition"]
"""How a template's result is used: rendered, as the pipeline's own value, or as true or false."""


NO_REFERENCES = References()
"""What a template reads before `resolve_names` has looked."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is known when compiling: text, number, bool, or nil."""

    value: str | int | float | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Computed:
    """A template: how its result is used, the type it is converted to, and what it reads."""

    template: Template | Expr
    want: Want
    type: Type
    references: References
    span: Span


@dataclass(frozen=True, slots=True)
class ForEach:
    """A function of the record that yields the value.

    stream: the one whose records these are, where the map that it stands in names one of several.
    dot: the type of what the module evaluates it with, where that is no record (`On[R, T]`).
    """

    value: "Value"
    span: Span
    stream: str | None = None
    dot: Type | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A deep copy of what the value reads from the state, so that its user may change it."""

    value: Computed
    span: Span


@dataclass(frozen=True, slots=True)
class Items:
    values: "tuple[Value, ...]"
    span: Span


@dataclass(frozen=True, slots=True)
class Fields:
    entries: "tuple[tuple[str, Value], ...]"
    span: Span


Value = Constant | Computed | Copy | ForEach | Items | Fields


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter of a module's call; `name` is the playbook's word for it."""

    name: str
    value: Value
    type: Type = ANY


@dataclass(frozen=True, slots=True)
class InputDef:
    """What a caller may or, without a default, must give."""

    name: str
    type: str
    default: Value | None
    enum: tuple[Value, ...]
    pattern: str | None
    description: str
    secret: bool
    span: Span


@dataclass(frozen=True, slots=True)
class VarDef:
    name: str
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class TestDef:
    """What a test playbook says of the run as a whole: see `frontend.playbook.TestDecl`."""

    __test__ = False  # pytest: none of its own

    secrets: tuple[tuple[str, str], ...]
    network: tuple[str, ...]
    commands: tuple[str, ...]
    expect_failed: bool


@dataclass(frozen=True, slots=True)
class StateEdge:
    """The workload waits for `source` to be Completed or Skipped; with `observes`, for any end."""

    source: str
    span: Span
    why: Literal["needs", "register", "status", "mock"]

    @property
    def observes(self) -> bool:
        return self.why == "status"


@dataclass(frozen=True, slots=True)
class StreamEdge:
    """Records flow from `source` (with `errors`: the records it could not process).

    events: it is the `source` of an event-driven workload, and none of its `stream_inputs`.
    spills: its reader may leave it alone while it waits for another input, or the other way round,
    and workloads could wait for each other in a circle (`stalls.py`), so its records must have a
    place to wait that has room for all of them.
    """

    source: str
    span: Span
    errors: bool = False
    events: bool = False
    spills: bool = False

    @property
    def name(self) -> str:
        """How the playbook writes it."""
        return f"{self.source}.errors" if self.errors else self.source


@dataclass(frozen=True, slots=True)
class Loop:
    items: Value
    variable: str
    index: str | None
    parallel: int


@dataclass(frozen=True, slots=True)
class Retry:
    """Delays are in seconds."""

    attempts: int
    delay: float
    max_delay: float | None
    backoff: float
    jitter: float


@dataclass(frozen=True, slots=True)
class Channel:
    """buffer_size: records that may wait; None where neither the playbook nor a pass says."""

    buffer_size: int | None
    overflow: str


@dataclass(frozen=True, slots=True)
class AllowedPath:
    """An absolute path outside the workspace that may be used; `access` is `ro` or `rw`."""

    path: str
    access: str


@dataclass(frozen=True, slots=True)
class Policies:
    """What applies to a workload after the playbook's defaults and its own settings are merged."""

    state_copies: bool = True
    channel: Channel = Channel(None, "block")
    skip_on_no_input: bool = False
    allow_paths: tuple[AllowedPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload: `decl` is what the author wrote, the rest is what the passes made of it.

    `steps` are those of a `stream:pipeline`; their `state_edges` lead to the steps that they need.
    `background`: its module, or one whose records it reads, runs until the job needs it no more.
    `is_dead`: nothing can make it run, so that its module is never called.
    `is_inline`: it is a step whose code stands in place of a call of its module.
    `in_batches`: it is a pipeline that sends what comes of many events together.
    `calls`: the arguments of each instance of its loop, where they are known one by one.
    """

    name: str
    span: Span
    decl: WorkloadDecl
    module: ModuleSpec | None = None
    arguments: tuple[Argument, ...] = ()
    register: str | None = None
    when: Constant | Computed | None = None
    loop: Loop | None = None
    retry: Retry | None = None
    timeout: float | None = None
    ignore_errors: bool = False
    on_record_error: Literal["fail", "skip"] | None = None
    policies: Policies = Policies()
    state_edges: tuple[StateEdge, ...] = ()
    stream_edges: tuple[StreamEdge, ...] = ()
    background: bool = False
    is_dead: bool = False
    is_inline: bool = False
    in_batches: bool = False
    calls: tuple[tuple[Argument, ...], ...] = ()
    secrets: tuple[str, ...] = ()
    on_failure: "tuple[Workload, ...]" = ()
    steps: "tuple[Workload, ...]" = ()

    @property
    def emits(self) -> bool:
        """Whether it has an output stream, as far as its module is known."""
        if self.module is None or not self.module.out:
            return self.module is None
        switch = self.module.emits_when
        return switch is None or any(argument.name == switch for argument in self.arguments)

    @property
    def is_understood(self) -> bool:
        """Whether each of its parameters became an argument; one that did not was reported."""
        params = self.decl.params
        return params is None or len(params.entries) <= len(self.arguments)

    @property
    def sources(self) -> tuple[str, ...]:
        """The workloads that it waits for or reads, as often as it does."""
        state = (edge.source for edge in self.state_edges)
        return (*state, *(edge.source for edge in self.stream_edges))


@dataclass(frozen=True, slots=True)
class FusedLoop:
    """Workloads whose records one loop takes through all of them; each reads the one before it."""

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    file: str
    inputs: tuple[InputDef, ...] = ()
    vars: tuple[VarDef, ...] = ()
    assets: tuple[str, ...] = ()
    templates: tuple[TemplateFile, ...] = ()
    outputs: tuple[str, ...] = ()
    workloads: tuple[Workload, ...] = ()
    cleanup: tuple[Workload, ...] = ()
    fused: tuple[FusedLoop, ...] = ()
    secrets: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    policies: Policies = field(default_factory=Policies)
    allows: tuple[Allow, ...] = ()
    test: TestDef | None = None
