"""What a compiled playbook says about itself: a `Job`, and one function a workload.

Generated code, and a job written by hand in a test, read the same:

    job = Job("greet", inputs={"who": Input("string", default="you")})

    # hello: exec
    @job.workload("hello", register="hello", retry=Retry(attempts=3, delay=1.0))
    async def hello(ctx: Context) -> Executed:
        return await exec_(ctx, command="echo", args=[ctx.inputs["who"]])

Registration only remembers; nothing is computed until the job runs.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from gxo.runtime.errors import UsageError

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.lifecycles import Lifecycle
    from gxo.runtime.streams.pipes import Channel
    from gxo.runtime.testing import Test

Items = list[Any] | dict[str, Any] | Callable[["Context"], Any]
Function = Callable[..., Awaitable[Any]]
F = TypeVar("F", bound=Function)

REQUIRED: Any = object()
"""The default of an input that a caller must give."""

PORTS = ("records", "inputs", "out")
"""Parameter names that the scheduler fills with streams; what follows them is the loop's."""


class Input:
    """A value that a caller may or must give (language, section 1).

    type: `string`, `int`, `float`, `bool`, `list` or `map`. Without a default it is required.
    pattern: a regular expression that the whole of a text must match.
    """

    __slots__ = ("default", "description", "enum", "pattern", "secret", "type")

    def __init__(
        self,
        type: str = "string",  # noqa: A002 - the playbook's own word
        *,
        default: Any = REQUIRED,
        enum: list[Any] | None = None,
        pattern: str | None = None,
        description: str = "",
        secret: bool = False,
    ) -> None:
        self.type = type
        self.default = default
        self.enum = enum
        self.pattern = pattern
        self.description = description
        self.secret = secret


class Retry:
    """How often and when a failed workload is tried again (language, section 6); times in seconds.

    after_records: the module can go on after it has sent or read records, and may be retried.
    """

    __slots__ = ("after_records", "attempts", "backoff", "delay", "jitter", "max_delay")

    def __init__(
        self,
        attempts: int = 1,
        delay: float = 1.0,
        max_delay: float | None = None,
        backoff: float = 1.0,
        jitter: float = 0.0,
        after_records: bool = False,
    ) -> None:
        self.attempts = attempts
        self.delay = delay
        self.max_delay = max_delay
        self.backoff = backoff
        self.jitter = jitter
        self.after_records = after_records


class Loop:
    """What a workload is repeated over: a list, a map, or a function that gives one."""

    __slots__ = ("items", "parallel")

    def __init__(self, items: Items, parallel: int = 1) -> None:
        self.items = items
        self.parallel = parallel


class Workload:
    """One workload as the compiler decided it. The keywords of `Job.workload` are its fields.

    lifecycle: None for one that runs once. background: its module, or one that it reads from, runs
    until the job needs it no more. pauses: it waits for somebody outside. spills: those of `inputs`
    that workloads could wait for in a circle, so that what is read later may wait in a file.
    allow_paths: absolute path to `ro` or `rw`.
    """

    __slots__ = (
        "after",
        "allow_paths",
        "background",
        "channel",
        "function",
        "ignore_errors",
        "inputs",
        "lifecycle",
        "loop",
        "name",
        "observes",
        "on_failure",
        "on_record_error",
        "parameters",
        "pauses",
        "ports",
        "records",
        "register",
        "retry",
        "secrets",
        "skip_on_no_input",
        "spills",
        "timeout",
        "when",
    )

    def __init__(
        self,
        name: str,
        *,
        lifecycle: "Lifecycle | None" = None,
        register: str | None = None,
        after: Iterable[str] = (),
        observes: Iterable[str] = (),
        when: Callable[["Context"], Any] | None = None,
        loop: Loop | None = None,
        retry: Retry | None = None,
        timeout: float | None = None,
        ignore_errors: bool = False,
        background: bool = False,
        pauses: bool = False,
        secrets: Iterable[str] = (),
        records: Iterable[str] = (),
        inputs: Iterable[str] = (),
        spills: Iterable[str] = (),
        channel: "Channel | None" = None,
        skip_on_no_input: bool = False,
        on_record_error: Literal["fail", "skip"] | None = None,
        allow_paths: Mapping[str, Literal["ro", "rw"]] | None = None,
    ) -> None:
        self.name = name
        self.lifecycle = lifecycle
        self.register = register
        self.after = after
        self.observes = observes
        self.when = when
        self.loop = loop
        self.retry = retry
        self.timeout = timeout
        self.ignore_errors = ignore_errors
        self.background = background
        self.pauses = pauses
        self.secrets = secrets
        self.records = records
        self.inputs = inputs
        self.spills = spills
        self.channel = channel
        self.skip_on_no_input = skip_on_no_input
        self.on_record_error = on_record_error
        self.allow_paths = allow_paths
        self.on_failure: list[Workload] = []

    @property
    def stream_inputs(self) -> tuple[str, ...]:
        """The names it reads streams of, in the order it declares them."""
        return (*self.records, *self.inputs) if self.records or self.inputs else ()

    def bind(self, function: Function) -> str:
        """Remember the function, its ports, and how many parameters the loop fills.

        Returns the file that its code comes from.
        """
        self.function = function
        code = function.__code__
        names = code.co_varnames[1 : code.co_argcount]
        self.ports = tuple(name for name in names if name in PORTS)
        self.parameters = len(names) - len(self.ports)
        file: str = code.co_filename
        return file

    def join(self, loop: Function, members: "tuple[Member, ...]", place: int) -> None:
        """Take part in a loop, at that place of its members, in place of calling a function."""

        async def take_part(ctx: "Context", port: Any, out: Any) -> Any:
            from gxo.runtime.streams import fused  # start-up: only where streams are fused

            return await fused.take_part(ctx, loop, members, place, port, out)

        self.function = take_part
        self.ports = ("records", "out")
        self.parameters = 0


