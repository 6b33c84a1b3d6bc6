"""release, compiled by gxo 0.1.0 from release.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Input, Job
from gxo.stdlib.filesystem.write import Written, write as filesystem_write
from gxo.stdlib.http.request import Response, request as http_request

job = Job(
    "release",
    inputs={
        "version": Input("string", pattern=r"\d+\.\d+"),
        "registry": Input("string", default="https://registry.example.com"),
    },
    secrets=["REGISTRY_TOKEN"],
)


# known: http:request
@job.workload("known", register="known")
async def known(ctx: Context) -> Response:
    return await http_request(ctx, url=f"{ctx.inputs['registry']}/releases/{ctx.inputs['version']}")


# publish: http:request
@job.workload(
    "publish",
    register="published",
    after=["known"],
    when=lambda ctx: ctx.state["known"]["status_code"] == 404,
    secrets=["REGISTRY_TOKEN"],
)
async def publish(ctx: Context) -> Response:
    return await http_request(
        ctx,
        method="POST",
        url=f"{ctx.inputs['registry']}/releases",
        auth={"bearer": ctx.secret("REGISTRY_TOKEN")},
        json={"version": ctx.inputs["version"]},
        fail_when=lambda value: value["status_code"] != 201,
    )


# told: filesystem:write
@job.cleanup("told")
async def told(ctx: Context) -> Written:
    return await filesystem_write(
        ctx, path="released.txt", content=f"{ctx.inputs['version']} {ctx.status}\n"
    )
