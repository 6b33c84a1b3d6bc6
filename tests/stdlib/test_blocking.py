"""No module holds up the event loop: every case of `blocking.yaml` runs as a job whose loop is timed.

    - of: data:parse
      name: a text of JSON
      inputs: {text: json.dumps(rows(60_000))}       Python, in which `rows` makes records, and
                                                     `authorities` gives certificates
      files: {big.txt: "'x' * 50_000_000"}           likewise
      server: {/big: "{'json': rows(60_000)}"}       likewise; the input `server` is its address
      sshd: true                                     the input `sshd` is how to connect to it
      moto: true                                     the input `moto` is where S3 is, and who asks
      postgresql: true, mysql: true                  the input `database` is the URL of one
      workloads:
        parse: {module: data:parse, params: {format: json, content: "{{ .Inputs.text }}"}}

A case of the `kernel` is about what surrounds all modules. `exception: why` expects that it fails,
`exit_code: 1` that its job does, as that of a test with an assertion that does not hold.

What counts is the CPU time of the loop's thread from the begin of a callback to its end, so a busy
machine changes nothing; what happens once (imports, cold caches) is left out by taking the best of
some runs. The collector of Python is off: it has its own time, whoever's objects it goes through.
"""

import asyncio
import contextlib
import gc
import io
import json
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
import yaml
from certifi import contents

from gxo.compiler.driver import Compilation
from gxo.runtime.host.eventloop import JobLoop
from gxo.runtime.job import Job
from gxo.runtime.kernel.run import Run
from gxo.runtime.main import drive
from gxo.runtime.reporting.logs import Log
from gxo.runtime.settings import Settings
from tests.stdlib.database.databases import address
from tests.stdlib.harness import library
from tests.stdlib.http.server import serving
from tests.stdlib.ssh.jobs import login

CASES = yaml.safe_load(Path(__file__).with_name("blocking.yaml").read_text(encoding="utf-8"))
BOUND = 0.050
RUNS = 3
TYPES = {str: "string", int: "int", list: "list", dict: "map"}


def rows(count: int) -> list[dict[str, Any]]:
    """Records of some 100 bytes, with a text that is not ASCII."""
    return [
        {"id": number, "name": f"Zoë {number}", "ratio": number / 7, "tags": ["a", "b"]}
        for number in range(count)
    ]


def objects(count: int, token: object) -> str:
    """A page of a list of S3's, which goes on with a token unless that is None."""
    one = "<Contents><Key>logs/2026/{}</Key><Size>1</Size><ETag>&quot;5d41&quot;</ETag></Contents>"
    inner = "".join(one.format(number) for number in range(count))
    if token is not None:
        inner += (
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        )
    return f"<ListBucketResult>{inner}</ListBucketResult>"


def value_of(expression: str) -> Any:
    scope = {"rows": rows, "objects": objects, "json": json, "authorities": contents}
    return eval(expression, scope)


def compiled(case: dict[str, Any], inputs: dict[str, Any]) -> Job:
    workloads = [
        {
            "name": name,
            "lifecycle": {"policy": "run_once"},
            "process": {key: given[key] for key in ("module", "params") if key in given},
            **{key: value for key, value in given.items() if key not in ("module", "params")},
        }
        for name, given in case["workloads"].items()
    ]
    document = {
        "name": "case",
        "schemaVersion": "v1.0.0",
        "inputs": {name: {"type": TYPES[type(value)]} for name, value in inputs.items()},
        "workloads": workloads,
    }
    is_test = any(given["module"].startswith("test:") for given in case["workloads"].values())
    compilation = Compilation("case.test.gxo.yaml" if is_test else "case.gxo.yaml")
    valid = compilation.read(json.dumps(document).encode()) and compilation.analyse()
    assert valid, [(one.code, one.message) for one in compilation.diagnostics.sorted()]
    scope: dict[str, Any] = {"__name__": "gxo_job"}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), scope)
    job: Job = scope["job"]
    return job


