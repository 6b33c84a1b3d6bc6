"""orders-etl, compiled by gxo 0.1.0 from orders-etl.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Inputs, Job, Out, Records, Retry, expr
from gxo.runtime.functions import strings
from gxo.stdlib.data.aggregate import Aggregated, aggregate as data_aggregate
from gxo.stdlib.data.filter import Filtered, filter_ as data_filter
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.join import Joined, join as data_join
from gxo.stdlib.data.map import Mapped, map_ as data_map
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
    retry=Retry(attempts=3, delay=0.2, backoff=2),
    secrets=["API_TOKEN"],
)
async def customer_list(ctx: Context) -> Response:
    return await http_request(
        ctx, url=f"{ctx.inputs['api']}/customers.csv", auth={"bearer": ctx.secret("API_TOKEN")}
    )


# customers: data:parse
@job.workload("customers", after=["customer-list"])
async def customers(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(ctx, out, content=ctx.state["customer_list"]["body"], format_="csv")


# paid: data:filter
@job.workload("paid", records=["orders"])
async def paid(ctx: Context, records: Records, out: Out | None) -> Filtered:
    return await data_filter(
        ctx,
        records,
        out,
        condition=lambda record: expr.eq(record["status"], "paid") and expr.gt(record["amount"], 0),
    )


# with-month: data:map
@job.workload("with-month", records=["paid"])
async def with_month(ctx: Context, records: Records, out: Out | None) -> Mapped:
    return await data_map(
        ctx,
        records,
        out,
        fields={
            "customer_id": lambda record: record["customer_id"],
            "month": lambda record: strings.substr(0, 7, record["created"]),
            "amount": lambda record: record["amount"],
        },
    )


# with-customer: data:join
@job.workload("with-customer", inputs=["with-month", "customers"])
async def with_customer(ctx: Context, inputs: Inputs, out: Out | None) -> Joined:
    return await data_join(
        ctx,
        inputs,
        out,
        join_type="inner",
        on=[
            {"stream": "with-month", "role": "probe", "field": "customer_id"},
            {"stream": "customers", "role": "build", "field": "id"},
        ],
    )


# by-month: data:aggregate
@job.workload("by-month", records=["with-customer"])
async def by_month(ctx: Context, records: Records, out: Out | None) -> Aggregated:
    return await data_aggregate(
        ctx,
        records,
        out,
        group_by_fields=["name", "month"],
        aggregate_fields=[
            {"name": "orders", "op": "count"},
            {"name": "total", "op": "sum", "source_field": "amount"},
        ],
    )


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
