"""Templates that are deep or long: bounded time, a clear error, and Python that Python accepts."""

import tracemalloc

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template.build_expressions import MAX_DEPTH
from gxo.compiler.template.parse import MAX_PARTS, parse, parse_condition
from tests.template.evaluator import evaluate

MANY = 4_000
DEEP = [
    "{{ " + "(upper " * MANY + ".x" + ")" * MANY + " }}",
    "{{ .x" + " | upper" * MANY + " }}",
    "{{ 1" + " + 1" * MANY + " }}",
    "{{ " + "!" * MANY + ".x }}",
    "{{ .x" + ".x" * MANY + " }}",
    "{{ if .x }}" * MANY + "{{ end }}" * MANY,
    "{{ with .x }}" * MANY + "{{ end }}" * MANY,
    "{{ range .x }}" * MANY + "{{ end }}" * MANY,
    "{{ if .x }}" + "{{ else if .x }}" * MANY + "{{ end }}",
    "{{ with .x }}" + "{{ else with .x }}" * MANY + "{{ end }}",
]
BROKEN = [
    "{{ " + "(" * MANY,
    "{{ if .x }}" * MANY,
    "{{ " * MANY,
    "{{ " + '"' * MANY,
    "{{ " + "1" * MANY + " }}",
    "{{ ." + "a" * MANY + "! }}",
    "{{ /*" * MANY,
    "${" * MANY + "{{",
    "{{ " + "- " * MANY + "}}",
]


@pytest.mark.parametrize("text", DEEP, ids=[text[:20] for text in DEEP])
def test_what_is_too_deep_is_one_error(text: str) -> None:
    diags = Diagnostics()
    assert parse(plain(text, "p"), diags) is None
    assert [item.code for item in diags.items] == ["GXO0413"]


@pytest.mark.parametrize("text", BROKEN, ids=[text[:20] for text in BROKEN])
def test_what_is_long_and_wrong_is_one_error(text: str) -> None:
    diags = Diagnostics()
    assert parse(plain(text, "p"), diags) is None
    assert len(diags.items) == 1
    assert parse_condition(plain(text, "p"), Diagnostics()) is None


