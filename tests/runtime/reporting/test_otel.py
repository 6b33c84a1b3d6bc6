"""Traces: what a real receiver of OTLP gets, from jobs in this process and from an artifact.

The receiver reads with OpenTelemetry's own message classes. (There is no official collector among the
package sources that the tests may use.)
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gxo.cli.main import main as gxo
from gxo.runtime import Context, Job, Loop, Retry
from gxo.runtime.kernel.run import Limits
from gxo.runtime.main import main
from tests.reports import read_report
from tests.runtime.reporting.jobs import SECRET, simple, talkative
from tests.runtime.reporting.receiver import Receiver, receiving

HERE = Path(__file__).parent
LOG_SCHEMA = json.loads((HERE.parents[2] / "docs/logs.schema.json").read_text("utf-8"))

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Linked:
    """The bundle of a job that was compiled with --otel."""

    def __init__(self, *names: str) -> None:
        self._names = names or ("opentelemetry-sdk",)

    def read(self, name: str) -> bytes:
        distributions = [{"name": one} for one in self._names]
        modules = [{"name": name, "module": "test:it"} for name in ("told", "bad", "each")]
        return json.dumps(
            {"gxo": "0.1.0", "distributions": distributions, "workloads": modules}
        ).encode()

    def names(self) -> list[str]:
        return []


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
        yield received


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("OTEL_", "TRACE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody is waited for longer than 0.1 s, in the test; the SDK tries again but once.

    Its threads draw random numbers, which hypothesis must not see in the tests after this one.
    """
    monkeypatch.setattr(Limits.__init__, "__defaults__", (0.1, 0.1, 30.0))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join()


def looping() -> Job:
    job = Job("looping")

    @job.workload("each", loop=Loop(["a", "b"]), retry=Retry(2, delay=0.001))
    async def each(ctx: Context, item: str) -> dict[str, Any]:
        if item == "b" and ctx.attempt == 1:
            raise ValueError("not yet")
        return {}

    return job


def test_a_span_for_run_workload_instance_and_attempt(receiver: Receiver) -> None:
    assert main(looping(), Linked(), []) == 0
    assert receiver.tree() == [
        "looping",
        "  each",
        "    each[0]",
        "      test:it",
        "    each[1]",
        "      test:it",
        "      test:it",
    ]
    run, workload = receiver.one("looping"), receiver.one("each")
    assert run.attributes["gxo.status"] == "Completed"
    assert workload.attributes["gxo.attempts"] == 2
    first, second = (one for one in receiver.named("test:it") if one.attributes["gxo.iteration"])
    assert (first.status, first.message) == ("error", "not yet")
    assert first.events == [
        ("exception", {"exception.type": "ValueError", "exception.message": "not yet"})
    ]
    assert (second.status, second.attributes["gxo.attempt"]) == ("unset", 2)
    assert receiver.one("each[1]").status == "unset"
    for span in receiver.spans:
        assert run.start <= span.start <= span.end <= run.end
    assert receiver.one("each[0]").end <= receiver.one("each[1]").start


def test_failures_are_redacted_errors(receiver: Receiver) -> None:
    assert main(talkative(), Linked(), []) == 1
    bad, run = receiver.one("bad"), receiver.one("talkative")
    assert (bad.status, bad.message) == ("error", "refused: [REDACTED_SECRET]")
    assert (run.status, run.message) == (
        "error",
        "workload 'bad' failed: refused: [REDACTED_SECRET]",
    )
    off = receiver.one("off")
    assert (off.attributes["gxo.status"], off.attributes["gxo.reason"]) == (
        "Skipped",
        "its `when` is false",
    )
    assert not [body for body in receiver.bodies if SECRET.encode() in body]


def test_an_instance_that_fails_for_good(receiver: Receiver) -> None:
    job = Job("case")

    @job.workload("each", loop=Loop(["a", "b"], parallel=2))
    async def each(ctx: Context, item: str) -> dict[str, Any]:
        if item == "b":
            raise ValueError("never")
        await ctx.clock.sleep(1000)
        return {}

    assert main(job, Linked(), []) == 1
    statuses = {span.name: span.status for span in receiver.spans if "[" in span.name}
    assert statuses == {"each[0]": "unset", "each[1]": "error"}
    ends = [one.attributes["gxo.status"] for one in receiver.named("test:it")]
    assert sorted(ends) == ["Cancelled", "Failed"]


def test_it_is_part_of_the_callers_trace(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)
    monkeypatch.setenv("TRACESTATE", "vendor=1")
    seen: dict[str, str] = {}
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        seen.update(ctx.child_environment())

    assert main(job, Linked(), []) == 0
    assert {span.trace for span in receiver.spans} == {TRACE}
    assert receiver.one("case").parent == PARENT
    attempt = receiver.one("attempt")
    assert seen["TRACEPARENT"] == f"00-{TRACE}-{attempt.id}-01"
    assert seen["TRACESTATE"] == "vendor=1"


def test_children_keep_the_callers_trace_without_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)
    seen: dict[str, str] = {}
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        seen.update(ctx.child_environment())

    assert main(job, None, []) == 0
    assert seen["TRACEPARENT"] == TRACEPARENT