def described(handle: asyncio.Handle) -> str:
    """The callback; of a task's step, the coroutines that it goes on with, outermost first."""
    task = getattr(handle._callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return repr(handle)
    names = []
    awaited: Any = task.get_coro()
    awaited = getattr(awaited, "coroutine", awaited)
    while awaited is not None:
        names.append(getattr(awaited, "__qualname__", type(awaited).__name__))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return " > ".join(names)


class Timed:
    """While it is entered, the longest callback of any loop in this thread. longest: seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.callback = ""

    @contextlib.contextmanager
    def watching(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            callback = described(handle)
            before = thread_time()
            run(handle)
            spent = thread_time() - before
            if spent > self.longest:
                self.longest, self.callback = spent, callback

        gc.collect()
        gc.disable()
        try:
            with patch.context() as patched:
                patched.setattr(asyncio.Handle, "_run", timed)
                yield
        finally:
            gc.enable()


def played(
    job: Job, inputs: dict[str, Any], folder: Path, patch: pytest.MonkeyPatch, exit_code: int
) -> Timed:
    """Run the job once, as `main` would; it ends with the exit code."""
    settings = Settings()
    settings.inputs = dict(inputs)
    settings.workspace = str(folder)
    run = Run(job, settings, environment={"PATH": "/usr/bin:/bin", "TOKEN": "s3cret-value"})
    run.log = Log(run, "error", settings.log_format, io.StringIO())
    loop = JobLoop(run.limits.cancel)
    loop.set_debug(False)
    timed = Timed()
    try:
        with timed.watching(patch):
            code = drive(loop, run)
    finally:
        loop.end(run.abandoned)
    assert code == exit_code, run.ending.errors
    return timed


def cases() -> Iterator[Any]:
    for case in CASES:
        marks = []
        if "exception" in case:
            marks.append(pytest.mark.xfail(reason=case["exception"], strict=True))
        yield pytest.param(case, id=f"{case['of']}: {case['name']}", marks=marks)


@pytest.mark.parametrize("case", list(cases()))
def test_no_callback_takes_long(
    case: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    inputs = {name: value_of(one) for name, one in case.get("inputs", {}).items()}
    for name, content in case.get("files", {}).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value_of(content), encoding="utf-8")
    routes = {path: value_of(one) for path, one in case.get("server", {}).items()}
    with contextlib.ExitStack() as stack:
        if routes:
            server = stack.enter_context(serving(routes))
            inputs["server"] = f"http://127.0.0.1:{server.server_address[1]}"
        if case.get("sshd"):
            inputs["sshd"] = login(request.getfixturevalue("sshd"))
        if case.get("moto"):
            moto = request.getfixturevalue("moto")
            moto.ask("PUT", "/blocking")
            inputs["moto"] = {"endpoint": moto.endpoint, **moto.keys["admin"]}
        if case.get("bind"):
            inputs["port"] = request.getfixturevalue("bind").port
        for kind in ("postgresql", "mysql"):
            if case.get(kind):
                inputs["database"] = address(kind, request)
        job = compiled(case, inputs)
        for _ in range(RUNS):
            timed = played(job, inputs, tmp_path, monkeypatch, case.get("exit_code", 0))
            if timed.longest <= BOUND:
                return
    pytest.fail(f"{timed.longest * 1000:.0f} ms of CPU time in {timed.callback}")


def test_every_module_has_a_case() -> None:
    covered = {
        case["of"]
        for case in CASES
        if any(given["module"] == case["of"] for given in case["workloads"].values())
    }
    assert {case["of"] for case in CASES} - covered <= {"kernel"}
    # A job runs no others: `connection:listen` takes up a connection at a time.
    runs = [one for one in library().all() if "run_once" in one.lifecycles and not one.pauses]
    assert covered == {spec.name for spec in runs}
