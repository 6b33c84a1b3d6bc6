"""A module that changes something, called in a dry run.

    changes=True         not called: `would call deploy:service with name="shop", replicas=3`
    changes="by_call"    called, and asks `ctx.dry_run`; one that says nothing counts as changing

`module` (gxo.runtime.spec) leads here. Modules that change nothing are called as always.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.context import Context
from gxo.runtime.dryrun.foreseen import Foreseen
from gxo.runtime.errors import ModuleError, Unknown
from gxo.runtime.streams.ports import Inputs, Out, Records

if TYPE_CHECKING:
    from gxo.runtime.dryrun.forecast import Forecast

LONGEST = 60
"""Characters of a parameter that are shown."""


async def foresee(
    name: str,
    function: Callable[..., Awaitable[Any]],
    by_call: bool,
    ctx: Context,
    ports: tuple[Any, ...],
    parameters: Mapping[str, Any],
) -> Any:
    """The summary that the module `name` would return, as far as it is known."""
    forecast = ctx._run.forecast
    assert forecast is not None
    if by_call:
        summary = await _ask(forecast, name, function(ctx, *ports, **parameters), ctx)
    else:
        summary = ctx.would(f"call {name}{_shown(ctx, parameters)}", writes=".")
        await _drain((*ports, *parameters.values()))
    sends = any(isinstance(port, Out) for port in (*ports, *parameters.values()))
    if sends and isinstance(summary, Foreseen):
        forecast.lose_records(ctx)
    return _declared(function, summary)


async def foresee_part(
    function: Callable[..., Awaitable[Any]], ctx: Context, call: Awaitable[Any]
) -> Any:
    """The summary of a module that decides by call, and whose call is a part of a loop.

    function: that of the module. A loop's part sends no records.
    """
    forecast = ctx._run.forecast
    assert forecast is not None
    return _declared(function, await _ask(forecast, vars(function)["__gxo_module__"], call, ctx))


def _declared(function: Callable[..., Awaitable[Any]], summary: Any) -> Any:
    """The summary; as a plain map if everything is known that the module always returns."""
    if isinstance(summary, Foreseen):
        declared = getattr(function.__annotations__.get("return"), "__required_keys__", None)
        if declared is not None and declared <= summary.known.keys():
            return summary.known
    return summary


async def _ask(forecast: "Forecast", name: str, call: Awaitable[Any], ctx: Context) -> Any:
    try:
        summary = await call
    except ModuleError as error:
        if forecast.comes_after_changes(ctx.workload):
            raise Unknown(f"what {name} does then; now, {error.message}") from error
        raise
    if not forecast.has_said(ctx):
        ctx.would(f"have called {name}, which does not say what it changes", writes=".")
    return summary


async def _drain(values: tuple[Any, ...]) -> None:
    """Read what the module would have read, so that its producers go on."""
    for value in values:
        if isinstance(value, Records):
            async for _ in value:
                pass
        elif isinstance(value, Inputs):
            await _drain(tuple(value.values()))


def _shown(ctx: Context, parameters: Mapping[str, Any]) -> str:
    """The parameters that are data, on one line."""
    told = []
    for name, value in parameters.items():
        if not isinstance(value, (Records, Inputs, Out)):
            text = repr(ctx.redact(value))
            text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
            told.append(f"{name}={text}")
    return f" with {', '.join(told)}" if told else ""