class Member:
    """A workload whose part is done by a loop that it shares with others (see `streams.fused`).

    begin: a function of the context, and of the ports that it names, that is called when the
    workload's module would be: it gives the head's batches, or what the loop gives batches to. None
    for one that is code of the loop. summary: a function that makes its summary of how many records
    it has received, could not process, and has sent; by default `{"records": <sent>}`. module: the
    function of a module that changes something, which a dry run asks (gxo.runtime.dryrun.calls).
    """

    __slots__ = ("begin", "module", "ports", "summary", "workload")

    def __init__(
        self,
        workload: Workload,
        begin: Callable[..., Any] | None,
        summary: Callable[[int, int, int], Any] | None,
        module: Function | None,
    ) -> None:
        self.workload = workload
        self.begin = begin
        self.summary = summary
        self.module = module
        self.ports: tuple[str, ...] = ()
        if begin is not None:
            code = begin.__code__
            self.ports = code.co_varnames[1 : code.co_argcount]


class Job:
    """A compiled playbook. files: those of its code, as tracebacks name them.

    vars: values, or functions of the context that are evaluated when the job starts.
    secrets: every secret that the playbook names. assets and outputs: workspace paths or globs.
    test: what a test playbook says besides; None for any other.
    """

    def __init__(
        self,
        name: str,
        *,
        inputs: Mapping[str, Input] | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - the playbook's own word
        secrets: Iterable[str] = (),
        assets: Iterable[str] = (),
        outputs: Iterable[str] = (),
        test: "Test | None" = None,
    ) -> None:
        self.name = name
        self.inputs = inputs or {}
        self.vars = vars or {}
        self.secrets = secrets
        self.assets = assets
        self.outputs = outputs
        self.test = test
        self.files = {var.__code__.co_filename for var in self.vars.values() if callable(var)}
        self.workloads: dict[str, Workload] = {}
        self.cleanups: list[Workload] = []

    def workload(self, name: str, **keywords: Any) -> Callable[[F], F]:
        """Register a function as the workload `name`, with the keywords of `Workload`.

        Its parameters after the context are filled by name with the streams `records`, `inputs` and
        `out`; the next one is the loop's item, the one after it the item's index.
        """
        workload = self.workloads[name] = Workload(name, **keywords)
        return self._binding(workload)

    def member(
        self,
        name: str,
        begin: Callable[..., Any] | None = None,
        *,
        summary: Callable[[int, int, int], Any] | None = None,
        module: Function | None = None,
        **keywords: Any,
    ) -> Member:
        """The workload `name` as a member of a `pipeline`, with the keywords of `Workload`."""
        return Member(Workload(name, **keywords), begin, summary, module)

    def pipeline(self, *members: Member) -> Callable[[F], F]:
        """Register a loop that does the part of several workloads, each of which reads the stream
        of the one before it. It is called with a `Stage` for each of them.
        """
        self.workloads |= {member.workload.name: member.workload for member in members}
        return self._joining(members)

    def place(self, name: str) -> None:
        """The playbook has the workload `name` here, which a loop has registered before."""
        if name in self.workloads:
            self.workloads[name] = self.workloads.pop(name)
            return
        for block in (self.cleanups, *(one.on_failure for one in self.workloads.values())):
            block.sort(key=lambda one: one.name == name)  # it becomes the last one

    def on_failure(self, of: str, name: str, **keywords: Any) -> Callable[[F], F]:
        """Register a function of the block that runs when the workload `of` has failed."""
        workload = Workload(name, **keywords)
        self.workloads[of].on_failure.append(workload)
        return self._binding(workload)

    def cleanup(self, name: str, **keywords: Any) -> Callable[[F], F]:
        """Register a function of the playbook's `finally`, which runs in every ending."""
        workload = Workload(name, **keywords)
        self.cleanups.append(workload)
        return self._binding(workload)

    def on_failure_pipeline(self, of: str, *members: Member) -> Callable[[F], F]:
        """Register a loop of the block that runs when the workload `of` has failed."""
        self.workloads[of].on_failure.extend(member.workload for member in members)
        return self._joining(members)

    def cleanup_pipeline(self, *members: Member) -> Callable[[F], F]:
        """Register a loop of the playbook's `finally`."""
        self.cleanups.extend(member.workload for member in members)
        return self._joining(members)

    def check_runs_here(self) -> None:
        """UsageError when workloads have a lifecycle or wait as only the daemon lets them.

        In a test each runs once.
        """
        if self.test is not None:
            return
        hosted = [
            f"'{one.name}' is {one.lifecycle.policy}"
            if one.lifecycle is not None
            else f"'{one.name}' waits for a signal"
            for one in self.workloads.values()
            if one.lifecycle is not None or one.pauses
        ]
        if hosted:
            words = ", ".join(hosted[:3])
            more = f", and {len(hosted) - 3} more" if len(hosted) > 3 else ""
            raise UsageError(
                f"only `gxo daemon` can run {self.name}, whose workloads do not all run once, from"
                f" start to end: {words}{more}",
                hint="--describe prints every workload's lifecycle",
            )

    def _joining(self, members: tuple[Member, ...]) -> Callable[[F], F]:
        def bind(function: F) -> F:
            for place, member in enumerate(members):
                member.workload.join(function, members, place)
            self.files.add(function.__code__.co_filename)
            return function

        return bind

    def _binding(self, workload: Workload) -> Callable[[F], F]:
        def bind(function: F) -> F:
            self.files.add(workload.bind(function))
            return function

        return bind