LONG = {
    "arguments": "{{ list" + " 1" * 200_000 + " }}",
    "actions": "{{ 1 }}" * 40_000,
    "blocks": "{{ if true }}" * 80_000,
    "operators": "{{ 1 " + "&& 1 " * 100_000 + "}}",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_what_has_too_many_parts_is_one_error(text: str) -> None:
    diags = Diagnostics()
    assert parse(plain(text, "p"), diags) is None
    assert [item.code for item in diags.items] == ["GXO0413"]
    assert f"{MAX_PARTS:,}" in diags.items[0].message
    assert diags.items[0].span.column < len(text) * 0.9  # it is not read to its end


MILLION = 1_000_000
SCALARS = {
    "text": ("y", "", ""),
    "braces": ("{ ", "", ""),
    "dollars": ("${", "", ""),
    "quoted": ("y", '{{ "', '" }}'),
    "back_quoted": ("y", "{{ `", "` }}"),
    "escapes": ("\\n", '{{ "', '" }}'),
    "comment": ("* ", "{{/* ", " */}}"),
    "white": (" ", "{{ 1", " }}"),
    "fraction": ("7", "{{ 0.", " }}"),
}
WRONG_SCALARS = {
    "digits": ("1", "{{ 1", " }}"),
    "hexadecimal": ("f", "{{ 0x", " }}"),
    "underscores": ("1_", "{{ ", "1 }}"),
    "exponents": ("e+1", "{{ 1", " }}"),
    "fields": (".x", "{{ ", " }}"),
    "fields_of_a_variable": (".x", "{{ $x", " }}"),
    "fields_of_a_group": (".x", "{{ (.x)", " }}"),
    "fields_before_a_mistake": (".x", "{{ ", "?b }}"),
    "open_quote": ("y", '{{ "', ""),
    "open_quote_and_escapes": ("\\n", "{{ '", ""),
    "open_comment": ("* ", "{{/* ", ""),
}


def _read(filling: str, before: str, after: str) -> tuple[list[str], int]:
    """The codes of what is wrong with a scalar of a million characters, and the most memory used."""
    text = before + filling * (MILLION // len(filling)) + after
    diags = Diagnostics()
    tracemalloc.start()
    try:
        parse(plain(text, "p"), diags)
        return [item.code for item in diags.items], tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", SCALARS)
def test_a_long_scalar_is_read_without_a_way_back(name: str) -> None:
    """A million characters were hundreds of MiB when each kept a place to come back to."""
    codes, peak = _read(*SCALARS[name])
    assert codes == []
    assert peak < 20 * 1024 * 1024


@pytest.mark.parametrize("name", WRONG_SCALARS)
def test_what_is_wrong_with_a_long_scalar_needs_no_more(name: str) -> None:
    codes, peak = _read(*WRONG_SCALARS[name])
    assert len(codes) == 1
    assert peak < 20 * 1024 * 1024


def test_what_is_wide_runs() -> None:
    assert evaluate("{{ .x }}-" * 3000, {"x": 1}).output == "1-" * 3000
    assert evaluate("{{ add" + " 1" * 3000 + " }}", None).output == "3000"
    assert evaluate("{{ or" + " .x" * 3000 + " 7 }}", {"x": 0}).output == "7"
    assert evaluate("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", None).output == "1"


def _nested(levels: int, opening: str) -> str:
    return opening * levels + "{{ . }}" + "{{ end }}" * levels


@pytest.mark.parametrize("levels", [10, 11, 12, 13, 14, 25, 60, MAX_DEPTH - 6])
def test_what_is_nested_as_deep_as_allowed_runs(levels: int) -> None:
    data: object = "x"
    for _ in range(levels):
        data = {"m": data}
    assert evaluate(_nested(levels, "{{ with .m }}"), data).output == "x"
    assert evaluate(_nested(levels, "{{ range . }}"), data).output == "x"
    assert (
        evaluate(
            "{{ $x := 0 }}" + _nested(levels, "{{ with .m }}{{ $x = add $x 1 }}") + "{{ $x }}", data
        ).output
        == f"x{levels}"
    )
    variables = "".join("{{ with $v" + str(n) + " := .m }}" for n in range(levels))
    tail = "{{ $v0.m | kindOf }}" if levels > 1 else ""
    assert evaluate(variables + tail + "{{ end }}" * levels, data).ok
    assert (
        evaluate("{{ if .m }}" * levels + "y" + "{{ else }}n{{ end }}" * levels, data).output == "y"
    )
    assert evaluate("{{ " + "(add1 " * levels + "0" + ")" * levels + " }}", None).output == str(
        levels
    )
    assert evaluate("{{ " + "!" * levels + "true }}", None).output == str(levels % 2 == 0).lower()
    assert (
        evaluate(
            "{{ " + "(default 1 " * (levels // 2) + "0" + ")" * (levels // 2) + " }}", None
        ).output
        == "1"
    )
    assert evaluate("{{ 1" + " + 1" * (levels - 1) + " }}", None).output == str(levels)
    assert evaluate("{{ " + "list (" * (levels // 2) + "1" + ")" * (levels // 2) + " }}", None).ok


def test_a_break_leaves_its_own_loop_however_deep() -> None:
    inner = "{{ with 1 }}{{ if $.on }}" * 12 + "{{ break }}" + "{{ end }}{{ end }}" * 12
    text = "{{ range .l }}{{ . }}" + inner + "{{ . }}{{ end }}!"
    assert evaluate(text, {"l": [1, 2], "on": True}).output == "1!"
    assert evaluate(text, {"l": [1, 2], "on": False}).output == "1122!"
