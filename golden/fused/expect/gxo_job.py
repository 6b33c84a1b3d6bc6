"""fused, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Job, Out, Record, Records, Stage, Unknown, expr
from gxo.runtime.functions import math
from gxo.stdlib.data.aggregate import Totals
from gxo.stdlib.data.collect import Collected, collect as data_collect
from gxo.stdlib.data.filter import filtered
from gxo.stdlib.data.flatten import Flattening
from gxo.stdlib.data.format import Formatted, Formatter, format_ as data_format
from gxo.stdlib.data.generate_from_list import (
    Generated,
    generate_from_list as data_generate_from_list,
)
from gxo.stdlib.data.join import batches as data_join_batches
from gxo.stdlib.data.limit import Limit
from gxo.stdlib.data.parse import batches as data_parse_batches

job = Job("fused", inputs={"least": Input("int", default=10), "top": Input("int", default=3)})


# orders, paid, amount, large, totals: fused into one loop
@job.pipeline(
    job.member(
        "orders",
        lambda ctx: data_parse_batches(
            ctx,
            format_="jsonl",
            content='{"id": 1, "customer": "c1", "status": "paid", "price": 2.5, "count": 4, "tags": ["a", "b"]}\n{"id": 2, "customer": "c2", "status": "open", "price": 1.0, "count": 9, "tags": []}\n{"id": 3, "customer": "c1", "status": "paid", "price": 20, "count": 2, "tags": ["b"]}\n{"id": 4, "customer": "c3", "status": "paid", "price": "?", "count": 1, "tags": ["c"]}\n{"id": 5, "customer": "c3", "status": "paid", "price": 1, "count": 1, "tags": ["a"]}\n',
        ),
        register="orders",
    ),
    job.member("paid", records=["orders"], summary=filtered),
    job.member("amount", records=["paid"], timeout=60.0),
    job.member("large", register="large", records=["amount"], summary=filtered),
    job.member(
        "totals",
        lambda ctx, out: Totals(
            ctx,
            out,
            group_by_fields=["customer"],
            aggregate_fields=[{"name": "total", "op": "sum", "source_field": "amount"}],
        ),
        records=["large"],
    ),
)
async def orders_to_totals(
    orders: Stage, paid: Stage, amount: Stage, large: Stage, totals: Stage
) -> None:
    async for batch in orders.read():
        passed: list[Record] = []
        for record in paid.each(batch):
            try:
                if (
                    value != "paid"
                    if type(value := record["status"]) is str
                    else expr.ne(value, "paid")
                ):
                    paid.dropped += 1
                    continue
            except (Exception, Unknown) as error:
                await paid.failed(record, error)
                continue
            try:
                record["amount"] = expr.times(record["price"], record["count"])
            except (Exception, Unknown) as error:
                await amount.failed(record, error)
                continue
            try:
                if not expr.ge(record["amount"], record.get("least", large.ctx.inputs["least"])):
                    continue
            except (Exception, Unknown) as error:
                await large.failed(record, error)
                continue
            passed.append(record)
        await totals.add(passed)


# broken: data:collect
@job.workload("broken", register="broken", records=["amount.errors"])
async def broken(ctx: Context, records: Records) -> Collected:
    return await data_collect(ctx, records)


# totals: data:aggregate, in orders_to_totals
job.place("totals")


# customers: data:generate_from_list
@job.workload("customers")
async def customers(ctx: Context, out: Out | None) -> Generated:
    return await data_generate_from_list(
        ctx, out, items=[{"customer": "c1", "name": "Ada"}, {"customer": "c3", "name": "Grace"}]
    )


# named, line, letter: fused into one loop
def line_line(record: Record) -> str:
    parts: list[str] = []
    parts.append(
        f"{expr.text(record.get('name') or record.get('customer'))}: {expr.text(record['total'])}"
    )
    parts.extend(["!" for _ in math.until(2)])
    return "".join(parts)


@job.pipeline(
    job.member(
        "named",
        lambda ctx, inputs: data_join_batches(
            ctx,
            inputs,
            join_type="left",
            on=[
                {"stream": "totals", "role": "probe", "field": "customer"},
                {"stream": "customers", "role": "build", "field": "customer"},
            ],
        ),
        inputs=["totals", "customers"],
    ),
    job.member("line", records=["named"]),
    job.member(
        "letter",
        lambda ctx: Formatter(ctx, format_="text"),
        module=data_format,
        register="letter",
        records=["line"],
    ),
)
async def named_to_letter(named: Stage, line: Stage, letter: Stage) -> None:
    async for batch in named.read():
        passed: list[Record] = []
        for record in line.each(batch):
            try:
                record = {"line": line_line(record)}
            except (Exception, Unknown) as error:
                await line.failed(record, error)
                continue
            passed.append(record)
        await letter.add(passed)


# words, split, each, long, first: fused into one loop
@job.pipeline(
    job.member(
        "words",
        lambda ctx: data_parse_batches(ctx, format_="text_lines", content="one two\nthree\n"),
    ),
    job.member("split", records=["words"]),
    job.member("each", lambda ctx: Flattening(ctx, field="word"), records=["split"]),
    job.member("long", records=["each"], summary=filtered),
    job.member("first", lambda ctx: Limit(ctx, count=ctx.inputs["top"]), records=["long"]),
)
async def words_to_first(
    words: Stage, split: Stage, each: Stage, long: Stage, first: Stage
) -> None:
    async for batch in words.read():
        passed: list[Record] = []
        for record in split.each(batch):
            try:
                record = {
                    **{name: value for name, value in record.items() if name not in ("number",)},
                    "word": record["line"].split(" "),
                }
            except (Exception, Unknown) as error:
                await split.failed(record, error)
                continue
            passed.append(record)
        async for batch in each.split(passed):
            passed = []
            for record in long.each(batch):
                try:
                    if not (expr.length(record["word"]) > 2 and record["line"] != "none"):
                        continue
                except (Exception, Unknown) as error:
                    await long.failed(record, error)
                    continue
                passed.append(record)
            await first.send(first.take(passed))
            if first.is_full:
                return


# kept: data:collect
@job.workload("kept", register="kept", records=["first"])
async def kept(ctx: Context, records: Records) -> Collected:
    return await data_collect(ctx, records)


# file: data:format
@job.workload("file", records=["first"])
async def file(ctx: Context, records: Records) -> Formatted:
    return await data_format(ctx, records, format_="jsonl", path="words.jsonl")
