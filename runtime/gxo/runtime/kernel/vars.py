"""The playbook's vars: values, or functions that are evaluated when the job starts."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gxo.runtime.context import Context
from gxo.runtime.errors import ExpressionError, SecretError
from gxo.runtime.job import Workload
from gxo.runtime.kernel.node import Failure, Node, Unit

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run


class Vars(dict[str, Any]):
    """Values by name. One that is a function is evaluated when it is first read, then kept.

    So vars may refer to each other in any order; cycles are found when compiling.
    """

    def __init__(self, run: "Run", declared: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """given: what the caller has set, in place of what is declared."""
        super().__init__()
        self._run = run
        self._functions: dict[str, Callable[[Context], Any]] = {}
        for name, value in {**declared, **given}.items():
            if callable(value):
                self._functions[name] = value
            else:
                self[name] = value

    def __missing__(self, name: str) -> Any:
        # A context belongs to a workload, so each var gets one: it collects the secrets that the
        # var reads.
        node = Node(Workload(name), 0)
        node.unit = Unit([node], Failure(), in_block=False)
        run = self._run
        try:
            value = self[name] = self._functions[name](Context(run, node))
        except SecretError:
            raise
        except Exception as error:
            raise ExpressionError(f"var '{name}': {run.explain(error)}") from error
        if run.secret_use is not None:
            run.secret_use.var_read(name, node)
        return value

    def resolve(self) -> None:
        """Evaluate all that have not been read yet, in the order of the playbook."""
        for name in self._functions:
            self[name]
