"""site-deploy, compiled by gxo 0.1.0 from site-deploy.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Input, Job, Loop, Records, expr
from gxo.stdlib.control import (
    Asserted,
    Synchronized,
    assert_ as control_assert,
    barrier as control_barrier,
)
from gxo.stdlib.exec import Executed, exec_
from gxo.stdlib.filesystem.read import Content, read as filesystem_read
from gxo.stdlib.filesystem.write import Written, write as filesystem_write

job = Job(
    "site-deploy",
    inputs={
        "version": Input("string", pattern=r"[0-9]+\.[0-9]+"),
        "minify": Input("bool", default=False),
    },
    vars={
        "title": lambda ctx: f"Example site {ctx.inputs['version']}",
        "hosts": [
            {"name": "web-1", "port": 8080, "aliases": ["www.example.com", "example.com"]},
            {"name": "web-2", "port": 8081, "aliases": []},
            {"name": "web-3", "port": 8082, "aliases": ["test.example.com"]},
        ],
    },
    assets=["site/*.html", "site/*.css", "site/*.js"],
    outputs=["dist/*", "dist/hosts/*"],
)


# styles: exec
@job.workload("styles")
async def styles(ctx: Context) -> Executed:
    return await exec_(
        ctx,
        command="mkdir -p build && cat site/base.css site/page.css > build/site.css",
        shell=True,
    )


# scripts: exec
@job.workload("scripts")
async def scripts(ctx: Context) -> Executed:
    return await exec_(
        ctx, command="mkdir -p build && cat site/menu.js site/search.js > build/site.js", shell=True
    )


# built: control:barrier
@job.workload("built", register="built", records=["styles", "scripts"])
async def built(ctx: Context, records: Records) -> Synchronized:
    return await control_barrier(ctx, records)


# minified: exec
@job.workload(
    "minified", register="minified", after=["built"], when=lambda ctx: ctx.inputs["minify"]
)
async def minified(ctx: Context) -> Executed:
    return await exec_(ctx, command=r"tr -d '\n' < build/site.css > build/site.min.css", shell=True)


# style: filesystem:read
@job.workload("style", register="style", after=["minified"])
async def style(ctx: Context) -> Content:
    return await filesystem_read(
        ctx,
        path=f"build/site{'.min' if ctx.workloads['minified'].status == 'Completed' else ''}.css",
    )


# page: filesystem:read
@job.workload("page", register="page")
async def page(ctx: Context) -> Content:
    return await filesystem_read(ctx, path="site/index.html")


# index: filesystem:write
@job.workload("index", register="index", after=["page", "style"])
async def index(ctx: Context) -> Written:
    return await filesystem_write(
        ctx,
        path="dist/index.html",
        content=ctx.state["page"]["content"]
        .replace("@TITLE@", ctx.vars["title"])
        .replace("@STYLE@", ctx.state["style"]["content"]),
    )


# checked: control:assert
@job.workload("checked", after=["index"])
async def checked(ctx: Context) -> Asserted:
    return await control_assert(
        ctx,
        condition=ctx.state["index"]["bytes_written"] > 100
        and ctx.inputs["version"] in ctx.vars["title"],
        fail_message=f"dist/index.html has only {ctx.state['index']['bytes_written']} bytes",
    )


# host-files: filesystem:write
def host_files_content(ctx: Context, host: Any) -> str:
    parts: list[str] = []
    parts.append(f"server {{\n  listen {host['port']};")
    if expr.ask(host, "aliases"):
        parts.append("\n  server_name")
        parts.extend([f" {expr.text(item)}" for item in expr.elements(host["aliases"])])
        parts.append(";")
    else:
        parts.append(f"\n  server_name {host['name']};")
    parts.append(f"\n  root /srv/site/{ctx.inputs['version']};\n}}\n")
    return "".join(parts)


@job.workload(
    "host-files",
    register="host_files",
    after=["checked"],
    loop=Loop(lambda ctx: ctx.vars["hosts"], parallel=2),
)
async def host_files(ctx: Context, host: Any) -> Written:
    return await filesystem_write(
        ctx, path=f"dist/hosts/{host['name']}.conf", content=host_files_content(ctx, host)
    )


# summary: filesystem:write
def summary_content(ctx: Context) -> str:
    parts: list[str] = []
    parts.append(f"{ctx.vars['title']}: {len(ctx.state['host_files'])} hosts\n")
    for i, file in enumerate(ctx.state["host_files"]):
        parts.append(f"{expr.wrap(i + 1)}. {file['path']} ({file['bytes_written']} bytes)\n")
    return "".join(parts)


@job.workload("summary", after=["host-files"])
async def summary(ctx: Context) -> Written:
    return await filesystem_write(ctx, path="dist/summary.txt", content=summary_content(ctx))