def test_what_the_variables_say_of_the_service(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(simple(), Linked(), []) == 0
    assert receiver.resource["service.name"] == "gxo"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=data,service.name=other")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=12")
    assert main(simple(), Linked(), []) == 0
    assert (receiver.resource["service.name"], receiver.resource["team"]) == ("nightly", "data")
    assert receiver.headers["x-key"] == "12"


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_SAMPLER": "always_off"},
    ],
    ids=str,
)
def test_nothing_is_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(simple(), Linked(), []) == 0
    assert receiver.spans == []


def test_details_alone_ask_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    assert main(simple(), None, []) == 0
    assert "traces" not in capfd.readouterr().err


def test_a_job_without_otel_says_so(receiver: Receiver, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(simple(), Linked("httpx"), []) == 0
    assert receiver.spans == []
    err = capfd.readouterr().err
    assert "no traces: OTEL_* asks for some; compile the job with --otel" in err


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER may be console, otlp or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf is the only protocol, not grpc"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "max_queue_size must be a positive integer."),
    ],
)
def test_what_cannot_be_done_is_a_warning(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    value: str,
    why: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert main(simple(), Linked(), []) == 0
    assert f"warning  no traces: {why}" in capfd.readouterr().err


def test_the_console_is_standard_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    assert main(simple(), Linked(), []) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert '"name": "case"' in err


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("accepts", [True, False], ids=["silent", "refused"])
def test_a_dead_receiver_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], accepts: bool
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if accepts:
            listener.listen()
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        assert main(simple(), Linked(), []) == 0
        (warning,) = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
        why = "traces: some are lost: no answer within 0.1 s"
        assert warning.endswith(why)


def test_a_receiver_that_refuses(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], receiver: Receiver
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/elsewhere")
    assert main(simple(), Linked(), []) == 0
    err = capfd.readouterr().err
    assert "warning  traces: Failed to export spans batch code: 404" in err


def test_log_lines_name_their_span(receiver: Receiver, capfd: pytest.CaptureFixture[str]) -> None:
    job = Job("case")

    @job.workload("each", loop=Loop(["a"]))
    async def each(ctx: Context, item: str) -> None:
        ctx.log("info", "here")

    assert main(job, Linked(), ["--log-format", "json"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    for line in lines:
        jsonschema.validate(line, LOG_SCHEMA)
    spans = {line["message"].partition(" ")[0]: line["span_id"] for line in lines}
    assert spans == {
        "here": receiver.one("test:it").id,
        "completed": receiver.one("each").id,
        "case": receiver.one("case").id,
    }
    assert {line["trace_id"] for line in lines} == {receiver.one("case").trace}


def test_traces_are_no_sign_of_progress(receiver: Receiver) -> None:
    """Their thread does not keep a job going that waits for ever."""
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx._run.loop.create_future()

    assert main(job, Linked(), []) == 1
    assert "can make no progress" in receiver.one("case").message


# The artifact


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled with --otel, from wheels of the package index."""
    target = tmp_path_factory.mktemp("otel") / "traced.pyz"
    code = gxo(["compile", "--otel", str(HERE / "traced.gxo.yaml"), "-o", str(target)])
    if code == 2 and not os.environ.get("CI"):
        pytest.skip("no package index")
    assert code == 0
    return target


def start(artifact: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(artifact), *arguments],
        env={"PATH": os.environ["PATH"], "TOKEN": SECRET, **environment},
        cwd=artifact.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_artifact_sends_its_traces(artifact: Path, receiver: Receiver) -> None:
    done = start(
        artifact,
        *("--report", "-", "--log-format", "json"),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        TRACEPARENT=TRACEPARENT,
    )
    assert done.returncode == 0, done.stderr
    assert read_report(done.stdout)["playbook_name"] == "traced"
    for line in done.stderr.splitlines():
        jsonschema.validate(json.loads(line), LOG_SCHEMA)
    assert sorted(receiver.tree()) == sorted(
        [
            "traced",
            "  parent",
            "    exec",
            "  each",
            "    each[0]",
            "      exec",
            "    each[1]",
            "      exec",
            "  refused",
            "    exec",
            "    exec",
            "  skipped",
            "  numbers",
            "    data:generate_from_list",
            "  count",
            "    data:collect",
        ]
    )
    assert {span.trace for span in receiver.spans} == {TRACE}
    assert not [body for body in receiver.bodies if SECRET.encode() in body]
    assert "[REDACTED_SECRET]" in receiver.one("refused").message
    # What the command saw is the attempt that ran it.
    results = json.loads(done.stdout)["workload_results"]
    (attempt,) = [one for one in receiver.spans if one.parent == receiver.one("parent").id]
    assert results["parent"]["summary"]["stdout"].strip() == f"00-{TRACE}-{attempt.id}-01"


def test_an_artifact_without_the_variables_loads_nothing_of_it(
    artifact: Path, tmp_path: Path
) -> None:
    code = f"import runpy, sys; sys.argv = [{str(artifact)!r}]\n"
    code += f"try: runpy.run_path({str(artifact)!r}, run_name='__main__')\n"
    code += "finally: print([name for name in sys.modules if 'opentel' in name or 'otel' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "TOKEN": SECRET},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
