"""Templates: `{{ }}` text to a syntax tree, to resolved names, to the Python that a person would
write.

    source ─ parse.parse / parse.parse_condition ─> ast.Template | ast.Expr
           ─ resolve.resolve(template, Scope, diags) ─> the same with `ast.Root`s
           ─ check.check(template, diags), check.type_of(expression)
           ─ to_python.expression(template, Want("text"), mark) ─> PyExpr | None (then:
           to_python.function)

parse.py
    is_template(text: str) -> bool
    parse(source: SourceText, diags: Diagnostics, *, secrets: bool = True) -> Template | None
    parse_condition(source: SourceText, diags: Diagnostics) -> Template | Expr | None
    single_action(template: Template) -> Expr | None
resolve.py
    Scope(names: Mapping[str, Root], record: bool = False, dot: Type | None = None,
          dot_name: str = "value", workloads: frozenset[str] = frozenset(), system: frozenset[str] =
          ...)
    resolve(template: T, scope: Scope, diags: Diagnostics) -> T          # T: Template or Expr
    references(template: Template | Expr) -> References
        registers, statuses, inputs, vars, secrets, env: frozenset[str]; records, impure: bool
check.py
    check(template: Template | Expr, diags: Diagnostics) -> None
    type_of(expression: Expr) -> Type
to_python.py
    Want(kind: "text" | "show" | "native" | "condition", to: Type | None = None, name: str = "")
    expression(template: Template | Expr, want: Want, mark: Mark = unmarked) -> PyExpr | None
    function(template: Template | Expr, name: str, want: Want, mark: Mark = unmarked) -> PyFunction
    PyExpr(code: str, imports: frozenset[str], names: frozenset[str])
    PyFunction(name: str, parameters: tuple[str, ...], lines: tuple[str, ...], imports:
    frozenset[str]) Mark = Callable[[str, Span], str]

`imports` are whole lines (`from gxo.runtime import expr`); `names` and `parameters` are what the
code reads from around it (`ctx`, `record`, a loop variable).
"""
