"""Values of the plan as Python expressions, and the helper functions that some of them need.

Computed(text {{ .api }}/users)      f"{ctx.inputs['api']}/users"
Computed(text with a `range`)        deploy_content(ctx, host), and `def deploy_content` beside it
ForEach(Computed(.status == "on"))   lambda record: record["status"] == "on"; a condition on a value
                                     of the module's: lambda value: value["status_code"] == 200
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gxo.compiler.codegen.imports import Imports
from gxo.compiler.diagnostics import Span
from gxo.compiler.ir.nodes import Computed, Constant, Copy, Fields, ForEach, Items, Value
from gxo.compiler.ir.walk import computed
from gxo.compiler.python_source import Names, literal
from gxo.compiler.template.to_python import PyFunction, Want, expression, function

Mark = Callable[[str, Span], str]


@dataclass(slots=True)
class Printer:
    """Prints the values of one workload or step.

    `helpers` fills with the functions that the values call, `used` with the names that they read
    from around them: `ctx`, `record`, `event`, `steps`. context: what the context is called there.
    local: gives the variable of the function around them that keeps a shared value. guarded: in a
    loop, the variable of a value whose type is looked at in line.
    """

    prefix: str
    names: Names
    imports: Imports
    mark: Mark
    context: str = "ctx"
    local: Callable[[str], str] = str
    guarded: str | None = None
    helpers: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def code(self, value: Value, name: str) -> str:
        """The expression for the value of the parameter or key `name`."""
        match value:
            case Constant(constant):
                return literal(constant)
            case Computed():
                return self._computed(value, name)
            case Copy(inner):
                deep_copy = self.imports.use("gxo.runtime", "deep_copy")
                return f"{deep_copy}({self.code(inner, name)})"
            case ForEach(inner, dot=dot):
                return self.function_of("record" if dot is None else "value", inner, name)
            case Items(values):
                return f"[{', '.join(self.code(item, name) for item in values)}]"
            case Fields(entries):
                pairs = (f"{literal(key)}: {self.code(item, key)}" for key, item in entries)
                return "{" + ", ".join(pairs) + "}"

    def opposite(self, value: Computed, name: str) -> str:
        """The expression for whether a condition does not hold."""
        want = Want(value.want, value.type, name, negated=True)
        inline = self._inline(value, want)
        return f"not {self._called(value, name)}" if inline is None else inline

    def function_of(self, parameter: str, value: Value, name: str) -> str:
        """A function of `parameter` that yields the value: a lambda, or a helper's name."""
        return self._function((parameter,), self.code(value, name))

    def deciding(self, value: Value, name: str, known: tuple[str, ...], *, all_: bool) -> str:
        """A function that gives a `when` or a `loop`: of those `known` names that it reads, or all.

        The source map gets its whole text, which a dry run shows when its value is not known.
        """
        before, self.used = self.used, set()
        code = self.code(value, name)
        read = known if all_ else tuple(one for one in known if one in self.used)
        self.used = before
        function = self._function(read, code)
        if self._is_helper(function):
            return self.mark(function, value.span)
        return self._function(read, self.mark(code, value.span))

    def _function(self, parameters: tuple[str, ...], code: str) -> str:
        called, _, rest = code.partition("(")
        if rest == f"{', '.join(parameters)})" and self._is_helper(called):
            return called
        return f"lambda {', '.join(parameters)}: {code}" if parameters else f"lambda: {code}"

    def is_constant(self, value: Value) -> bool:
        """Whether the value needs neither the context nor a record."""
        return not computed(value)

    def _computed(self, value: Computed, name: str) -> str:
        inline = self._inline(value, Want(value.want, value.type, name))
        return self._called(value, name) if inline is None else inline

    def _inline(self, value: Computed, want: Want) -> str | None:
        inline = expression(value.template, want, self.mark, self.context, self.local, self.guarded)
        if inline is None:
            return None
        for line in inline.imports:
            self.imports.use_line(line)
        self.used |= inline.names
        return inline.code

    def _called(self, value: Computed, name: str) -> str:
        """The call of a function that is made for the value."""
        want = Want(value.want, value.type, name)
        helper = self.names.fresh(f"{self.prefix}_{name}" if self.prefix else name)
        made = function(value.template, helper, want, self.mark)
        for line in made.imports:
            self.imports.use_line(line)
        self.helpers.append(_source(made))
        given = [_bare(parameter) for parameter in made.parameters]
        self.used.update(given)
        passed = [self.context if one == "ctx" else one for one in given]
        return f"{helper}({', '.join(passed)})"

    def _is_helper(self, name: str) -> bool:
        return any(helper.startswith(f"def {name}(") for helper in self.helpers)


def _source(made: PyFunction) -> str:
    return "\n".join(made.lines)


def _bare(parameter: str) -> str:
    return parameter.partition(":")[0].strip()
