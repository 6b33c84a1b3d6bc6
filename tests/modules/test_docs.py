"""Documentation made from declarations, and the pages in `docs/modules/`."""

import json
from pathlib import Path

import yaml

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.declare import parse_file, read_modules
from gxo.compiler.modules.docs import as_data, as_markdown, as_text, stale_docs, write_docs
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.modules.spec import ModuleSpec

SAMPLE = '''
class Written(TypedDict):
    path: str
    key: NotRequired[Secret]

@module("x:write", changes=True, effects=[writes("path")], emits_when="to", needs=["httpx"])
async def write(ctx: Context, out: Out | None, *, path: WorkspacePath, wait: Duration = 90.0,
                limit: Size = 10 * 1024 * 1024, codes: Sequence[int] = (0, 1), on: bool = True,
                to: Literal["a", "b"] | None = None) -> Written:
    """Write it | somewhere.

    Some text.

    Args:
        path: where
        wait: how long
        limit: how much
        codes: which | what
        on: whether
        to: the output

    Returns: what was written

    Raises: the disk is full

    Example:
        name: w
        process: {module: x:write, params: {path: a}}
    """
'''


def sample() -> ModuleSpec:
    diags = Diagnostics()
    source = parse_file(SAMPLE, "x.py", lambda _: None, diags)
    assert source is not None
    [spec] = read_modules(source, "gxo.stdlib.x", diags)
    return spec


def test_text() -> None:
    text = as_text(sample())
    assert text.startswith("x:write\n\nWrite it | somewhere.\n\nSome text.\n\nParameters:\n")
    assert "  path: a path, required\n      where\n" in text
    assert "default 90s\n      how long" in text
    assert "default 10MiB\n" in text
    assert "default [0, 1]\n" in text
    assert "default true\n" in text
    assert "Errors:\n  the disk is full\n" in text
    assert text.endswith("Example:\n  name: w\n  process: {module: x:write, params: {path: a}}\n")


def test_markdown() -> None:
    text = as_markdown(sample())
    assert text.startswith("## x:write\n\nWrite it | somewhere.\n")
    assert "| `codes` | a list of ints | default [0, 1] | which \\| what |" in text
    assert "**Stream output**: with `to`" in text
    assert "**Distributions**: httpx" in text
    block = text.partition("```yaml\n")[2].partition("```")[0]
    assert yaml.safe_load(block)[0]["process"]["params"] == {"path": "a"}


def test_data_is_json() -> None:
    data = json.loads(json.dumps(as_data(sample())))
    assert data["parameters"][0]["required"] is True
    assert data["returns"][1] == {"name": "key", "type": "text", "optional": True, "secret": True}
    assert data["effects"] == [{"kind": "writes", "parameter": "path", "unless": [], "only": []}]


def test_pages_are_written_and_checked(tmp_path: Path) -> None:
    library = Library(standard_roots(), Diagnostics())
    folder = tmp_path / "modules"
    assert "README.md" in stale_docs(str(folder), library)
    write_docs(str(folder), library)
    assert stale_docs(str(folder), library) == []
    (folder / "exec.md").write_text("changed")
    (folder / "left-over.md").write_text("")
    (folder / "control.md").unlink()
    assert stale_docs(str(folder), library) == ["control.md", "exec.md", "left-over.md"]
    write_docs(str(folder), library)
    assert stale_docs(str(folder), library) == []
