"""host-report, compiled by gxo 0.1.0 from host-report.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Inputs, Job, Out, Record, Records, Stage, Unknown
from gxo.runtime.functions import math, printing, regex, strings
from gxo.stdlib.data.aggregate import Totals
from gxo.stdlib.data.filter import filtered
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.join import Joined, join as data_join
from gxo.stdlib.data.parse import Parsed, batches as data_parse_batches, parse as data_parse
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


# filesystems, in-use, sized: fused into one loop
@job.pipeline(
    job.member(
        "filesystems",
        lambda ctx: data_parse_batches(
            ctx,
            content=ctx.state["disks"]["stdout"],
            format_="regex",
            format_options={
                "pattern": r"^(?P<device>\S+) +(?P<blocks>\d+) +(?P<used>\d+) +(?P<free>\d+) +(?P<percent>\d+)% +(?P<mount>.+)$"
            },
        ),
        after=["disks"],
        on_record_error="skip",
    ),
    job.member("in-use", records=["filesystems"], summary=filtered),
    job.member("sized", records=["in-use"]),
)
async def filesystems_to_sized(filesystems: Stage, in_use: Stage, sized: Stage) -> None:
    async for batch in filesystems.read():
        passed: list[Record] = []
        for record in in_use.each(batch):
            try:
                if not (percent := math.int_(record["percent"])) >= in_use.ctx.inputs["min_used"]:
                    in_use.dropped += 1
                    continue
            except (Exception, Unknown) as error:
                await in_use.failed(record, error)
                continue
            try:
                record = {
                    "mount": record["mount"],
                    "used_mib": math.div(math.int_(record["used"]), 1024),
                    "free_mib": math.div(math.int_(record["free"]), 1024),
                    "percent": percent,
                }
            except (Exception, Unknown) as error:
                await sized.failed(record, error)
                continue
            passed.append(record)
        await sized.send(passed)


# owners: data:parse
@job.workload("owners")
async def owners(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(ctx, out, path="owners.csv", format_="csv")


# in-use: data:filter, in filesystems_to_sized
job.place("in-use")


# sized: data:map, in filesystems_to_sized
job.place("sized")


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


# process-lines, process-fields, by-user: fused into one loop
@job.pipeline(
    job.member(
        "process-lines",
        lambda ctx: data_parse_batches(
            ctx, content=ctx.state["process_table"]["stdout"], format_="text_lines"
        ),
        after=["processes"],
    ),
    job.member("process-fields", records=["process-lines"]),
    job.member(
        "by-user",
        lambda ctx, out: Totals(
            ctx,
            out,
            group_by_fields=["user"],
            aggregate_fields=[
                {"name": "processes", "op": "count"},
                {"name": "rss_kib", "op": "sum", "source_field": "rss_kib"},
            ],
        ),
        records=["process-fields"],
    ),
)
async def process_lines_to_by_user(
    process_lines: Stage, process_fields: Stage, by_user: Stage
) -> None:
    async for batch in process_lines.read():
        passed: list[Record] = []
        for record in process_fields.each(batch):
            try:
                record = {
                    "user": regex.regex_find(r"^\S+", record["line"]),
                    "rss_kib": math.int_(
                        regex.regex_find("[0-9]+", regex.regex_find(" +[0-9]+ ", record["line"]))
                    ),
                }
            except (Exception, Unknown) as error:
                await process_fields.failed(record, error)
                continue
            passed.append(record)
        await by_user.add(passed)


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
