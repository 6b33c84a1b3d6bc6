"""Playbooks that serve HTTP, compiled and run; their clients are curl, wrk and `http:request`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation
from gxo.compiler.ir.needs import distributions
from gxo.runtime.job import Job
from gxo.runtime.main import main
from tests.certificates import Authority
from tests.effects import touched
from tests.reports import read_report
from tests.services.process import find
from tests.stdlib.harness import module_spec


def workload(name: str, module: str, params: dict[str, Any] | None, **keys: Any) -> dict[str, Any]:
    return {"name": name, "process": {"module": module, "params": params or {}}, **keys}


ANSWERS = workload(
    "answers",
    "stream:pipeline",
    {
        "steps": [
            {
                "id": "known",
                "uses": "http:respond",
                "when": '{{ .path }} == "/echo"',
                "with": {
                    "request_id": "{{ .request_id }}",
                    "json": {"body": "{{ len .body }}", "name": "{{ .query_params.name }}"},
                    "headers": {"X-Method": "{{ .method }}"},
                },
            },
            {
                "id": "unknown",
                "uses": "http:respond",
                "when": '{{ .path }} != "/echo"',
                "with": {"request_id": "{{ .request_id }}", "status_code": 404, "body": "no"},
            },
        ]
    },
    stream_inputs=["requests"],
)


def compilation_of(text: str) -> Compilation:
    compilation = Compilation("p.test.gxo.yaml")
    assert compilation.read(text.encode()) and compilation.analyse(), [
        (item.code, item.span.line, item.message) for item in compilation.diagnostics.sorted()
    ]
    return compilation


def compiled(text: str) -> Job:
    names: dict[str, Any] = {}
    text = compilation_of(text).generate(pretty=False).text
    exec(compile(text, "gxo_job.py", "exec"), names)
    job: Job = names["job"]
    job.test = None  # a test for its listeners in the background alone: its clients are commands
    return job


def played(workloads: list[dict[str, Any]], folder: Path, code: int = 0) -> dict[str, Any]:
    """The report's results of a test playbook, whose listeners run in the background."""
    job = compiled(yaml.safe_dump({"workloads": workloads}, sort_keys=False))
    report, workspace = folder / "report.json", folder / "ws"
    workspace.mkdir(exist_ok=True)
    options = ["--workspace", str(workspace), "--report", str(report), "--timeout", "15s"]
    ended = main(job, None, options)
    results: dict[str, Any] = read_report(report)["workload_results"]
    assert ended == code, {name: result.get("error") for name, result in results.items()}
    return results


def listening(**params: Any) -> dict[str, Any]:
    return workload("requests", "http:listen", params, register="server")


def shell(name: str, command: str, **keys: Any) -> dict[str, Any]:
    """A client that knows the server's address as $AT."""
    params = {"command": command, "shell": True, "env": {"AT": "{{ .server.local_addr }}"}}
    return workload(name, "exec", params, register=name.replace("-", "_"), **keys)


def test_a_pipeline_answers(tmp_path: Path) -> None:
    ask = {"url": "http://{{ .server.local_addr }}/echo", "query": {"name": "Zoë"}}
    results = played(
        [
            listening(address="127.0.0.1:0"),
            ANSWERS,
            workload(
                "asked", "http:request", {**ask, "method": "POST", "body": "abc"}, register="a"
            ),
            workload(
                "lost", "http:request", {"url": "http://{{ .server.local_addr }}/x"}, register="b"
            ),
        ],
        tmp_path,
    )
    asked = results["asked"]["summary"]
    assert asked["json_body"] == {"body": 3, "name": "Zoë"}
    assert asked["headers"]["x-method"] == "POST"
    assert results["lost"]["summary"]["status_code"] == 404
    assert results["answers"]["records_in"] == 2


