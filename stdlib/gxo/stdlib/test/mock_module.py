"""The module `test:mock_module`: what a test has in place of a module."""

from collections.abc import Sequence
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Duration, Record, module
from gxo.runtime.testing.modules import Mock, serve


class Mocking(TypedDict):
    """module: the one that is replaced."""

    module: str


@module("test:mock_module", idempotent=True, background=True, returns={"module": ["module"]})
async def mock_module(
    ctx: Context,
    *,
    module: str,
    params: dict[str, Any] | None = None,
    summary: dict[str, Any] | None = None,
    records: Sequence[Record] | None = None,
    error: str | None = None,
    delay: Duration = 0,
    times: int | None = None,
) -> Mocking:
    """Replace a module by what it shall answer, in the test and in the playbook that it includes.

    The module itself is not called, and not linked. What it is called with is checked against its
    declaration as without a mock, and so is what the mock expects and answers: the parameters, the
    fields of the summary and their types, and whether it sends records at all.

    A call is answered by the first mock of its module, in the order of the playbook, that expects
    such parameters and has not answered as often as `times` says; so two failures and then a
    success are two mocks. Every attempt, every instance of a loop and every event of a pipeline is
    a call. One that no mock is for fails, and so does then the first mock of the module; a mock
    that answered fewer times than it shall fails at its end. Neither `ignore_errors` nor `expect:
    Failed` makes up for that. A mock answers in a dry run too: it changes nothing.

    A mock of a module that reads records reads them all and drops them before it answers. One that
    only fails does so at once, so that its call can be tried again. As a step of a pipeline, which
    is called once for all events, it sends its records for the first one.

    Args:
        module: the name of the one to replace, which is no template. Neither one of `test:*` nor
            `stream:pipeline`, whose steps' modules are replaced instead
        params: what a call must have for this mock to answer it; by default any call. A map, at
            any depth, may have more keys; values are equal as for `equal_to` of test:assert. A
            parameter that the call leaves out has its default. One that the module evaluates
            itself, such as a condition on each record, cannot be compared
        summary: what the call returns. A field that is left out is missing: reading it is an error
        records: what the call sends before it returns or fails
        error: the call fails with this text
        delay: how long each call takes before anything else comes of it. It is virtual time: no
            test takes so long
        times: how many calls it answers; by default any number. 0 is for a call that must not come

    Returns:
        `module`, the one that is replaced.

    Raises:
        ModuleError: the module was called as no mock expects, or fewer times than it should be.
        ParameterError: `times` or `delay` below 0.

    Example:
        name: orders
        process:
          module: test:mock_module
          params:
            module: http:request
            params: {url: "https://shop.example/orders"}
            summary: {status_code: 200, body: "[]"}
    """
    if times is not None and times < 0:
        raise ParameterError(f"`times` is {times}: it is at least 0")
    if delay < 0:
        raise ParameterError(f"`delay` is {delay}: it is at least 0")
    mock = Mock(
        ctx,
        module,
        params=params or {},
        summary=summary or {},
        records=records or [],
        error=error,
        delay=delay,
        times=times,
    )
    await serve(mock)
