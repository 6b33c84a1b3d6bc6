"""The syntax tree of a template: what every later stage reads instead of text.

    {{ if .on }}{{ .users.body | upper }}{{ end }}
    If((Branch(Field(Dot, ("on",)), (Action(Call("upper", (Field(Dot, ("users", "body")),))),)),),
    ())

Pipelines are flattened (the piped value is the last argument) and the functions that have an
operator (`eq .a .b`, `and`, `or`, `not`) are stored as that operator, so there is one form to check
and compile. `resolve.resolve` replaces the head of each reference by a `Root`. Nodes compare
without their spans.
"""

from dataclasses import dataclass, field
from typing import Literal as OneOf

from gxo.compiler.diagnostics import Span
from gxo.compiler.source import SourceText
from gxo.compiler.types import ANY, Type

RootKind = OneOf[
    "input",  # ctx.inputs["name"]
    "var",  # ctx.vars["name"]
    "register",  # ctx.state["name"]
    "loop",  # a loop variable: the Python name in `python`
    "record",  # the whole record of a per-record template
    "field",  # a field of that record, or else what `outer` names
    "step",  # the result of a pipeline's step: steps["name"]
    "dot",  # the value a module evaluates the template with, or `gxo eval`'s data
    "workload",  # _gxo.workloads.<name>.<attribute>
    "system",  # another part of _gxo: name is "playbook.run_id", "workspace.path", "status"...
]
ArithmeticOperator = OneOf["+", "-", "*", "/", "%"]
ComparisonOperator = OneOf["==", "!=", "<", "<=", ">", ">="]
BinaryOperator = ArithmeticOperator | ComparisonOperator


# Expressions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | float | bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Nil:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`: after resolution only a dot that `with`, `range` or `template` has set."""

    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; the empty name is `$`, the value that the template (or `define`) started with."""

    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Root:
    """The resolved head of a reference; see `RootKind`.

    `python` is the name that generated code uses for a loop variable, record or dot. `attribute` is
    the part of a workload's result (`status`, `error`, `summary`). `outer` is what a record's field
    means when the record does not have it.
    """

    kind: RootKind
    name: str
    type: Type = ANY
    python: str = ""
    attribute: str = ""
    outer: "Root | None" = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.0.b`: text names a key, an integer an index of a list."""

    base: "Expr"
    names: tuple[str | int, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    args: "tuple[Expr, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """`(semver "1.2").LessThan $other`: a field with arguments; only native values have them."""

    base: "Expr"
    name: str
    args: "tuple[Expr, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    operator: BinaryOperator
    left: "Expr"
    right: "Expr"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Expr"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class And:
    operands: "tuple[Expr, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    operands: "tuple[Expr, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that is computed once: the first evaluates it and keeps it, the others read it.

    Only the pass `share_expressions` makes these.
    """

    name: str
    value: "Expr"
    first: bool
    span: Span | None = field(compare=False)


Expr = (
    Literal | Nil | Dot | Variable | Root | Field | Call | Method | Binary | Not | And | Or | Shared
)


# Statements ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipe }}`: prints a value; `shorthand` when it was written as `${NAME}`."""

    pipe: Expr
    span: Span = field(compare=False)
    shorthand: bool = False


@dataclass(frozen=True, slots=True)
class Assign:
    """`{{ $name := pipe }}`, or `=` to set an existing variable (`declare` is False)."""

    variable: str
    pipe: Expr
    declare: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Branch:
    """One condition of an `if` and what it guards; `variable` holds the condition's value."""

    condition: Expr
    body: "tuple[Node, ...]"
    variable: str | None
    declare: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[Branch, ...]
    otherwise: "tuple[Node, ...]"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class With:
    """`with`: the pipe's value is the dot of the body when it is not empty."""

    pipe: Expr
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"
    variable: str | None
    declare: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """`range`: each element is the dot of the body in turn; maps go by sorted key."""

    pipe: Expr
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"
    index: str | None
    element: str | None
    declare: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Break:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Continue:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Include:
    """`{{ template "name" argument }}`; without an argument the dot inside is nil."""

    name: str
    argument: Expr | None
    span: Span = field(compare=False)


Node = Text | Action | Assign | If | With | Range | Break | Continue | Include


@dataclass(frozen=True, slots=True)
class Define:
    """`{{ define "name" }}body{{ end }}`, also what a `block` leaves behind."""

    name: str
    body: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A whole template; `defines` are in the order of the source."""

    nodes: tuple[Node, ...]
    defines: tuple[Define, ...]
    span: Span = field(compare=False)
    source: SourceText = field(compare=False, repr=False)
