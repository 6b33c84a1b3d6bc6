"""`--metrics` and `--metrics-listen`: what Prometheus' own parser reads of them."""

import http.client
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gxo.runtime import Channel, Context, Job
from gxo.runtime.main import main
from gxo.runtime.reporting import metrics_server
from gxo.runtime.reporting.metrics import metrics
from tests.runtime.kernel.harness import play_case
from tests.runtime.reporting.jobs import simple

CASE = {
    "workloads": {
        "read": {"out": True, "do": ["send 4", "sleep 1.5"]},
        "write": {"records": ["read"], "on_record_error": "skip", "do": ["reject 2"]},
        "skipped": {"when": "False"},
        "bad": {"do": ["fail no luck"], "retry": {"attempts": 2}, "ignore_errors": True},
        "never": {"after": ["bad"]},
    },
}

Values = dict[tuple[str, ...], float]


def parsed(text: str) -> dict[str, Values]:
    """Each series' value by name, and by its labels but the playbook's."""
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            assert sample.labels.pop("playbook")
            key = tuple(sample.labels.values())
            assert key not in found.setdefault(sample.name, {})
            found[sample.name][key] = sample.value
    return found


def test_what_a_run_did() -> None:
    run = play_case(CASE).run
    found = parsed(metrics(run, 0))
    assert found.pop("gxo_run_info") == {(run.run_id, "", "false"): 1.0}
    of_all = {("read",), ("write",), ("skipped",), ("bad",), ("never",)}
    for name in list(found):
        if name.startswith("gxo_workload_") and name != "gxo_workload_status":
            assert set(found[name]) <= of_all
            found[name] = {key: value for key, value in found[name].items() if value}
    assert found == {
        "gxo_run_status": {
            ("Running",): 0.0,
            ("Completed",): 1.0,
            ("Failed",): 0.0,
            ("Cancelled",): 0.0,
        },
        "gxo_run_start_timestamp_seconds": {(): 1_800_000_000.0},
        "gxo_run_end_timestamp_seconds": {(): 1_800_000_001.5},
        "gxo_run_duration_seconds": {(): 1.5},
        "gxo_run_exit_code": {(): 0.0},
        "gxo_events_dropped_total": {(): 0.0},
        "gxo_workloads": {
            ("Pending",): 1.0,
            ("Running",): 0.0,
            ("Completed",): 2.0,
            ("Failed",): 1.0,
            ("Skipped",): 1.0,
            ("Cancelled",): 0.0,
        },
        "gxo_workload_status": {
            ("read", "Completed"): 1.0,
            ("write", "Completed"): 1.0,
            ("skipped", "Skipped"): 1.0,
            ("bad", "Failed"): 1.0,
            ("never", "Pending"): 1.0,
        },
        "gxo_workload_duration_seconds": {("read",): 1.5, ("write",): 1.5, ("bad",): 1.0},
        "gxo_workload_attempts": {("read",): 1.0, ("write",): 1.0, ("bad",): 2.0},
        "gxo_workload_records_in_total": {("write",): 4.0},
        "gxo_workload_records_out_total": {("read",): 4.0},
        "gxo_workload_record_errors_total": {("write",): 2.0},
        "gxo_workload_records_dropped_total": {},
    }


def test_names_follow_prometheus_rules() -> None:
    for line in metrics(play_case(CASE).run, 0).splitlines():
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            assert re.fullmatch("gxo_[a-z_]+", name)
            assert name.endswith("_total") == (kind == "counter")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_labels_that_need_escapes(capfd: pytest.CaptureFixture[str]) -> None:
    job = simple()
    job.name = 'a "b" \\ c\nd'
    assert main(job, None, ["--metrics", "-"]) == 0
    (family, *_) = text_string_to_metric_families(capfd.readouterr().out)
    assert family.samples[0].labels["playbook"] == job.name


def test_the_file_is_replaced_as_a_whole_and_others_may_read_it(tmp_path: Path) -> None:
    """As the textfile collector of Prometheus' node exporter needs it."""
    (tmp_path / "job.prom").write_text("before")
    assert main(simple(), None, ["--metrics", "job.prom"]) == 0
    assert os.listdir(tmp_path) == ["job.prom"]
    assert (tmp_path / "job.prom").stat().st_mode & 0o777 == 0o644
    assert parsed((tmp_path / "job.prom").read_text())["gxo_run_exit_code"] == {(): 0.0}


def test_a_failed_run_has_metrics_too(tmp_path: Path) -> None:
    job = simple()

    @job.workload("bad")
    async def bad(ctx: Context) -> None:
        raise ValueError("no luck")

    assert main(job, None, ["--metrics", "job.prom"]) == 1
    found = parsed((tmp_path / "job.prom").read_text())
    assert found["gxo_run_exit_code"] == {(): 1.0}
    assert found["gxo_run_status"]["Failed",] == 1.0


def test_the_exit_code_is_the_final_one(tmp_path: Path) -> None:
    assert main(simple(), None, ["--metrics", "job.prom", "--report", "/dev/full"]) == 1
    assert parsed((tmp_path / "job.prom").read_text())["gxo_run_exit_code"] == {(): 1.0}


def test_a_full_disk_fails_a_good_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(simple(), None, ["--metrics", "/dev/full"]) == 1
    assert (
        "cannot write the metrics to /dev/full: No space left on device" in capfd.readouterr().err
    )


