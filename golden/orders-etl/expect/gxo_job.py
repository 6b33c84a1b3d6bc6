"""orders-etl, compiled by gxo 0.1.0 from orders-etl.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Job, Out, Record, Records, Retry, Stage, Unknown, expr
from gxo.runtime.functions import strings
from gxo.stdlib.data.aggregate import Totals
from gxo.stdlib.data.filter import filtered
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.join import batches as data_join_batches
from gxo.stdlib.data.parse import Parsed, parse as data_parse
from gxo.stdlib.http.request import Response, request as http_request

job = Job(
    "orders-etl",
    inputs={
        "api": Input(
            "string",
            pattern="https?://.+",
            description="Where the API is, such as https://shop.example.com",
        ),
        "page_size": Input("int", default=1000),
    },
    secrets=["API_TOKEN"],
    outputs=["out/*"],
)


# orders: http:request
@job.workload("orders", secrets=["API_TOKEN"])
async def orders(ctx: Context, out: Out | None) -> Response:
    return await http_request(
        ctx,
        out=out,
        url=f"{ctx.inputs['api']}/orders",
        query={"size": ctx.inputs["page_size"]},
        auth={"bearer": ctx.secret("API_TOKEN")},
        pagination={"page_param": "page", "items_field": "orders"},
    )


# customer-list: http:request
@job.workload(
    "customer-list",
    register="customer_list",
    retry=Retry(attempts=4, delay=1.0, backoff=2),
    secrets=["API_TOKEN"],
)
async def customer_list(ctx: Context) -> Response:
    return await http_request(
        ctx,
        url=f"{ctx.inputs['api']}/customers.csv",
        auth={"bearer": ctx.secret("API_TOKEN")},
        success_when=lambda value: value["status_code"] == 200,
    )


# customers: data:parse
@job.workload("customers", after=["customer-list"])
async def customers(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(ctx, out, content=ctx.state["customer_list"]["body"], format_="csv")


# paid, with-month: fused into one loop
@job.pipeline(
    job.member("paid", records=["orders"], summary=filtered),
    job.member("with-month", records=["paid"]),
)
async def paid_to_with_month(paid: Stage, with_month: Stage) -> None:
    async for batch in paid.read():
        passed: list[Record] = []
        for record in paid.each(batch):
            try:
                if not (
                    (
                        value == "paid"
                        if type(value := record["status"]) is str
                        else expr.eq(value, "paid")
                    )
                    and expr.gt(record["amount"], 0)
                ):
                    paid.dropped += 1
                    continue
            except (Exception, Unknown) as error:
                await paid.failed(record, error)
                continue
            try:
                record = {
                    "customer_id": record["customer_id"],
                    "month": strings.substr(0, 7, record["created"]),
                    "amount": record["amount"],
                }
            except (Exception, Unknown) as error:
                await with_month.failed(record, error)
                continue
            passed.append(record)
        await with_month.send(passed)


# with-customer, by-month: fused into one loop
@job.pipeline(
    job.member(
        "with-customer",
        lambda ctx, inputs: data_join_batches(
            ctx,
            inputs,
            join_type="inner",
            on=[
                {"stream": "with-month", "role": "probe", "field": "customer_id"},
                {"stream": "customers", "role": "build", "field": "id"},
            ],
        ),
        inputs=["with-month", "customers"],
    ),
    job.member(
        "by-month",
        lambda ctx, out: Totals(
            ctx,
            out,
            group_by_fields=["name", "month"],
            aggregate_fields=[
                {"name": "orders", "op": "count"},
                {"name": "total", "op": "sum", "source_field": "amount"},
            ],
        ),
        records=["with-customer"],
    ),
)
async def with_customer_to_by_month(with_customer: Stage, by_month: Stage) -> None:
    async for batch in with_customer.read():
        await by_month.add(batch)


# csv: data:format
@job.workload("csv", records=["by-month"])
async def csv(ctx: Context, records: Records) -> Formatted:
    return await data_format(
        ctx,
        records,
        format_="csv",
        format_options={"headers": ["name", "month", "orders", "total"]},
        path="out/monthly.csv",
    )


# json-lines: data:format
@job.workload("json-lines", records=["by-month"])
async def json_lines(ctx: Context, records: Records) -> Formatted:
    return await data_format(ctx, records, format_="jsonl", path="out/monthly.jsonl")
