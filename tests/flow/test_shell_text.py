"""Where an action stands in a shell's text."""

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.flow.shell_text import unsafe_places
from gxo.compiler.source import plain
from gxo.compiler.template import ast, walk
from gxo.compiler.template.parse import parse

QUOTES, COMMENT = "inside quotes", "inside a comment"
HEREDOC, BACKSLASH = "inside a here-document", "behind a backslash"
UNKNOWN = "where quotes may be open"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("{{ 1 }}", [None]),
        ("echo {{ 1 }} x{{ 2 }}y --a={{ 3 }}", [None, None, None]),
        ("echo '{{ 1 }}' {{ 2 }}", [QUOTES, None]),
        ('echo "{{ 1 }} {{ 2 }}" {{ 3 }}', [QUOTES, QUOTES, None]),
        ('echo "it\'s {{ 1 }}" {{ 2 }}', [QUOTES, None]),
        ("echo 'say \"' {{ 1 }}", [None]),
        ('echo "\\"" {{ 1 }}', [None]),
        ("echo 'a\\' {{ 1 }}", [None]),
        ("echo \\{{ 1 }} \\\\{{ 2 }}", [BACKSLASH, None]),
        ("echo \\' {{ 1 }}", [None]),
        ("ls # {{ 1 }}\n{{ 2 }}", [COMMENT, None]),
        ("ls a#{{ 1 }} {{ 2 }}#{{ 3 }}", [None, None, None]),
        ("#!/bin/sh\nls {{ 1 }}", [None]),
        ("ls #'\n{{ 1 }}", [None]),
        ('echo "$(grep {{ 1 }} f)" {{ 2 }}', [None, None]),
        ('echo "$(grep "{{ 1 }}" f) {{ 2 }}"', [QUOTES, QUOTES]),
        ('echo "`grep {{ 1 }} f` {{ 2 }}"', [None, QUOTES]),
        ("(ls '(' {{ 1 }}) {{ 2 }}", [None, None]),
        ("echo $((1<<2)) {{ 1 }}", [None]),
        ("cat <<EOF {{ 1 }}\n{{ 2 }}\nEOF\n{{ 3 }}", [None, HEREDOC, None]),
        ("cat <<'E F'\n'{{ 1 }}\nE F\n'{{ 2 }}'", [HEREDOC, QUOTES]),
        ("cat <<-EOF\n\t{{ 1 }}\n\tEOF\n{{ 2 }}", [HEREDOC, None]),
        ("cat <<A <<B\n{{ 1 }}\nA\n{{ 2 }}\nB\n{{ 3 }}", [HEREDOC, HEREDOC, None]),
        ("cat <<EOF\n{{ 1 }} EOF\nEOF2\n{{ 2 }}\nEOF\n{{ 3 }}", [HEREDOC, HEREDOC, None]),
        ("cat <<< {{ 1 }}", [None]),
        ("echo ${x:-'} {{ 1 }}'} {{ 2 }} ${x#{{ 3 }}}", [QUOTES, None, None]),
        ("echo \"${x:-'{{ 1 }}'} {{ 2 }}\" {{ 3 }}", [QUOTES, QUOTES, None]),
        ('echo "${x:-"{{ 1 }}"}"', [UNKNOWN]),
        ("{{ if 1 }}'{{ 2 }}'{{ else }}{{ 3 }}{{ end }} {{ 4 }}", [QUOTES, None, None]),
        ("'{{ if 1 }}{{ 2 }}{{ end }}{{ 3 }}'{{ 4 }}", [QUOTES, QUOTES, None]),
        ("{{ if 1 }}'{{ end }}{{ 2 }}'{{ 3 }}", [UNKNOWN, UNKNOWN]),
        ("{{ range list 1 }}'{{ 2 }}' {{ end }}{{ 3 }}", [QUOTES, None]),
        ("{{ range list 1 }}'{{ end }}{{ 2 }}", [UNKNOWN]),
        ("{{ range list 1 }}{{ 2 }}'{{ end }}", [UNKNOWN]),
        ("{{ define \"d\" }}'{{ 1 }}'{{ 2 }}{{ end }}", [QUOTES, None]),
    ],
)
def test_places(text: str, places: list[str | None]) -> None:
    template = parse(plain(text, "f"), Diagnostics())
    assert template is not None
    found = unsafe_places(template)
    actions = [node for node in walk.nodes(template) if isinstance(node, ast.Action)]
    assert [found.get(id(node)) for node in actions] == places
