"""The steps of a `stream:pipeline` as generated code declares them (language, section 7).

    greet_steps = Steps()

    @greet_steps.inline("upper")
    def greet_upper(ctx, record): return [{"name": strings.upper(record["name"])}]

    @greet_steps.kernel("first")
    def greet_first(ctx): return Limit(ctx, count=10)

    @greet_steps.transform("each")
    async def greet_each(ctx, records, out): return await data_flatten(ctx, records, out, ...)

    @greet_steps.call("say", needs=["upper"], when=lambda record: record["age"] > 17)
    async def greet_say(ctx, record, steps): return await exec_(ctx, command="echo", ...)

Each step stands behind those that it needs. What its function and its `when` want is told by the
names of their parameters: `record` is what the step works on, `event` the event behind it, `steps`
the results of earlier steps by id. pipeline.py runs them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.job import Function
    from gxo.runtime.streams.kernels import Limiter, Splitter
    from gxo.runtime.streams.ports import Out, Records

F = TypeVar("F", bound=Callable[..., Any])
A = TypeVar("A", bound="Function")
K = TypeVar("K", bound="Callable[[Context], Limiter | Splitter]")
When = Callable[..., Any]
Kind = Literal["call", "inline", "kernel", "transform", "join"]

Event = Mapping[str, Any]
"""The fields of the event that a step works on."""

Results = Mapping[str, Any]
"""What earlier steps made of the event, by id."""

GIVEN = ("record", "event", "steps")
"""What a step's function can ask for besides its ports, in the order in which it does."""

EVENTS = ""
"""The origin of the steps that work on the pipeline's own events."""


class Step:
    """One step.

    origin: whose records its events are: `EVENTS`, or the join that it stands behind; of a join,
    those of what it reads first. parameters, asked: the names that the function and the `when`
    want.
    """

    __slots__ = ("asked", "function", "kind", "name", "needs", "origin", "parameters", "when")

    def __init__(
        self,
        name: str,
        kind: Kind,
        function: Callable[..., Any],
        needs: tuple[str, ...],
        origin: str,
        when: When | None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.function = function
        self.needs = needs
        self.origin = origin
        self.when = when
        self.parameters = _names(function)[1:]
        self.asked = _names(when) if when is not None else ()


class Steps:
    """The steps of one pipeline, each after those that it needs.

    in_batches: none of them waits for anything, so that what comes of many events is sent together.
    """

    def __init__(self, *, in_batches: bool = False) -> None:
        self._steps: dict[str, Step] = {}
        self._in_batches = in_batches

    def call(
        self, name: str, *, needs: Iterable[str] = (), when: When | None = None
    ) -> Callable[[A], A]:
        """Register a function that is called for each record, and whose result the step emits."""
        return self._step(name, "call", tuple(needs), when)

    def inline(
        self, name: str, *, needs: Iterable[str] = (), when: When | None = None
    ) -> Callable[[F], F]:
        """Register a function that is called for each record, and makes those that the step emits.

        It is what a transform's module would do, without a stream to the module and back.
        """
        return self._step(name, "inline", tuple(needs), when)

    def kernel(
        self, name: str, *, needs: Iterable[str] = (), when: When | None = None
    ) -> Callable[[K], K]:
        """Register a function that is called once, and gives what takes each record in place of the
        step's module, as it would the batches of a fused loop.
        """
        return self._step(name, "kernel", tuple(needs), when)

    def transform(
        self, name: str, *, needs: Iterable[str] = (), when: When | None = None
    ) -> Callable[[A], A]:
        """Register a function that is called once, and sends records for each one that it reads."""
        return self._step(name, "transform", tuple(needs), when)

    def join(
        self, name: str, *, needs: Iterable[str] = (), when: When | None = None
    ) -> Callable[[A], A]:
        """Register a function that is called once, and whose records are events of their own."""
        return self._step(name, "join", tuple(needs), when)

    async def run(self, ctx: "Context", records: "Records", out: "Out | None") -> int:
        """Work on every event; returns how many there were.

        What the last steps emit, those that no other needs, goes to `out`.
        """
        from gxo.runtime.pipelines.pipeline import work  # start-up: only when a pipeline runs

        return await work(ctx.watched(self._steps), ctx, records, out, in_batches=self._in_batches)

    def _step(
        self, name: str, kind: Kind, needs: tuple[str, ...], when: When | None
    ) -> Callable[[F], F]:
        origin = EVENTS
        if needs:
            first = self._steps[needs[0]]
            origin = first.name if first.kind == "join" else first.origin

        def register(function: F) -> F:
            self._steps[name] = Step(name, kind, function, needs, origin, when)
            return function

        return register


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return names
