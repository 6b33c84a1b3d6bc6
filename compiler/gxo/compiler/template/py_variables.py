"""The variables of a template as those of the Python functions that it becomes.

Each `$x := ...` is a Python variable of its own (`x`, an inner one `x_2`), because Python's blocks
open no scope. A function inside another one that sets a variable of the outer one declares it
`nonlocal`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gxo.compiler.frozen import replace
from gxo.compiler.python_source import Names
from gxo.compiler.template.infer import Known
from gxo.compiler.template.py_expressions import ExpressionPrinter


@dataclass(slots=True)
class FunctionSource:
    """A function being written: the functions inside it come before its own lines."""

    header: str
    lines: list[str] = field(default_factory=list)
    inner: list["FunctionSource"] = field(default_factory=list)
    assigned_outside: set[str] = field(default_factory=set)

    def source(self) -> Iterator[str]:
        yield self.header
        if self.assigned_outside:
            yield f"    nonlocal {', '.join(sorted(self.assigned_outside))}"
        for function in self.inner:
            for line in function.source():
                yield f"    {line}" if line else ""
            yield ""
        for line in self.lines:
            yield f"    {line}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a whole template: which variables are set again or read, whether it makes
    values with methods."""

    reassigned: frozenset[str]
    read: frozenset[str]
    natives: bool


@dataclass(slots=True)
class Variables:
    """Names Python variables; `owners` tells which function each is of."""

    names: Names
    facts: Facts
    owners: dict[str, FunctionSource] = field(default_factory=dict)

    def own(self, wanted: str, function: FunctionSource) -> str:
        """A new variable of the function."""
        name = self.names.fresh(wanted or "dollar")
        self.owners[name] = function
        return name

    def outer(self, variable: str, printer: ExpressionPrinter, function: FunctionSource) -> str:
        """The Python variable to set again, which may be that of a function around this one."""
        name = printer.variables[variable]
        if self.owners[name] is not function:
            function.assigned_outside.add(name)
        return name

    def named(
        self, variable: str, name: str, known: Known, printer: ExpressionPrinter
    ) -> ExpressionPrinter:
        """The printer for the places where the template's variable is the Python one."""
        if variable in self.facts.reassigned:
            known = Known(native=self.facts.natives)
        return replace(
            printer,
            env=printer.env.with_variable(variable, known),
            variables={**printer.variables, variable: name},
        )

    def unread(self, variable: str | None, printer: ExpressionPrinter) -> ExpressionPrinter:
        """The printer after a variable that, if nothing reads it, needs no name."""
        if variable is None or variable in self.facts.read:
            return printer
        return self.named(variable, "_", Known(), printer)

    def is_read(self, variable: str | None) -> bool:
        return variable is not None and variable in self.facts.read
