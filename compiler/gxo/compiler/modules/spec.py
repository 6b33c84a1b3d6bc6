"""What the compiler knows about a module: the value that a declaration in the library is read into.

    before:  @module("filesystem:read")
             async def read(ctx: Context, *, path: WorkspacePath) -> Content: ...
    after:   ModuleSpec("filesystem:read", function="read", source="gxo.stdlib.filesystem",
                        params=(path: WorkspacePath), summary=Shape("Content", ...))

Checks, documentation, schema and link list are all made from this one value; nothing declares a
module a second time. `declare.py` makes it, `index.py` finds it by name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gxo.compiler.diagnostics import Span
from gxo.compiler.types import NIL, MapOf, OneOf, Shape, Type

EffectKind = Literal[
    "reads",
    "writes",
    "runs",
    "runs_remotely",
    "connects",
    "listens",
    "looks_up",
    "queries",
    "stores",
    "transfers",
]
OWN, USERS, RUNTIME = "gxo.stdlib", "modules", "gxo.runtime"
"""The packages of gxo's own modules, of a user's own, and of what takes a module's place."""
RECORDS, RECORD_VALUES = "records", "record values"
"""What `returns` and `sends` may name besides parameters."""
Port = Literal["records", "inputs", "out"]
AT = re.compile(r"(?P<scheme>[^:]+)://(?P<host>[^:]+)(?::(?P<port>.+))?")
"""The form of an `Effect.at`."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a module touches outside the process: files, commands, hosts or ports, as in `param`.

    param: a parameter, or a key of one: `files.path`, of each map if it is a list of them.
    unless: conditions under which it does not; only: those under all of which it does. One is a
    parameter that is given, or a value: `network == 'unix'`.
    at: the address that is connected to, with parameters: `ssh://{host}:{port}`.
    args: the parameter that has the arguments of a command.
    """

    kind: EffectKind
    param: str
    unless: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    at: str = ""
    args: str = ""

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters, or keys of them, that it is about."""
        conditions = (one.partition(" == ")[0] for one in (*self.unless, *self.only))
        named = (self.param, *conditions, *re.findall(r"\{([\w.]+)", self.at))
        return tuple(one for one in (*named, self.args) if one)


@dataclass(frozen=True, slots=True)
class Need:
    """A distribution that is linked with a module: always, or where `param` can be `value`.

    param: a parameter, or a key of one (`profile.driver`). value: with a `*` at its end, what the
    parameter begins with.
    version: the one that a user's module declares; "" for the one that gxo pins.
    """

    name: str
    param: str = ""
    value: str = ""
    version: str = ""
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        pinned = f"{self.name} {self.version}" if self.version else self.name
        return f"{pinned} ({self.param}: {self.value})" if self.param else pinned


@dataclass(frozen=True, slots=True)
class Options:
    """Which keys of the map `param` apply, by the value of the parameter `choice`."""

    param: str
    choice: str
    keys: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Docstring:
    """A module's docstring in its sections; the lines of `Args:` are in `ParamSpec.doc`.

    `example` is the text of one workload as YAML, without the section's indentation.
    """

    summary: str
    text: str = ""
    returns: str = ""
    raises: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter.

    `name` is the playbook's, `python` the keyword in generated code (`format` is `format_` there).
    A parameter that is not required is left out of the call when the playbook does not give it;
    `default` (None, text, number, bool, tuple or dict) is for documentation and schema.
    """

    name: str
    python: str
    type: Type
    required: bool
    default: object
    doc: str
    span: Span

    @property
    def nullable(self) -> bool:
        """Whether `null` may be written for it, which then means the same as leaving it out."""
        return isinstance(self.type, OneOf) and NIL in self.type.options


