"""catalogue, compiled by gxo 0.1.0 from catalogue.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Job, Out, Records, copies_of, expr
from gxo.stdlib.data.format import Formatted, format_ as data_format
from gxo.stdlib.data.parse import Parsed, parse as data_parse
from modules.shop import Robots, Slugged, robots as shop_robots, slug as shop_slug

job = Job("catalogue", assets=["products.csv"], outputs=["out/pages.csv", "out/robots.txt"])


# products: data:parse
@job.workload("products")
async def products(ctx: Context, out: Out | None) -> Parsed:
    return await data_parse(ctx, out, format_="csv", path="products.csv")


# pages: shop:slug
@job.workload("pages", register="pages", records=["products"])
async def pages(ctx: Context, records: Records, out: Out | None) -> Slugged:
    return await shop_slug(
        ctx,
        copies_of(records),
        out,
        text=lambda record: expr.text(record["title"]),
        field="page",
        most=40,
    )


# table: data:format
@job.workload("table", records=["pages"])
async def table(ctx: Context, records: Records) -> Formatted:
    return await data_format(ctx, records, format_="csv", path="out/pages.csv")


# robots: shop:robots
@job.workload("robots", after=["pages"])
async def robots(ctx: Context) -> Robots:
    return await shop_robots(
        ctx,
        path="out/robots.txt",
        hide=["/cart", "/drafts"],
        comment=f"{ctx.state['pages']['records']} pages, {ctx.state['pages']['renamed']} of them numbered",
    )
