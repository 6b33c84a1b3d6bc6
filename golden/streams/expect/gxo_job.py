"""streams, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import (
    Channel,
    Context,
    Input,
    Job,
    Loop,
    Out,
    Record,
    Records,
    Stage,
    Unknown,
    expr,
)
from gxo.runtime.functions import json, strings
from gxo.stdlib.control import Synchronized, barrier as control_barrier
from gxo.stdlib.data.filter import Filtered, filter_ as data_filter
from gxo.stdlib.data.format import Formatted, Formatter, format_ as data_format
from gxo.stdlib.data.generate_from_list import (
    Generated,
    batches as data_generate_from_list_batches,
    generate_from_list as data_generate_from_list,
)
from gxo.stdlib.data.join import batches as data_join_batches
from gxo.stdlib.data.map import Mapped, map_ as data_map

job = Job("streams", inputs={"least": Input("int", default=2)})


# numbers: data:generate_from_list
@job.workload("numbers", channel=Channel(50, "block"))
async def numbers(ctx: Context, out: Out | None) -> Generated:
    return await data_generate_from_list(
        ctx, out, items=[{"id": 1, "text": "1"}, {"id": 2, "text": "two"}, {"id": 3, "text": "3"}]
    )


# colours: data:generate_from_list
@job.workload("colours", loop=Loop(["red", "green"]), channel=Channel(50, "block"))
async def colours(ctx: Context, out: Out | None, colour: Any, number: int) -> Generated:
    return await data_generate_from_list(
        ctx, out, items=[{"id": expr.wrap(number + 2), "colour": colour}]
    )


# big: data:filter
@job.workload("big", records=["numbers"], channel=Channel(50, "block"))
async def big(ctx: Context, records: Records, out: Out | None) -> Filtered:
    return await data_filter(
        ctx, records, out, condition=lambda record: record["id"] >= ctx.inputs["least"]
    )


# parsed: data:map
@job.workload("parsed", records=["numbers"], channel=Channel(50, "block"))
async def parsed(ctx: Context, records: Records, out: Out | None) -> Mapped:
    return await data_map(
        ctx,
        records,
        out,
        fields={
            "id": lambda record: record["id"],
            "value": lambda record: json.must_from_json(record["text"]),
        },
    )


# broken: data:format
@job.workload("broken", register="broken", records=["parsed.errors"], channel=Channel(50, "block"))
async def broken(ctx: Context, records: Records) -> Formatted:
    return await data_format(ctx, records, format_="jsonl")


# joined, page: fused into one loop
@job.pipeline(
    job.member(
        "joined",
        lambda ctx, inputs: data_join_batches(
            ctx,
            inputs,
            join_type="left",
            on=[
                {"stream": "big", "role": "probe", "field": "id"},
                {"stream": "colours", "role": "build", "template": lambda record: record["id"]},
            ],
        ),
        inputs=["big", "colours"],
        channel=Channel(50, "block"),
    ),
    job.member("page", records=["joined"], channel=Channel(50, "block")),
)
async def joined_to_page(joined: Stage, page: Stage) -> None:
    async for batch in joined.read():
        passed: list[Record] = []
        for record in page.each(batch):
            try:
                record = {
                    "label": f"{expr.text(record['id'])} is {record.get('colour') or 'grey'}",
                    "id": record["id"],
                    "more": [record["text"], True],
                }
            except (Exception, Unknown) as error:
                await page.failed(record, error)
                continue
            passed.append(record)
        await page.send(passed)


# done: control:barrier
@job.workload(
    "done", records=["page", "parsed"], channel=Channel(50, "block"), skip_on_no_input=True
)
async def done(ctx: Context, records: Records) -> Synchronized:
    return await control_barrier(ctx, records)


# endings, told: fused into one loop
@job.cleanup_pipeline(
    job.member(
        "endings",
        lambda ctx: data_generate_from_list_batches(
            ctx, items=[{"name": "joined", "status": ctx.workloads["joined"].status}]
        ),
        channel=Channel(50, "block"),
    ),
    job.member(
        "told",
        lambda ctx: Formatter(
            ctx,
            format_="text",
            format_options={
                "template": lambda record: f"{record['name']}: {strings.lower(record['status'])}"
            },
        ),
        module=data_format,
        register="told",
        records=["endings"],
        channel=Channel(50, "block"),
    ),
)
async def endings_to_told(endings: Stage, told: Stage) -> None:
    async for batch in endings.read():
        await told.add(batch)