# Over HTTP


def request(port: int, data: bytes) -> bytes:
    """All that the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        answer = bytearray()
        try:
            while piece := connection.recv(1 << 16):
                answer += piece
        except ConnectionResetError:
            pass  # it was cut off with something unread
        return bytes(answer)


def while_it_runs(ask: Callable[[int], Any], job: Job | None = None) -> Any:
    """What `ask` finds out while a job runs whose port it is given."""
    job = job or Job("case")
    found: list[Any] = []

    @job.workload("asks")
    async def asks(ctx: Context) -> None:
        await ctx.thread(lambda: found.append(ask(port_of(ctx))))

    assert main(job, None, ["--metrics-listen", "0", "--log-level", "error"]) == 0
    return found[0]


def port_of(ctx: Context) -> int:
    """The port on which this process listens."""
    return SERVERS[-1].port


SERVERS: list[metrics_server.MetricsServer] = []


@pytest.fixture(autouse=True)
def servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember the servers that are made, for the ports that they were given."""
    make = metrics_server.MetricsServer.__init__

    def init(self: metrics_server.MetricsServer, *arguments: Any) -> None:
        make(self, *arguments)
        SERVERS.append(self)

    monkeypatch.setattr(metrics_server.MetricsServer, "__init__", init)


def test_a_running_job_is_scraped() -> None:
    def scrape(port: int) -> tuple[Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics?x=1")
        answer = connection.getresponse()
        return answer.headers, answer.read().decode()

    headers, text = while_it_runs(scrape)
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = parsed(text)
    assert found["gxo_run_status"]["Running",] == 1.0
    assert found["gxo_workload_status"] == {("asks", "Running"): 1.0}
    assert "gxo_run_exit_code" not in found


def test_records_are_counted_while_they_move() -> None:
    job = Job("case")

    @job.workload("numbers", channel=Channel(10, "block"))
    async def numbers(ctx: Context, out: Any) -> None:
        await out.send([{"n": 1}, {"n": 2}])

    @job.workload("count", records=["numbers"])
    async def count(ctx: Context, records: Any) -> None:
        async for _ in records:
            text = await ctx.thread(request, port_of(ctx), b"GET /metrics HTTP/1.1\r\n\r\n")
            found = parsed(text.decode().partition("\r\n\r\n")[2])
            seen.append(found["gxo_workload_records_in_total"]["count",])
            seen.append(found["gxo_workload_records_out_total"]["numbers",])

    seen: list[float] = []
    while_it_runs(lambda port: None, job)
    assert seen == [2.0, 2.0]


@pytest.mark.parametrize(
    ("data", "first_line"),
    [
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"HEAD /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (
            b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 405 Method Not Allowed",
        ),
        (b"\x16\x03\x01 garbage\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /metrics\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, b"HTTP/1.1 431 "),
        (b"", None),
    ],
)
def test_requests(data: bytes, first_line: bytes | None) -> None:
    def ask(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                with connection.makefile("rb") as file:
                    return file.readline()
            except OSError:
                return b"HTTP/1.1 431 "  # it was cut off in the middle of what it sent

    answer = while_it_runs(ask)
    assert answer == b"" if first_line is None else answer.startswith(first_line)


def test_connections_are_limited_and_end_with_the_job() -> None:
    """Those that say nothing do not keep it alive, nor others from being served for long."""
    opened: list[socket.socket] = []

    def ask(port: int) -> bytes:
        for _ in range(metrics_server.MOST_AT_ONCE):
            opened.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        return request(port, b"GET /metrics HTTP/1.1\r\n\r\n")

    assert while_it_runs(ask) == b""
    for connection in opened:
        assert connection.recv(1) == b""
        connection.close()


def test_one_that_takes_no_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the answer is longer than what the kernel keeps for it."""
    monkeypatch.setattr(metrics_server, "LONGEST", 0.05)
    monkeypatch.setattr(metrics_server, "metrics", lambda run: "x" * 10_000_000)

    def ask(port: int) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            while SERVERS[-1]._connections == 0:
                pass
            while SERVERS[-1]._connections:
                pass
            received = 0
            try:
                while piece := connection.recv(1 << 16):
                    received += len(piece)
            except ConnectionResetError:
                pass
            return received

    assert while_it_runs(ask) < 10_000_000


def test_one_that_says_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "LONGEST", 0.05)
    assert while_it_runs(lambda port: request(port, b"GET /metrics")) == b""


def test_it_is_no_sign_of_progress(capfd: pytest.CaptureFixture[str]) -> None:
    job = Job("case")

    @job.workload("a")
    async def a(ctx: Context) -> None:
        await ctx._run.loop.create_future()

    assert main(job, None, ["--metrics-listen", "127.0.0.1:0"]) == 1
    assert "can make no progress" in capfd.readouterr().err


def test_where_it_listens_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(simple(), None, ["--metrics-listen", ":0"]) == 0
    assert main(simple(), None, ["--metrics-listen", "[::1]:0"]) == 0
    err = capfd.readouterr().err
    assert re.search(r"metrics: http://127\.0\.0\.1:\d+/metrics", err)
    assert re.search(r"metrics: http://\[::1\]:\d+/metrics", err)


def test_a_port_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(simple(), None, ["--metrics-listen", f"{port}"]) == 2
    assert f"error: cannot serve metrics on 127.0.0.1:{port}: " in capfd.readouterr().err
