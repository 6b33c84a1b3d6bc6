"""Every case of `providers.yaml`, on each service: what a playbook says is the same for all of them."""

import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stdlib.harness import run
from tests.stdlib.object_storage.objects import Calls, calls
from tests.stdlib.object_storage.services import SERVICES, WRONG, Service
from tests.stdlib.object_storage.test_objects import filled
from tests.stdlib.test_cases import _check_files as check_files
from tests.stdlib.test_cases import _lay_out as lay_out
from tests.stdlib.test_cases import _matches as matches

CASES = yaml.safe_load(Path(__file__).with_name("providers.yaml").read_text(encoding="utf-8"))

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Service:
    """Each of them in turn."""
    return SERVICES[request.param](request)


@contextlib.asynccontextmanager
async def in_a_bucket(service: Service, folder: Path) -> AsyncIterator[Calls]:
    """Calls with a new bucket."""
    bucket = f"providers-{next(_numbers)}"
    async with calls(folder, **service.parameters(), bucket=bucket) as call:
        call.bench.clock.time = time.time()  # Swift looks when a request was signed
        await call.done("manage_bucket", state="present")
        yield call


async def play(call: Calls, step: dict[str, Any], kept: dict[str, str], service: Service) -> None:
    [verb] = step.keys() - {"gives", "sent", "error", "as", "keep", "may_fail"}
    params = filled(step[verb], kept)
    if step.get("as") == "wrong":
        params["credentials"] = dict(service.wrong)
    outcome = await call(verb, **params)
    if "error" in step:
        assert outcome.error is not None, outcome.summary
        told = f"{outcome.error} {getattr(outcome.error, 'hint', '')}"
        matches(told, f"re:{step['error']}", verb)
        assert WRONG not in told and "PRIVATE" not in told
        return
    assert outcome.error is None, outcome.error
    matches(outcome.summary, filled(step.get("gives", {}), kept), verb)
    if "sent" in step:
        matches(outcome.sent, [filled(one, kept) for one in step["sent"]], verb)
    for name, field in step.get("keep", {}).items():
        kept[name] = outcome.summary[field]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any], service: Service, tmp_path: Path) -> None:
    known = {"name", "but", "large", "there_are", "files", "steps", "after"}
    assert case.keys() <= known
    lay_out(tmp_path, case.get("files", {}))
    if "large" in case:
        (tmp_path / "large").write_bytes(random.Random(0).randbytes(case["large"]))

    async def steps() -> None:
        async with in_a_bucket(service, tmp_path) as call:
            for number in range(case.get("there_are", 0)):
                await call.done("put_object", key=f"n{number}", content="")
            kept: dict[str, str] = {}
            for step in case["steps"]:
                why = case.get("but", {}).get(service.name)
                if why and step.get("may_fail"):
                    await play(call, {**step, "error": why}, kept, service)
                    return
                await play(call, step, kept, service)

    run(steps())
    check_files(tmp_path, case.get("after", {}))
    if "large" in case and (copy := tmp_path / "copy").exists():
        assert copy.read_bytes() == (tmp_path / "large").read_bytes()
