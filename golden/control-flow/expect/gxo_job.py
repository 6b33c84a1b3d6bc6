"""control-flow, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Input, Job, expr
from gxo.runtime.functions import strings
from gxo.stdlib.control import Asserted, assert_ as control_assert, identity as control_identity

job = Job(
    "control-flow",
    inputs={
        "env": Input("string", default="dev", enum=["dev", "prod"]),
        "replicas": Input("int", default=2),
        "tags": Input("map", default={"team": "core", "tier": "1"}),
    },
    vars={
        "hosts": ["alpha", "beta"],
        "greeting": lambda ctx: f"hello from {strings.upper(ctx.inputs['env'])}",
        "limits": lambda ctx: {"cpu": 2, "memory": expr.wrap(ctx.inputs["replicas"] * 256)},
    },
)


# text: control:identity
@job.workload("text", register="text")
async def text(ctx: Context) -> dict[str, Any]:
    return await control_identity(
        ctx,
        plain="no template",
        greeting=f"{ctx.vars['greeting']}, {ctx.inputs['replicas']} times",
        native=ctx.vars["hosts"],
        sum=ctx.inputs["replicas"] + 1,
        nested={"memory": ctx.vars["limits"]["memory"], "first": ctx.vars["hosts"][0]},
        asked=ctx.inputs["tags"].get("missing") or "nobody",
    )


# blocks: control:identity
def blocks_branches(ctx: Context) -> str:
    if ctx.inputs["env"] == "prod":
        return "big"
    if ctx.inputs["replicas"] > 1:
        return "some"
    return "one"


def blocks_list(ctx: Context) -> str:
    parts: list[str] = []
    hosts = list(enumerate(ctx.vars["hosts"]))
    for i, host in hosts:
        parts.append(f"{i}: {host}\n")
    if not hosts:
        parts.append("none\n")
    return "".join(parts)


def blocks_tags(ctx: Context) -> str:
    return "".join(
        [f"{key}={expr.text(value)};" for key, value in sorted(ctx.inputs["tags"].items())]
    )


def blocks_team(ctx: Context) -> str:
    parts: list[str] = []
    if team := ctx.inputs["tags"].get("team"):
        parts.append(f"team {expr.text(team)}")
    else:
        parts.append("no team")
    return "".join(parts)


def blocks_shared(ctx: Context) -> str:
    def host(value: Any) -> str:
        return f"<{expr.text(value)}>"

    parts: list[str] = []
    for host_2 in ctx.vars["hosts"]:
        parts.append(host(host_2))
    return "".join(parts)


@job.workload("blocks", register="blocks")
async def blocks(ctx: Context) -> dict[str, Any]:
    return await control_identity(
        ctx,
        branches=blocks_branches(ctx),
        list=blocks_list(ctx),
        tags=blocks_tags(ctx),
        team=blocks_team(ctx),
        shared=blocks_shared(ctx),
    )


# around-actions: control:assert
@job.workload(
    "around-actions", when=lambda ctx: ctx.inputs["replicas"] >= 2 and ctx.inputs["env"] != "prod"
)
async def around_actions(ctx: Context) -> Asserted:
    return await control_assert(
        ctx,
        condition=(number_of_hosts := len(ctx.vars["hosts"])) == 2,
        fail_message=f"{number_of_hosts} hosts",
    )


# never: control:identity
@job.workload("never", when=lambda ctx: ctx.inputs["env"] == "prod")
async def never(ctx: Context) -> dict[str, Any]:
    return await control_identity(ctx, ran=True)
