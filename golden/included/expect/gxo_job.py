"""release.test, compiled by gxo 0.1.0 from release.test.gxo.yaml. Change the playbook, not this file."""

from gxo.runtime import Context, Job
from gxo.runtime.testing import Test
from gxo.stdlib.test.assert_ import Passed, assert_ as test_assert
from gxo.stdlib.test.include import Included, include as test_include
from gxo.stdlib.test.mock_http_server import Serving, mock_http_server as test_mock_http_server

job = Job("release.test", test=Test(secrets={"REGISTRY_TOKEN": "t0ken-of-the-test"}))


# registry: test:mock_http_server
@job.workload("registry", register="registry", background=True)
async def registry(ctx: Context) -> Serving:
    return await test_mock_http_server(
        ctx,
        handlers=[
            {"request": {"path": "/releases/1.2"}, "response": {"status_code": 404}},
            {
                "request": {
                    "method": "POST",
                    "path": "/releases",
                    "headers": {"Authorization": "Bearer t0ken-of-the-test"},
                },
                "response": {"status_code": 201},
            },
        ],
    )


# included: test:include
@job.workload("included", register="included", after=["registry"])
async def included(ctx: Context) -> Included:
    return await test_include(
        ctx,
        playbook="release.gxo.yaml",
        vars={"version": "1.2", "registry": ctx.state["registry"]["server_url"]},
    )


# check: test:assert
@job.workload("check", after=["included"])
async def check(ctx: Context) -> Passed:
    return await test_assert(
        ctx,
        assertions=[
            {"actual": ctx.state["included"]["status"], "equal_to": "Completed"},
            {
                "actual": ctx.state["included"]["workloads"]["publish"]["status"],
                "equal_to": "Completed",
            },
            {
                "actual": ctx.state["included"]["workloads"]["known"]["summary"]["status_code"],
                "equal_to": 404,
            },
        ],
    )
