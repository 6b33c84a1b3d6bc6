"""`gxo explain`: the table of codes on a terminal."""

import pytest

from gxo.cli.main import main
from gxo.compiler.codes import table
from gxo.compiler.codes.page import document, explain


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "gxo0304"]) == 0
    assert capsys.readouterr().out == (
        "GXO0304 (error): `needs` names nothing\n\n"
        "`needs` lists workloads that this one waits for, by their `name`. There is none of this"
        " name at the\ntop level of the playbook. In a step of a `stream:pipeline` it lists other steps of"
        " the same\npipeline, by their `id`.\n\n"
        "Fails:\n\n"
        "    - name: build\n"
        "    - name: deploy\n"
        "      needs: [biuld]\n\n"
        "Passes:\n\n"
        "    - name: build\n"
        "    - name: deploy\n"
        "      needs: [build]\n"
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("GXO0609X", 'there is no diagnostic "GXO0609X"; did you mean "GXO0609"?'),
        ("all", 'there is no diagnostic "all"; a code looks like GXO0301'),
    ],
)
def test_an_unknown_code_is_a_usage_error(
    code: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", code]) == 2
    assert capsys.readouterr().err == f"gxo: {said}\n"


def test_every_code_is_on_the_page_and_has_one_of_its_own() -> None:
    page = document()
    for code in table().values():
        level = f"{code.level}, error with --strict" if code.strict else code.level
        level += ", can be accepted" if code.acceptable else ""
        assert f"\n### {code.code} {level}: {code.title}\n\n{code.explanation}\n" in page
        assert code.explanation in explain(code)
