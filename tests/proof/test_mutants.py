"""The mistakes that the mutation proof makes."""

import ast

from tests.proof.mutants import mutants

SOURCE = """\
if TYPE_CHECKING:
    import x
if ready and not done:
    wait(a < 2)
while True:
    break
"""


def test_each_mutant_has_one_mistake() -> None:
    made = {(one.line, one.before, one.after) for one in mutants(SOURCE)}
    assert made == {
        (3, "ready and (not done)", "ready or not done"),
        (3, "not done", "done"),
        (4, "wait(a < 2)", "pass"),
        (4, "a < 2", "a <= 2"),
        (4, "2", "3"),
        (5, "True", "False"),
        (6, "break", "pass"),
    }
    programs = {ast.unparse(one.tree) for one in mutants(SOURCE)}
    assert len(programs) == len(made)
    assert ast.unparse(ast.parse(SOURCE)) not in programs
