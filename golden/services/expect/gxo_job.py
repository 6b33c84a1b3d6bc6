"""services, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import (
    Backoff,
    Context,
    EventDriven,
    Input,
    Job,
    Out,
    Record,
    Records,
    Scheduled,
    Steps,
    Supervise,
    expr,
)
from gxo.runtime.functions import strings
from gxo.stdlib.data.filter import Filtered, filter_ as data_filter
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.exec import Executed, exec_
from gxo.stdlib.filesystem.list import Listed, list_ as filesystem_list
from gxo.stdlib.filesystem.read import Content, read as filesystem_read
from gxo.stdlib.stream import Piped, pipeline as stream_pipeline

job = Job(
    "services",
    inputs={"backup_key": Input("string", description="Encrypts the backups.", secret=True)},
    secrets=["backup_key"],
)


# setup: filesystem:read
@job.workload("setup", register="port", allow_paths={"/etc/shop": "ro"})
async def setup(ctx: Context) -> Content:
    return await filesystem_read(ctx, path="/etc/shop/port")


# shop: exec
@job.workload(
    "shop",
    lifecycle=Supervise(restart="on_failure", backoff=Backoff(initial=0.5, max=300.0)),
    after=["setup"],
    allow_paths={"/etc/shop": "ro"},
)
async def shop(ctx: Context, out: Out | None) -> Executed:
    return await exec_(
        ctx,
        out=out,
        command="shop",
        args=["--port", strings.trim(ctx.state["port"]["content"])],
        stdout_to="jsonl",
    )


# heartbeat: exec
@job.workload("heartbeat", lifecycle=Supervise(), after=["setup"], allow_paths={"/etc/shop": "ro"})
async def heartbeat(ctx: Context) -> Executed:
    return await exec_(ctx, command="heartbeat")


# failures: data:filter
@job.workload("failures", records=["shop"], allow_paths={"/etc/shop": "ro"})
async def failures(ctx: Context, records: Records, out: Out | None) -> Filtered:
    return await data_filter(
        ctx, records, out, condition=lambda record: expr.ge(record["status"], 500)
    )


# on-failure: stream:pipeline
on_failure_steps = Steps()


@job.workload(
    "on-failure",
    lifecycle=EventDriven(source="shop", concurrency=4),
    allow_paths={"/etc/shop": "ro"},
)
async def on_failure(ctx: Context, records: Records, out: Out | None) -> Piped:
    return await stream_pipeline(ctx, records, out, steps=on_failure_steps)


# on-failure, step failed: data:filter, in line
@on_failure_steps.inline("failed")
def on_failure_failed(ctx: Context, record: Record) -> list[Record]:
    return [record] if expr.ge(record["status"], 500) else []


# on-failure, step tell: exec
@on_failure_steps.call("tell", needs=["failed"])
async def on_failure_tell(ctx: Context, record: Record) -> Executed:
    return await exec_(
        ctx,
        command="logger",
        args=[f"{expr.text(record['path'])} failed with {expr.text(record['status'])}"],
    )


# backup: exec
@job.workload(
    "backup",
    lifecycle=Scheduled(cron="0 3 * * MON-SAT", timezone="Europe/Berlin", overlap="queue"),
    after=["setup"],
    allow_paths={"/var/backups/shop": "rw", "/var/backups": "ro"},
    secrets=["backup_key"],
)
async def backup(ctx: Context) -> Executed:
    return await exec_(ctx, command="backup-shop", env={"KEY": ctx.inputs["backup_key"]})


# sizes: filesystem:list
@job.workload("sizes", lifecycle=Scheduled(cron="@weekly"), allow_paths={"/var/backups/shop": "ro"})
async def sizes(ctx: Context, out: Out | None) -> Listed:
    return await filesystem_list(ctx, out, path="/var/backups/shop")


# largest: data:format
@job.workload(
    "largest",
    lifecycle=Scheduled(cron="@weekly"),
    records=["sizes"],
    allow_paths={"/etc/shop": "ro"},
)
async def largest(ctx: Context, records: Records) -> Formatted:
    return await data_format(ctx, records, format_="csv", path="sizes.csv")
