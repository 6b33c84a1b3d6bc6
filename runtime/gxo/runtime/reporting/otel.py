"""Traces: a run as OpenTelemetry spans, sent by the SDK that `--otel` links into the artifact.

    full-disks                     the run
    ├ disks                        a workload
    │ └ exec                       an attempt: one call of its module
    └ each                         a workload with a loop
      ├ each[0]                    an instance: one item of the loop
      │ ├ http:request             its first attempt, failed
      │ └ http:request             its second

On when OTEL_TRACES_EXPORTER, or an endpoint of the OTLP exporter, is set. What is sent where, how
much of it, and as what service, is the SDK's part and follows its standard variables. Spans wait in
the SDK's bounded queue and are sent by its thread; nothing here waits for the receiver, but for the
last spans, at the end, and not for long.
"""

import logging
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.bundle import manifest
from gxo.runtime.kernel.node import FAILED
from gxo.runtime.reporting.watchers import Watcher, outcome

if TYPE_CHECKING:
    from opentelemetry.context import Context as Parent
    from opentelemetry.trace import Span

    from gxo.runtime.context import Context
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run

SDK = "opentelemetry-sdk"

ASKED_BY = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
"""Any of these asks for traces; those that only set details, such as OTEL_SERVICE_NAME, do not."""

PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

PROTOCOL = "http/protobuf"

KNOWN = {"otlp", "console"}

Place = tuple[int | None, int | None]
"""Iteration and attempt, None for what lies above those: (None, None) is the workload itself."""

WHOLE: Place = (None, None)


def start(run: "Run") -> "Traces | None":
    """The traces of the run, if the environment asks for some and the artifact can make them."""
    environment = run.environment
    exporters = _exporters(environment)
    if run.testing is not None:
        exporters.discard("otlp")  # a test reaches this host only
    if not exporters:
        return None
    linked = {one["name"] for one in manifest(run.bundle).get("distributions", ())}
    if SDK not in linked:
        run.log.write_clean("info", "no traces: OTEL_* asks for some; compile the job with --otel")
        return None
    protocol = next(filter(None, (environment.get(name) for name in PROTOCOLS)), PROTOCOL)
    try:
        if not exporters <= KNOWN:
            raise ValueError(f"OTEL_TRACES_EXPORTER may be {', '.join(sorted(KNOWN))} or none")
        if "otlp" in exporters and protocol != PROTOCOL:
            raise ValueError(f"{PROTOCOL} is the only protocol, not {protocol}")
        return Traces(run, exporters)
    except Exception as error:  # the SDK's own for values that it cannot use
        run.log.write("warning", f"no traces: {error}")
        return None