@dataclass(frozen=True, slots=True)
class Kernel:
    """A record module's part of a fused loop.

    name: what its file has for it; "" for what the compiler writes into the loop. takes: the ports
    that it is given. summary: the function that makes the summary; "" for the usual one. fresh:
    whether its records are new, so that the loop may change them.
    """

    kind: Literal["head", "inline", "tail"]
    name: str
    takes: tuple[Port, ...]
    summary: str
    fresh: bool

    @property
    def is_code(self) -> bool:
        """Whether it is code of the loop, rather than something that takes batches."""
        return self.kind == "inline" and not self.name


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """One module of a library.

    source: import name of its Python file; function: its name there; span: where that name stands.
    values: type of free parameters (`**values: T`); None when unknown parameters are errors.
    summary: a Shape with the implied optional `dry_run`, or a MapOf when its keys are not declared.
    summary_name: what Python calls it; "" for a map whose keys are not declared.
    summary_source: import name of the file that generated code takes it from.
    returns_values: the summary is the map of the given free parameters (`-> dict[str, T]`), so that
    its shape is theirs.
    ports: in the signature's order, after `ctx`. A port in `optional_ports` has a default:
    generated code passes it by name when the workload has the stream and leaves it out otherwise;
    any other port is passed in place.
    reads_when: giving this parameter needs `stream_inputs`. emits_when: there is an output stream
    only when it is given. native: distributions that are linked with it with `--native`.
    one_of: parameters of which exactly one is given. at_most_one: parameters, or keys of one, of
    which no two go together. requires: those that one needs beside it.
    per_record: each record that it sends comes of the one that it read last (see `ir/steps.py`).
    background: it says when it is ready, and runs until the job has no more use for it.
    pauses: it waits for somebody outside: only the daemon can run it.
    handle: the field of the summary that names what ends with the process.
    returns, sends, keeps, drops: what summary and records hold, and kernel: what can be a part of a
    loop that it shares with others (`gxo.runtime.spec.module`).
    compared: the parameters that mocks expect which are called in its place (`mocked.py`), if any.
    """

    name: str
    function: str
    source: str
    params: tuple[ParamSpec, ...]
    values: Type | None
    summary: Shape | MapOf
    summary_name: str
    summary_source: str
    returns_values: bool
    ports: tuple[Port, ...]
    optional_ports: frozenset[Port]
    emits_when: str | None
    reads_when: str | None
    lifecycles: tuple[str, ...]
    changes: bool | Literal["by_call"]
    effects: tuple[Effect, ...]
    environment: tuple[str, ...]
    idempotent: bool
    needs: tuple[Need, ...]
    native: tuple[str, ...]
    one_of: tuple[str, ...]
    at_most_one: tuple[tuple[str, ...], ...]
    requires: tuple[tuple[str, tuple[str, ...]], ...]
    options: Options | None
    retry_after_records: bool
    per_record: bool
    background: bool
    pauses: bool
    handle: str | None
    returns: tuple[tuple[str, tuple[str, ...]], ...]
    sends: tuple[str, ...]
    keeps: str | None
    drops: str | None
    kernel: Kernel | None
    doc: Docstring
    span: Span
    compared: frozenset[str] | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is gxo's own, which is tested to change nothing that others see."""
        return self.source.startswith((f"{OWN}.", f"{RUNTIME}."))

    @property
    def is_mocked(self) -> bool:
        """Whether a mock is called in its place."""
        return self.compared is not None

    @property
    def is_users(self) -> bool:
        """Whether it is a user's own, which is embedded, and checked where gxo's own is tested."""
        return self.source.startswith(f"{USERS}.")

    @property
    def records(self) -> bool:
        """Whether it has the merged input port."""
        return "records" in self.ports

    @property
    def inputs(self) -> bool:
        """Whether it has one input port a producer."""
        return "inputs" in self.ports

    @property
    def out(self) -> bool:
        """Whether it has an output port (see `emits_when`)."""
        return "out" in self.ports

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The fields of its summary that are secrets, in the declared order."""
        if isinstance(self.summary, MapOf):
            return ()
        return tuple(name for name, _ in self.summary.fields if name in self.summary.secret)

    @property
    def policies(self) -> tuple[str, ...]:
        """The lifecycles of its workloads. A schedule only says when a module runs once."""
        if "run_once" not in self.lifecycles or "scheduled" in self.lifecycles:
            return self.lifecycles
        return (*self.lifecycles, "scheduled")

    @property
    def namespace(self) -> str:
        """`filesystem` of `filesystem:read`, `exec` of `exec`."""
        return self.name.partition(":")[0]

    def param(self, name: str) -> ParamSpec | None:
        """The parameter that the playbook calls `name`."""
        return next((param for param in self.params if param.name == name), None)

    def param_names(self) -> tuple[str, ...]:
        return tuple(param.name for param in self.params)
