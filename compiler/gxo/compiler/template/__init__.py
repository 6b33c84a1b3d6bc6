"""Templates: `{{ }}` text to a syntax tree, to resolved names, to the Python a person would write.

    source -> parse.parse, parse.parse_condition   ast.Template | ast.Expr
           -> resolve.resolve(_, Scope, diags)     the same, with `ast.Root`s for the names
           -> check.check(_, diags)                findings that need types
           -> to_python.expression(_, Want(...))   PyExpr, or None: then to_python.function

grammar.lark              the whole language; tables.py loads the parser that was made of it
build.py, build_expressions.py, literals.py, expandenv.py   the parser's tree to ast nodes
mistakes.py               syntax errors named by rule and by example
resolve.py                scopes; `references` says what a template reads
functions.py, infer.py    the library's signatures; static types
check.py                  functions, arguments, fields, operators; `type_of`
py_code.py, py_names.py   pieces of Python source; names for what is a template's own
py_expressions.py         expressions; py_pieces.py, py_statements.py, py_variables.py   functions
pprint.py, walk.py        stable text of a tree; visiting every part of one

A new construct: a rule in grammar.lark, a node in ast.py, a case in the `match` of build, resolve,
walk, infer, pprint and the printers (mypy names them), a case in `tests/template/*.test`.
"""