def _exporters(environment: Mapping[str, str]) -> set[str]:
    """The names in OTEL_TRACES_EXPORTER; nothing when traces are not asked for, or are off."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_off or not any(environment.get(name) for name in ASKED_BY):
        return set()
    names = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    return {name.strip() for name in names.split(",")} - {"none", ""}


class Traces(Watcher):
    """The spans of one run."""

    def __init__(self, run: "Run", exporters: set[str]) -> None:
        """exporters: some of KNOWN. Raises ValueError for variables that the SDK cannot use."""
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._run = run
        self._api = trace
        self._propagator = TraceContextTextMapPropagator()
        self._trouble = _listen_to_sdk()
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        for exporter in sorted(exporters):
            self._provider.add_span_processor(_processor(exporter))
        self._tracer = self._provider.get_tracer("gxo", manifest(run.bundle).get("gxo"))
        self._root: Span = trace.INVALID_SPAN
        self._open: dict[str, dict[Place, Span]] = {}
        self._errors: dict[Span, str] = {}  # of instances whose last attempt has failed

    def run_started(self) -> None:
        environment = self._run.environment
        carrier = {name: environment.get(name.upper(), "") for name in self._propagator.fields}
        parent = self._propagator.extract({name: text for name, text in carrier.items() if text})
        names = {
            "gxo.playbook": self._run.name,
            "gxo.run_id": self._run.run_id,
            "gxo.dry_run": self._run.settings.dry_run,
        }
        self._root = self._start(self._run.name, parent, names)

    def run_ended(self) -> None:
        self._root.set_attribute("gxo.status", self._run.ending.status)
        if (error := self._run.ending.error) is not None:
            self._failed(self._root, self._run.redact(error))
        self._end(self._root)

    def workload_started(self, node: "Node") -> None:
        names = {"gxo.workload": node.name, "gxo.module": self._run.module_of(node.name)}
        self._open[node.name] = {WHOLE: self._start(node.name, self._below(self._root), names)}

    def workload_ended(self, node: "Node") -> None:
        if node.name not in self._open:
            self.workload_started(node)  # it was skipped, or cancelled before: a moment
        spans = self._open.pop(node.name)
        whole = spans.pop(WHOLE)
        for span in reversed(spans.values()):
            if span in self._errors:
                self._failed(span, self._errors.pop(span))
            self._end(span)
        whole.set_attributes(_results(node))
        if node.reason is not None:
            whole.set_attribute("gxo.reason", self._run.redact(node.reason))
        if node.status == FAILED:
            self._failed(whole, self._run.redact(node.error or ""))
        self._end(whole)

    def module_started(self, context: "Context") -> None:
        spans = self._open[context.workload]
        names: dict[str, str | int] = {
            "gxo.workload": context.workload,
            "gxo.module": context.module,
            "gxo.attempt": context.attempt,
        }
        parent = spans[WHOLE]
        if context.iteration is not None:
            names["gxo.iteration"] = context.iteration
            parent = self._instance(spans, context.workload, context.iteration)
        name = context.module or "attempt"
        spans[context.iteration, context.attempt] = self._start(name, self._below(parent), names)

    def module_ended(self, context: "Context", error: BaseException | None) -> None:
        spans = self._open[context.workload]
        status, text = outcome(self._run, error)
        span = spans.pop((context.iteration, context.attempt))
        span.set_attribute("gxo.status", status)
        if error is not None and text is not None:
            fields = {"exception.type": type(error).__name__, "exception.message": text}
            span.add_event("exception", fields, self._now())
            self._failed(span, text)
        self._end(span)
        if context.iteration is not None:
            instance = spans[context.iteration, None]
            if text is not None:
                self._errors[instance] = text  # its own, unless another attempt follows
            elif error is None:
                self._errors.pop(instance, None)
                self._end(spans.pop((context.iteration, None)))

    def span_ids(
        self, workload: str | None, iteration: int | None, attempt: int | None
    ) -> dict[str, str]:
        context = self._around(workload, iteration, attempt).get_span_context()
        if not context.is_valid:
            return {}  # nothing has begun
        format_trace, format_span = self._api.format_trace_id, self._api.format_span_id
        return {"trace_id": format_trace(context.trace_id), "span_id": format_span(context.span_id)}

    def for_children(self, context: "Context") -> dict[str, str]:
        span = self._around(context.workload, context.iteration, context.attempt)
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, self._below(span))
        return {name.upper(): text for name, text in carrier.items()}

    def close(self, grace: float) -> None:
        thread = threading.Thread(target=self._provider.shutdown, name="gxo-traces", daemon=True)
        thread.start()
        thread.join(grace)
        if thread.is_alive():
            self._trouble.append(f"some are lost: no answer within {grace:g} s")
        if self._trouble:
            self._run.log.write("warning", f"traces: {self._trouble[-1]}")

    def _instance(self, spans: "dict[Place, Span]", workload: str, iteration: int) -> "Span":
        """The span of a loop's item, which begins with its first attempt."""
        place = (iteration, None)
        if place not in spans:
            names = {"gxo.workload": workload, "gxo.iteration": iteration}
            name = f"{workload}[{iteration}]"
            spans[place] = self._start(name, self._below(spans[WHOLE]), names)
        return spans[place]

    def _around(self, workload: str | None, iteration: int | None, attempt: int | None) -> "Span":
        spans = self._open.get(workload or "", {})
        for place in ((iteration, attempt), (iteration, None), WHOLE):
            if place in spans:
                return spans[place]
        return self._root

    def _start(self, name: str, parent: "Parent", attributes: Mapping[str, Any]) -> "Span":
        return self._tracer.start_span(
            name, context=parent, attributes=attributes, start_time=self._now()
        )

    def _below(self, span: "Span") -> "Parent":
        return self._api.set_span_in_context(span)

    def _end(self, span: "Span") -> None:
        span.end(self._now())

    def _failed(self, span: "Span", error: str) -> None:
        span.set_status(self._api.StatusCode.ERROR, error)

    def _now(self) -> int:
        return int(self._run.wall(self._run.clock.monotonic()) * 1e9)


def _results(node: "Node") -> dict[str, str | int]:
    return {
        "gxo.status": node.status,
        "gxo.ignored": node.ignored,
        "gxo.attempts": node.attempts,
        "gxo.records_in": node.records_in,
        "gxo.records_out": node.records_out,
        "gxo.record_errors": node.record_errors,
        "gxo.records_dropped": node.records_dropped,
    }


def _resource() -> Any:
    """What the variables say of the service; without a name in them it is called gxo."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    found = Resource.create()
    is_named = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if is_named else found.merge(Resource({SERVICE_NAME: "gxo"}))


def _processor(exporter: str) -> Any:
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )

    if exporter == "console":
        return SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter())


def _listen_to_sdk() -> list[str]:
    """Keep what the SDK complains of, the last of it last, and keep it off standard error."""
    trouble: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not str(record.msg).startswith("Transient error"):  # tried again
                trouble.append(record.getMessage())
                del trouble[:-1]

    for name in ("opentelemetry", "urllib3"):
        logger = logging.getLogger(name)
        logger.handlers = [Keeper(logging.WARNING)]
        logger.propagate = False
    return trouble
