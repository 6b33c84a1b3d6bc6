"""ssh-guard, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Event, Input, Job, Out, Record, Records, Results, Steps, expr
from gxo.runtime.functions import printing, strings
from gxo.stdlib.control import Asserted, assert_ as control_assert
from gxo.stdlib.data.aggregate import Aggregated, aggregate as data_aggregate
from gxo.stdlib.data.flatten import Flattening
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.generate_from_list import (
    Generated,
    generate_from_list as data_generate_from_list,
)
from gxo.stdlib.exec import Executed, exec_
from gxo.stdlib.stream import Piped, pipeline as stream_pipeline

job = Job(
    "ssh-guard",
    inputs={"least": Input("int", default=3, description="Attempts that are too many.")},
)


# attempts: data:generate_from_list
@job.workload("attempts")
async def attempts(ctx: Context, out: Out | None) -> Generated:
    return await data_generate_from_list(
        ctx,
        out,
        items=[
            {"remote_addr": "10.0.0.1", "user": "root", "keys": ["a", "b"]},
            {"remote_addr": "10.0.0.2", "user": "ann", "keys": ["c"]},
            {"remote_addr": "10.0.0.1", "user": "backup", "keys": []},
            {"remote_addr": "10.0.0.1", "user": "eve", "keys": ["a"]},
        ],
    )


# guard: stream:pipeline
guard_steps = Steps()


@job.workload("guard", register="guarded", records=["attempts"], on_record_error="skip")
async def guard(ctx: Context, records: Records, out: Out | None) -> Piped:
    return await stream_pipeline(ctx, records, out, steps=guard_steps)


# guard, step event: data:map, in line
@guard_steps.inline("event")
def guard_event(ctx: Context, record: Record) -> list[Record]:
    return [{"ip": record["remote_addr"], "at": ctx.now()}]


# guard, step lookup: exec
@guard_steps.call("lookup", needs=["event"], when=lambda event: event["user"] != "backup")
async def guard_lookup(ctx: Context, record: Record, event: Event, steps: Results) -> Executed:
    return await exec_(
        ctx, command="echo", args=[f"{record['ip']} {event['user']} {steps['event']['at']}"]
    )


# guard, step each_key: data:flatten, in line
@guard_steps.kernel("each_key")
def guard_each_key(ctx: Context) -> Flattening:
    return Flattening(ctx, field="keys")


# guard, step seen: data:map, in line
def guard_seen_known(steps: Results) -> str:
    parts: list[str] = []
    if steps.get("lookup"):
        parts.extend([f"{strings.trim(item)};" for item in steps["lookup"]["stdout"].split(" ")])
    return "".join(parts)


@guard_steps.inline("seen", needs=["lookup", "each_key"])
def guard_seen(ctx: Context, record: Record, steps: Results) -> list[Record]:
    return [
        {
            "ip": steps["event"]["ip"],
            "key": steps["each_key"]["keys"],
            "known": guard_seen_known(steps),
        }
    ]


# guard, step note: exec
@guard_steps.call(
    "note",
    needs=["seen"],
    when=lambda record, event: expr.eq(record["key"], "a") and event["user"] != "root",
)
async def guard_note(ctx: Context, event: Event, steps: Results) -> Executed:
    return await exec_(
        ctx,
        command=f"printf '%s\\n' {printing.shellquote(event['user'])} {printing.shellquote(steps['seen']['ip'])} >> seen.txt",
        shell=True,
    )


# guard, step counted: data:aggregate
@guard_steps.join("counted", needs=["seen"])
async def guard_counted(ctx: Context, records: Records, out: Out | None) -> Aggregated:
    return await data_aggregate(
        ctx,
        records,
        out,
        group_by_fields=["ip"],
        aggregate_fields=[{"name": "attempts", "op": "count"}],
    )


# guard, step often: data:filter, in line
@guard_steps.inline("often", needs=["counted"])
def guard_often(ctx: Context, record: Record) -> list[Record]:
    return [record] if record["attempts"] >= ctx.inputs["least"] else []


# guard, step alert: data:map, in line
@guard_steps.inline("alert", needs=["often"])
def guard_alert(ctx: Context, record: Record, steps: Results) -> list[Record]:
    return [{"text": f"{steps['counted']['attempts']} attempts from {record['ip']}"}]


# guard, step alerts: data:format
@guard_steps.join("alerts", needs=["alert"])
async def guard_alerts(ctx: Context, records: Records) -> Formatted:
    return await data_format(
        ctx,
        records,
        format_="text",
        path="alerts.txt",
        format_options={"template": lambda record: f"ALERT: {record['text']}"},
    )


# written: exec
@job.workload("written", register="written", after=["guard"])
async def written(ctx: Context) -> Executed:
    return await exec_(
        ctx,
        command="cat",
        args=["alerts.txt", "seen.txt"],
        env={"EVENTS": str(ctx.state["guarded"]["records_processed"])},
    )


# check: control:assert
@job.workload("check", after=["written"])
async def check(ctx: Context) -> Asserted:
    return await control_assert(
        ctx,
        condition=ctx.state["written"]["stdout"]
        == "ALERT: 3 attempts from 10.0.0.1\neve\n10.0.0.1\n",
    )