def test_curl_and_wrk(tmp_path: Path) -> None:
    """Large bodies by length and in chunks, HEAD, connections that are kept; some load."""
    find("curl")
    find("wrk")
    url = '"http://$AT/echo?name=x"'
    sizes = r"-o /dev/null -w '%{http_code} %{num_connects} %{size_download}\n'"
    results = played(
        [
            listening(address="127.0.0.1:0", max_body=3_000_000),
            ANSWERS,
            shell("large", f"head -c 3000000 /dev/zero | curl -sS --data-binary @- {url}"),
            shell(
                "chunks",
                "head -c 3000000 /dev/zero |"
                f" curl -sS -H 'Transfer-Encoding: chunked' --data-binary @- {url}",
            ),
            shell("too-large", f"head -c 3000001 /dev/zero | curl -sS --data-binary @- {url}"),
            shell("kept", f"curl -sS {sizes} {url} {sizes} {url} {sizes} http://$AT/x"),
            shell("head", f"curl -sSI {url}"),
            shell("load", f"wrk -t1 -c20 -d1s {url}", needs=["large", "chunks", "kept", "head"]),
        ],
        tmp_path,
    )
    said = {name: result["summary"]["stdout"] for name, result in results.items() if name in SHELLS}
    assert (
        json.loads(said["large"]) == json.loads(said["chunks"]) == {"body": 3_000_000, "name": "x"}
    )
    assert said["too-large"] == "the body has more than 3000000 bytes\n"
    assert said["kept"] == "200 1 21\n200 0 21\n404 0 2\n"
    assert said["head"].startswith("HTTP/1.1 200 OK") and "Content-Length: 21" in said["head"]
    assert "Non-2xx" not in said["load"] and "Socket errors" not in said["load"]
    answered = re.search(r"(\d+) requests in", said["load"])
    assert answered is not None and int(answered[1]) > 20


SHELLS = {"large", "chunks", "too-large", "kept", "head", "load"}


@pytest.mark.parametrize("network", ["unix", "tls"])
def test_connections_of_another_listener(network: str, tmp_path: Path) -> None:
    find("curl")
    authority = Authority()
    cert, key = authority.issue("localhost")
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "ca.pem").write_text(authority.cert)
    if network == "unix":
        clients = {"network": "unix", "address": "s.sock"}
        curl = "curl -sS --unix-socket s.sock http://localhost/echo?name=x"
    else:
        clients = {"network": "tcp", "address": "127.0.0.1:0", "tls": {"cert": cert, "key": key}}
        curl = "curl -sS --cacert ca.pem https://localhost:${AT##*:}/echo?name=x"
    results = played(
        [
            workload("clients", "connection:listen", clients, register="server"),
            workload("requests", "http:listen", {}, stream_inputs=["clients"]),
            ANSWERS,
            shell("asked", f"{curl} && {curl}"),
        ],
        tmp_path,
    )
    assert results["asked"]["summary"]["stdout"] == '{"body":0,"name":"x"}' * 2
    assert results["requests"]["records_in"] == 2
    assert {result["status"] for result in results.values()} == {"Completed"}


def test_datagrams_are_no_connections(tmp_path: Path) -> None:
    params = {"network": "udp", "address": "127.0.0.1:0"}
    opened = {"network": "udp", "address": "{{ .server.local_addr }}"}
    sent = {"connection_id": "{{ .opened.connection_id }}", "data": "x"}
    results = played(
        [
            workload("clients", "connection:listen", params, register="server"),
            workload("requests", "http:listen", {}, stream_inputs=["clients"]),
            ANSWERS,
            workload("opened", "connection:open", opened, register="opened"),
            workload("sent", "connection:write", sent),
            workload("asked", "control:sleep", {"duration": "10s"}, needs=["sent"]),
        ],
        tmp_path,
        code=1,
    )
    assert "HTTP needs a stream of bytes, which 'udp-" in results["requests"]["error"]


def test_the_examples_of_the_documentation(tmp_path: Path) -> None:
    """What listens, and what answers, with a client between them."""
    requests, busy = [
        yaml.safe_load(module_spec(f"http:{name}").doc.example) for name in ("listen", "respond")
    ]
    del requests["lifecycle"], busy["lifecycle"]  # a test playbook runs all of it once
    requests["process"]["params"]["address"] = "127.0.0.1:0"
    first = workload("first", "data:limit", {"count": 1}, stream_inputs=["requests"])
    results = played(
        [
            {**requests, "register": "server"},
            first,
            workload("refused", "data:collect", None, stream_inputs=["first"], register="refused"),
            {**busy, "register": "busy"},
            shell("asked", "curl -sS -i http://$AT/"),
        ],
        tmp_path,
    )
    assert results["asked"]["summary"]["stdout"].startswith("HTTP/1.1 503 Service Unavailable")


def test_what_the_manifest_tells() -> None:
    """Where the job listens, and that h11 is linked for who does, but not for who answers."""
    workloads = [listening(address="127.0.0.1:8080"), ANSWERS]
    compilation = compilation_of(yaml.safe_dump({"workloads": workloads}))
    assert touched(compilation.plan) == {"listens": ("127.0.0.1:8080",)}
    linked = {one.name: list(distributions(one)) for one in compilation.plan.workloads}
    assert linked == {"requests": ["h11"], "answers": []}
