"""host-report, compiled by gxo 0.1.0 from host-report.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Inputs, Job, Out, Records
from gxo.runtime.functions import math, printing, regex, strings
from gxo.stdlib.data.aggregate import Aggregated, aggregate as data_aggregate
from gxo.stdlib.data.filter import Filtered, filter_ as data_filter
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.join import Joined, join as data_join
from gxo.stdlib.data.map import Mapped, map_ as data_map
from gxo.stdlib.data.parse import Parsed, parse as data_parse
from gxo.stdlib.exec import Executed, exec_
from gxo.stdlib.filesystem.write import Written, write as filesystem_write

job = Job(
    "host-report",
    inputs={
        "min_used": Input(
            "int",
            default=1,
            description="Leave out filesystems that are less full than this, in per cent.",
        )
    },
    assets=["owners.csv"],
    outputs=["out/filesystems.csv", "out/report.txt"],
)


# kernel: exec
@job.workload("kernel", register="kernel")
async def kernel(ctx: Context) -> Executed:
    return await exec_(ctx, command="uname", args=["-srm"])


# disks: exec
@job.workload("disks", register="disks")
async def disks(ctx: Context) -> Executed:
    return await exec_(ctx, command="df -P | tail -n +2", shell=True)


# processes: exec
@job.workload("processes", register="process_table")
async def processes(ctx: Context) -> Executed:
    return await exec_(ctx, command="ps", args=["-eo", "user:32=,rss=,comm="])


# filesystems: data:parse
@job.workload("filesystems", after=["disks"], on_record_error="skip")
async def filesystems(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(
        ctx,
        out,
        content=ctx.state["disks"]["stdout"],
        format_="regex",
        format_options={
            "pattern": r"^(?P<device>\S+) +(?P<blocks>\d+) +(?P<used>\d+) +(?P<free>\d+) +(?P<percent>\d+)% +(?P<mount>.+)$"
        },
    )


# owners: data:parse
@job.workload("owners")
async def owners(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(ctx, out, path="owners.csv", format_="csv")


# in-use: data:filter
@job.workload("in-use", records=["filesystems"])
async def in_use(ctx: Context, records: Records, out: Out | None) -> Filtered:
    return await data_filter(
        ctx,
        records,
        out,
        condition=lambda record: math.int_(record["percent"]) >= ctx.inputs["min_used"],
    )


# sized: data:map
@job.workload("sized", records=["in-use"])
async def sized(ctx: Context, records: Records, out: Out | None) -> Mapped:
    return await data_map(
        ctx,
        records,
        out,
        fields={
            "mount": lambda record: record["mount"],
            "used_mib": lambda record: math.div(math.int_(record["used"]), 1024),
            "free_mib": lambda record: math.div(math.int_(record["free"]), 1024),
            "percent": lambda record: math.int_(record["percent"]),
        },
    )


# owned: data:join
@job.workload("owned", inputs=["sized", "owners"])
async def owned(ctx: Context, inputs: Inputs, out: Out | None) -> Joined:
    return await data_join(
        ctx,
        inputs,
        out,
        join_type="left",
        on=[
            {"stream": "sized", "role": "probe", "field": "mount"},
            {"stream": "owners", "role": "build", "field": "mount"},
        ],
    )


# table: data:format
@job.workload("table", records=["owned"])
async def table(ctx: Context, records: Records) -> Formatted:
    return await data_format(
        ctx,
        records,
        format_="csv",
        format_options={"headers": ["mount", "used_mib", "free_mib", "percent", "owner"]},
        path="out/filesystems.csv",
    )


# disk-lines: data:format
@job.workload("disk-lines", register="disk_lines", records=["owned"])
async def disk_lines(ctx: Context, records: Records) -> Formatted:
    return await data_format(
        ctx,
        records,
        format_="text",
        format_options={
            "template": lambda record: printing.printf(
                "%-24s %9d MiB used %9d MiB free  %3d%%  %s",
                record["mount"],
                record["used_mib"],
                record["free_mib"],
                record["percent"],
                record.get("owner") or "no owner",
            )
        },
    )


# process-lines: data:parse
@job.workload("process-lines", after=["processes"])
async def process_lines(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(
        ctx, out, content=ctx.state["process_table"]["stdout"], format_="text_lines"
    )


# process-fields: data:map
@job.workload("process-fields", records=["process-lines"])
async def process_fields(ctx: Context, records: Records, out: Out | None) -> Mapped:
    return await data_map(
        ctx,
        records,
        out,
        fields={
            "user": lambda record: regex.regex_find(r"^\S+", record["line"]),
            "rss_kib": lambda record: math.int_(
                regex.regex_find("[0-9]+", regex.regex_find(" +[0-9]+ ", record["line"]))
            ),
        },
    )


# by-user: data:aggregate
@job.workload("by-user", records=["process-fields"])
async def by_user(ctx: Context, records: Records, out: Out | None) -> Aggregated:
    return await data_aggregate(
        ctx,
        records,
        out,
        group_by_fields=["user"],
        aggregate_fields=[
            {"name": "processes", "op": "count"},
            {"name": "rss_kib", "op": "sum", "source_field": "rss_kib"},
        ],
    )


# user-lines: data:format
@job.workload("user-lines", register="user_lines", records=["by-user"])
async def user_lines(ctx: Context, records: Records) -> Formatted:
    return await data_format(
        ctx,
        records,
        format_="text",
        format_options={
            "template": lambda record: f"{record['user']:24} {record['processes']:5d} processes {math.div(record['rss_kib'], 1024):9d} MiB resident"
        },
    )


# report: filesystem:write
@job.workload("report", after=["disk-lines", "kernel", "user-lines"])
async def report(ctx: Context) -> Written:
    return await filesystem_write(
        ctx,
        path="out/report.txt",
        content=(
            f"{strings.trim(ctx.state['kernel']['stdout'])}\n"
            "\n"
            f"Filesystems ({ctx.state['disk_lines']['records']})\n"
            f"{ctx.state['disk_lines']['formatted_content']}\n"
            f"Memory by user ({ctx.state['user_lines']['records']})\n"
            f"{ctx.state['user_lines']['formatted_content']}"
        ),
    )
