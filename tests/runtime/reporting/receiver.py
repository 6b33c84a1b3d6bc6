"""A receiver of OTLP over HTTP, which reads what arrives with OpenTelemetry's own message classes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

STATUS = {0: "unset", 1: "ok", 2: "error"}


@dataclass
class Span:
    """One span as it arrived; ids as hexadecimal text, times in nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    status: str
    message: str
    start: int
    end: int


@dataclass
class Receiver:
    """What has arrived: spans, the resource's attributes, and the headers of the last request."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        (span,) = self.named(name)
        return span

    def tree(self) -> list[str]:
        """The spans in the order of their starts, each indented below its parent."""
        known = {span.id: span for span in self.spans}

        def depth(span: Span) -> int:
            return 1 + depth(known[span.parent]) if span.parent in known else 0

        def path(span: Span) -> list[tuple[int, str]]:
            above = path(known[span.parent]) if span.parent in known else []
            return [*above, (span.start, span.id)]

        return ["  " * depth(span) + span.name for span in sorted(self.spans, key=path)]

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.resource = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                assert scope.scope.name == "gxo"
                self.spans += [_span(one) for one in scope.spans]


def _span(one: Any) -> Span:
    return Span(
        name=one.name,
        trace=one.trace_id.hex(),
        id=one.span_id.hex(),
        parent=one.parent_span_id.hex(),
        attributes=_attributes(one.attributes),
        events=[(event.name, _attributes(event.attributes)) for event in one.events],
        status=STATUS[one.status.code],
        message=one.status.message,
        start=one.start_time_unix_nano,
        end=one.end_time_unix_nano,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    def value(one: AnyValue) -> Any:
        return getattr(one, str(one.WhichOneof("value")))

    return {pair.key: value(pair.value) for pair in pairs if isinstance(pair, KeyValue)}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of the loopback, for as long as the block runs."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path != "/v1/traces":
                self.send_error(404)
                return
            assert self.headers["Content-Type"] == "application/x-protobuf"
            received.headers = dict(self.headers)
            received.take(self.rfile.read(int(self.headers["Content-Length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
