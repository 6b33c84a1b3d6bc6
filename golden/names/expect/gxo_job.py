"""say 'hi' \\ bye, compiled by gxo 0.1.0 from playbook.gxo.yaml. Change the playbook, not this file."""

from typing import Any

from gxo.runtime import Context, Job, Loop
from gxo.stdlib.control import identity as control_identity
from gxo.stdlib.exec import Executed, exec_

job = Job(r'say "hi" \ bye', vars={"class": "a", "ctx": "b"})


# a-b: control:identity
@job.workload("a-b", register="class_")
async def a_b(ctx: Context) -> dict[str, Any]:
    return await control_identity(ctx, first=ctx.vars["class"], **{"not-a-name": ctx.vars["ctx"]})


# a_b: control:identity
@job.workload("a_b", after=["a-b"])
async def a_b_2(ctx: Context) -> dict[str, Any]:
    return await control_identity(ctx, second=ctx.state["class_"]["first"])


# class: control:identity, a call for each item
@job.workload("class", loop=Loop({"x": 1, "y": 2}))
async def class_(ctx: Context, expr_: Any, strings_: int) -> dict[str, Any]:
    match strings_:
        case 0:
            return await control_identity(ctx, key="X", at=0)
        case _:
            return await control_identity(ctx, key="Y", at=1)


# job: control:identity
def job_item(item: Any) -> str:
    parts: list[str] = []
    parts.append(str(item))
    parts.extend([str(item_2) for item_2 in [3, 4]])
    return "".join(parts)


@job.workload("job", loop=Loop([1, 2]))
async def job_(ctx: Context, item: Any) -> dict[str, Any]:
    return await control_identity(ctx, item=job_item(item))


# 1st: exec
@job.workload("1st")
async def _1st(ctx: Context) -> Executed:
    return await exec_(ctx, command="true")
