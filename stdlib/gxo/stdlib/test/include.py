"""The module `test:include`: the playbook under test, run inside the test."""

from collections.abc import Mapping
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import module


class Included(TypedDict):
    """How the playbook ended. error: of a run that failed. workloads: name to how it ended."""

    status: str
    error: str | None
    exit_code: int
    workloads: dict[str, Any]


@module("test:include", returns={})
async def include(
    ctx: Context,
    *,
    playbook: str,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the playbook's own word
) -> Included:
    """Run the playbook that a test playbook's key `include` names, with what the test gives it.

    It is not written as a workload's module: the key `include` makes the workload `included` of it,
    and the keys `vars` and `secrets` are what the playbook gets.

    It runs in the test's workspace, against its mocks, and under its clock. Its `finally` runs in
    every ending, also when the test is stopped. Its outputs stay in the workspace. That it fails
    does not make the test fail: how it ended is for the test's assertions.

    Args:
        playbook: Its path, from the folder of the test.
        vars: Values of its inputs and vars, by name.

    Returns:
        `status` is `Completed`, `Failed` or `Cancelled`, `error` the first failure, `exit_code`
        what the process of its artifact would end with. `workloads` has for each of its workloads,
        those of its blocks too, `status`, `reason`, `error`, `attempts`, `iterations`,
        `records_in`, `records_out` and, when it has registered one, `summary`. Secrets are
        redacted.

    Raises:
        UsageError: a value is not one that the playbook takes.

    Example:
        name: included
        register: included
        process:
          module: test:include
          params:
            playbook: ../deploy.gxo.yaml
            vars: {version: "1.2"}
    """
    from gxo.runtime.testing.included import run_included  # not for who only reads the declaration

    ended = await run_included(ctx, playbook, vars or {})
    return Included(
        status=ended.status,
        error=ended.error,
        exit_code=ended.exit_code,
        workloads=ended.workloads,
    )
