"""mocked, compiled by gxo 0.1.0 from mocked.test.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Input, Job, Loop, Out, Record, Records, Retry, Steps, expr
from gxo.runtime.functions import printing
from gxo.runtime.testing import Test
from gxo.runtime.testing.modules import mocked
from gxo.stdlib.data.filter import Filtered, filter_ as data_filter
from gxo.stdlib.stream import Piped, pipeline as stream_pipeline
from gxo.stdlib.test.assert_ import Passed, assert_ as test_assert
from gxo.stdlib.test.mock_module import Mocking, mock_module as test_mock_module

job = Job("mocked", inputs={"shop": Input("string", default="https://shop.test")}, test=Test())


# busy: test:mock_module
@job.workload("busy", background=True)
async def busy(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx, module="http:request", params={"method": "GET"}, error="HTTP 503", times=2
    )


# orders: test:mock_module
@job.workload("orders", background=True)
async def orders(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx,
        module="http:request",
        params={"url": f"{ctx.inputs['shop']}/orders", "headers": {"accept": "application/json"}},
        summary={"status_code": 200, "json_body": [{"id": 1}, {"id": 2}]},
        times=1,
    )


# disk: test:mock_module
@job.workload("disk", background=True)
async def disk(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx, module="filesystem:list", records=[{"path": "a.csv", "size": 10}]
    )


# cleanup: test:mock_module
@job.workload("cleanup", background=True)
async def cleanup(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx, module="exec", params={"shell": True}, summary={"exit_code": 0}
    )


# uptime: test:mock_module
@job.workload("uptime", background=True)
async def uptime(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx, module="exec", params={"command": "ssh"}, summary={"stdout": "up"}, times=2
    )


# key: test:mock_module
@job.workload("key", background=True)
async def key(ctx: Context) -> Mocking:
    return await test_mock_module(
        ctx, module="crypto:generate_key", summary={"private_key": "not a real one"}
    )


# fetch: http:request, mocked
@job.workload(
    "fetch",
    register="fetched",
    after=["busy", "orders", "disk", "cleanup", "uptime", "key"],
    retry=Retry(attempts=3, delay=60.0),
)
async def fetch(ctx: Context) -> dict[str, Any]:
    return await mocked(
        ctx,
        "http:request",
        {
            "url": f"{ctx.inputs['shop']}/orders",
            "headers": {"accept": "application/json", "x-id": "7"},
            "timeout": 5.0,
            "method": "GET",
        },
    )


# files: filesystem:list, mocked
@job.workload("files", after=["fetch"])
async def files(ctx: Context, out: Out | None) -> dict[str, Any]:
    return await mocked(ctx, "filesystem:list", {"path": "data", "recursive": True}, out=out)


# large: data:filter
@job.workload(
    "large", after=["busy", "orders", "disk", "cleanup", "uptime", "key"], records=["files"]
)
async def large(ctx: Context, records: Records, out: Out | None) -> Filtered:
    return await data_filter(ctx, records, out, condition=lambda record: expr.gt(record["size"], 5))


# each: stream:pipeline
each_steps = Steps()


@job.workload(
    "each", after=["busy", "orders", "disk", "cleanup", "uptime", "key"], records=["large"]
)
async def each(ctx: Context, records: Records, out: Out | None) -> Piped:
    return await stream_pipeline(ctx, records, out, steps=each_steps)


# each, step remove: exec, mocked
@each_steps.call("remove")
async def each_remove(ctx: Context, record: Record) -> dict[str, Any]:
    return await mocked(
        ctx, "exec", {"command": f"rm -f {printing.shellquote(record['path'])}", "shell": True}
    )


# hosts: exec, mocked, a call for each item
@job.workload("hosts", after=["each"], loop=Loop(["web-1", "web-2"]))
async def hosts(ctx: Context, item: Any, index: int) -> dict[str, Any]:
    match index:
        case 0:
            return await mocked(
                ctx, "exec", {"command": "ssh", "args": ["web-1", "uptime"], "shell": None}
            )
        case _:
            return await mocked(
                ctx, "exec", {"command": "ssh", "args": ["web-2", "uptime"], "shell": None}
            )


# tell: exec, mocked
@job.on_failure("hosts", "tell")
async def tell(ctx: Context) -> dict[str, Any]:
    return await mocked(ctx, "exec", {"command": "logger", "shell": None})


# make-key: crypto:generate_key, mocked
@job.workload("make-key", register="made", after=["each"])
async def make_key(ctx: Context) -> dict[str, Any]:
    return ctx.with_secrets(
        await mocked(ctx, "crypto:generate_key", {"type": "ed25519"}), "private_key"
    )


# check: test:assert
@job.workload("check", after=["fetch", "make-key"])
async def check(ctx: Context) -> Passed:
    return await test_assert(
        ctx,
        assertions=[
            {"actual": expr.length(ctx.state["fetched"]["json_body"]), "equal_to": 2},
            {"actual": ctx.state["made"]["private_key"].startswith("not"), "is_true": True},
        ],
    )
