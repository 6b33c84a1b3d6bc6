"""How a test tells `gxo test` what it does: lines of JSON on a descriptor, as it happens.

    {"began": "fetch"}
    {"ended": "fetch", "status": "Failed", "error": "...", "place": ["sync.test.gxo.yaml", 9, 16]}
    {"began": "notify", "of": "included"}
    {"step": "answers.stored", "wanted": true}
    {"failed": "workload 'fetch' failed: ..."}

A line is written at once, so that of a test that is killed it is known which workloads ran. All
texts are redacted.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.jsontext import to_json
from gxo.runtime.kernel.node import FAILED, SKIPPED
from gxo.runtime.reporting.trace import place_of
from gxo.runtime.reporting.watchers import Watcher

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.node import Node
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.pipelines.steps import Step


class Teller:
    """Writes lines to the descriptor. That nobody reads them any more is no reason to fail."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, line: dict[str, Any]) -> None:
        """Write one line."""
        rest = f"{to_json(line)}\n".encode(errors="surrogatepass")  # names of files may have such
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return


class Outcome(Watcher):
    """What one run of a test does, or with `of` that of the playbook which it includes."""

    def __init__(self, run: "Run", teller: Teller, of: str | None = None) -> None:
        self._run = run
        self._teller = teller
        self._of = of
        self._failures: dict[str, dict[str, Any]] = {}

    def included(self, run: "Run") -> "Outcome":
        return Outcome(run, self._teller, "included")

    def workload_started(self, node: "Node") -> None:
        self._tell({"began": node.name, **_condition(node, True)})

    def module_ended(self, context: "Context", error: BaseException | None) -> None:
        if error is None:
            self._failures.pop(context.workload, None)
            return
        found: dict[str, Any] = {}
        if (place := place_of(self._run, error)) is not None:
            found["place"] = place
        if failures := getattr(error, "failures", ()):
            found["assertions"] = self._run.redact(failures)
        self._failures[context.workload] = found

    def workload_ended(self, node: "Node") -> None:
        line: dict[str, Any] = {"ended": node.name, "status": node.status}
        if node.status == SKIPPED and node.reason == "its `when` is false":
            line |= _condition(node, False)
        if node.status == FAILED:
            line |= {"error": node.error, "ignored": node.ignored}
            line |= self._failures.get(node.name, {})
        self._tell(line)

    def watched(self, node: "Node", steps: "Mapping[str, Step]") -> "Mapping[str, Step]":
        from gxo.runtime.testing.coverage import observed  # only where there is a pipeline

        def tell(step: str, wanted: bool) -> None:
            self._tell({"step": f"{node.name}.{step}", "wanted": wanted})

        return observed(steps, tell)

    def job_failed(self, error: str) -> None:
        self._tell({"failed": error})

    def _tell(self, line: dict[str, Any]) -> None:
        self._teller.tell(line if self._of is None else {**line, "of": self._of})


def _condition(node: "Node", held: bool) -> dict[str, bool]:
    return {} if node.spec.when is None else {"when": held}
