"""How far references are checked: a template, and its counts (checked, partly, unchecked)."""

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template.coverage import coverage
from gxo.compiler.template.parse import parse
from gxo.compiler.template.resolve import resolve
from tests.template.cases import scope


@pytest.mark.parametrize(
    ("record", "template", "counts"),
    [
        (False, "plain", (0, 0, 0)),
        (False, "{{ .api }}{{ ._gxo.playbook.name }}", (2, 0, 0)),
        (False, "{{ .users.status_code }}{{ .users.json }}", (2, 0, 0)),
        (False, "{{ .users.json.id }}{{ .raw.x }}", (0, 2, 0)),
        (False, "{{ range .hosts }}{{ .name }}{{ end }}", (2, 0, 0)),
        (False, "{{ range .list }}{{ .name }}{{ end }}", (1, 0, 1)),
        (False, "{{ $h := first .hosts }}{{ $h.name }}", (2, 0, 0)),
        (False, "{{ define 'h' }}{{ .name }}{{ end }}{{ template 'h' (first .hosts) }}", (2, 0, 0)),
        (True, "{{ .id }}{{ .user.name }}", (0, 0, 2)),
    ],
)
def test_coverage(record: bool, template: str, counts: tuple[int, int, int]) -> None:
    diagnostics = Diagnostics()
    tree = parse(plain(template, "t"), diagnostics)
    assert tree is not None
    found = coverage(resolve(tree, scope(record), diagnostics))
    assert (found["checked"], found["partly"], found["unchecked"]) == counts
    assert diagnostics.items == []
