"""Formatting in pieces gives what black makes of the whole, and kept pieces are believed carefully."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import black
import pytest
from black.mode import TargetVersion
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.codegen import format_cache, formatting
from gxo.compiler.codegen.gate import GateError, format_module
from gxo.compiler.driver import check

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(
    [*ROOT.glob("golden/*/playbook.gxo.yaml"), *ROOT.glob("docs/examples/*/*.gxo.yaml")]
)
MODE = black.Mode(line_length=100, target_versions={TargetVersion.PY311})

HEADS = [
    '"""Title."""\n\nimport os\n\njob = Job("a",  x=1)\n',
    "x = 1\n",
    '"""Title."""\n',
    "import os\n",
]
BETWEEN = [
    "\n\n",
    "\n",
    "",
    "\n\n\n",
    "\n\ny = [1,2]\n",
    "\n\n# alone\n\n\n",
    "\n# near\n",
    "\n\nclass A:\n    b = 1\n\n\n",
]
FUNCTIONS = [
    "async def f(ctx: Context) -> int:\n    return await g( ctx,x = 'y' )\n",
    '# one: exec\n@job.workload("one",  register="r")\nasync def f(c): return 1\n',
    "# two\n# lines\ndef f(): pass\n",
    'def f():\n    text = """a\n\n\n# b: exec\n@x\ndef no(): pass\n"""\n    return text\n',
    "@a\n# in between\n@b\ndef f(*, a, b,): return {  'a': 1 }\n\n\n\n\n",
    "def f():\n    def g(): pass\n    return g\n    # last\n",
    "def f():  # fmt: skip\n    pass\n",
]


def whole(text: str) -> str:
    return black.format_str(text, mode=MODE)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of kept pieces; each piece of a module is kept."""
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(formatting, "MANY", 1)
    return tmp_path / "cache" / "gxo" / "format"


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_each_golden_module_in_pieces_is_what_black_makes_of_the_whole(path: Path) -> None:
    compilation = check(path)
    if compilation.diagnostics.has_errors:
        assert "findings" in str(path)
        return
    text = compilation.generate(pretty=False).text
    assert len(list(formatting.cut(text, ast.parse(text)))) >= 2
    assert format_module(text) == whole(text)
    assert format_module(text) == whole(text), "from kept pieces"


@given(
    st.sampled_from(HEADS),
    st.lists(st.tuples(st.sampled_from(BETWEEN), st.sampled_from(FUNCTIONS)), max_size=6),
)
def test_any_layout_in_pieces_is_what_black_makes_of_the_whole(
    head: str, rest: list[tuple[str, str]]
) -> None:
    text = head + "".join(between + function for between, function in rest)
    pieces = list(formatting.cut(text, ast.parse(text)))
    assert "\n\n".join(formatting._formatted(pieces)) == whole(text)


MODULE = "import os\n" + "".join(f"\n\ndef f{n}(a, b,): return {{'a':{n}}}\n" for n in range(5))


def test_only_what_changed_is_formatted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    format_module(MODULE)
    formatted = []
    real = formatting._formatted
    monkeypatch.setattr(
        formatting, "_formatted", lambda pieces: formatted.extend(pieces) or real(pieces)
    )
    changed = MODULE.replace("'a':3", "'b':3")
    assert format_module(changed) == whole(changed)
    assert formatted == ["\ndef f3(a, b,): return {'b':3}\n".lstrip("\n")]


def kept(cache: Path) -> Path:
    (file,) = cache.iterdir()
    return file


def test_the_file_holds_what_was_used_last(cache: Path) -> None:
    format_module(MODULE)
    assert len(json.loads(kept(cache).read_bytes())) == 6
    shorter = MODULE.partition("\n\ndef f3")[0]
    format_module(shorter)
    assert len(json.loads(kept(cache).read_bytes())) == 4


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff", b'{"a": "'])
def test_a_damaged_file_is_as_none(cache: Path, content: bytes) -> None:
    format_module(MODULE)
    kept(cache).write_bytes(content)
    assert format_module(MODULE) == whole(MODULE)


def test_a_kept_piece_that_says_something_else_is_found(cache: Path) -> None:
    format_module(MODULE)
    file = kept(cache)
    file.write_text(file.read_text().replace("return {", "return evil, {"))
    with pytest.raises(GateError, match="changed the module's meaning"):
        format_module(MODULE)


def test_no_link_is_followed(cache: Path, tmp_path: Path) -> None:
    format_module(MODULE)
    file = kept(cache)
    elsewhere = tmp_path / "elsewhere.json"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert format_cache.load(file.stem) == {}
    assert format_module(MODULE) == whole(MODULE)
    assert not file.is_symlink(), "it was replaced"


def test_a_folder_that_others_can_change_is_not_used(cache: Path) -> None:
    format_module(MODULE)
    name = kept(cache).stem
    assert format_cache.load(name)
    cache.chmod(0o777)
    assert format_cache.load(name) == {}
    before = kept(cache).read_bytes()
    assert format_module(MODULE + "\n\ndef more(): pass\n").endswith("pass\n")
    assert kept(cache).read_bytes() == before


def test_without_a_folder_for_caches_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")
    assert format_module(MODULE) == whole(MODULE)


def test_the_oldest_files_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_cache, "MOST_FILES", 2)
    for number, name in enumerate(("a", "b", "c")):
        format_cache.store(name, {name: name})
        if (cache / f"{name}.json").exists():
            os.utime(cache / f"{name}.json", (number, number))
    assert sorted(one.name for one in cache.iterdir()) == ["b.json", "c.json"]


def test_a_small_module_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "MANY", 100)
    assert format_module(MODULE) == whole(MODULE)
    assert not cache.exists()


PROBE = """
import sys
from gxo.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
assert not code, code
assert "black" not in sys.modules
"""


@pytest.mark.parametrize("verb", ["validate", "run"])
def test_validating_and_running_do_not_wait_for_black(verb: str, tmp_path: Path) -> None:
    playbook = ROOT / "tests/bench/playbooks/trivial.gxo.yaml"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, verb, str(playbook)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "GXO_WORKSPACES": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
