"""Modules found by their names, from files laid out below roots."""

from pathlib import Path

import pytest

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.flow.uses import has_use
from gxo.compiler.modules.index import Library, Root, standard_roots

HEAD = "class S(TypedDict): ...\n"


def declaration(name: str, function: str = "do", extra: str = "") -> str:
    return f'@module("{name}")\nasync def {function}(ctx: Context{extra}) -> S: ...\n'


def lay_out(folder: Path, files: dict[str, str]) -> Root:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Root(str(folder), folder.name)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    root = lay_out(
        tmp_path / "mods",
        {
            "bare.py": HEAD + declaration("bare"),
            "space.py": HEAD + declaration("space:one", "one") + declaration("space:two", "two"),
            "wide/__init__.py": "raise SystemExit('nobody imports this')",
            "wide/verb.py": HEAD + declaration("wide:verb"),
            "wide/assert_.py": HEAD + declaration("wide:assert"),
            "wide/_helper.py": HEAD + declaration("wide:helper"),
            "wide/note.txt": "",
        },
    )
    return Library((root,), Diagnostics())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("bare", "mods.bare"),
        ("space:one", "mods.space"),
        ("space:two", "mods.space"),
        ("wide:verb", "mods.wide.verb"),
        ("wide:assert", "mods.wide.assert_"),
    ],
)
def test_a_module_is_found_by_its_name(library: Library, name: str, source: str) -> None:
    spec = library.find(name)
    assert spec is not None
    assert (spec.name, spec.source) == (name, source)
    assert not library.diags.items


STRANGE = ["", ":", "../mods/bare", "wide/verb", "a:../bare", "\0", "wide:verb\n", "bare.py", "ü:ö"]
ABSENT = ["nothing", "space", "space:three", "wide:helper", "wide:_helper", "wide:verb:more"]


@pytest.mark.parametrize("name", [*STRANGE, *ABSENT])
def test_nothing_is_found_by_another_name(library: Library, name: str) -> None:
    assert library.find(name) is None
    assert not library.diags.items


def test_all_names_are_listed_sorted(library: Library) -> None:
    assert library.names() == ("bare", "space:one", "space:two", "wide:assert", "wide:verb")
    assert library.namespace_names() == ("bare", "space", "wide")


def test_only_the_named_file_is_read(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path, {"good.py": HEAD + declaration("good:do"), "bad.py": "this is no Python"}
    )
    library = Library((root,), Diagnostics())
    assert library.find("good:do") is not None
    assert not library.diags.items
    assert library.find("bad:do") is None
    assert [item.code for item in library.diags.items] == ["GXO0590"]


def test_one_name_in_two_roots_is_refused_once(tmp_path: Path) -> None:
    roots = [
        lay_out(tmp_path / name, {"space.py": HEAD + declaration("space:do")})
        for name in ("first", "second")
    ]
    library = Library(roots, Diagnostics())
    spec = library.find("space:do")
    library.find("space:do")
    assert spec is not None and spec.source == "first.space"
    [item] = library.diags.items
    assert item.code == "GXO0520"
    assert item.span.file == str(tmp_path / "second" / "space.py")
    assert item.notes[0].span.file == str(tmp_path / "first" / "space.py")


def test_one_name_in_file_and_folder_is_refused(tmp_path: Path) -> None:
    text = HEAD + declaration("space:do")
    library = Library((lay_out(tmp_path, {"space.py": text, "space/do.py": text}),), Diagnostics())
    library.find("space:do")
    assert [item.code for item in library.diags.items] == ["GXO0591"]


def test_a_module_in_the_wrong_file_is_an_error(tmp_path: Path) -> None:
    library = Library(
        (lay_out(tmp_path, {"space.py": HEAD + declaration("other:do")}),), Diagnostics()
    )
    assert library.names() == ()
    [item] = library.diags.items
    assert "`other:do` would not be found in this file" in item.message


def test_types_come_from_other_files(tmp_path: Path) -> None:
    user = "from mods._types import Shared as S, Broken\n"
    files = {
        "_types.py": "class Shared(TypedDict):\n    x: int\n\nclass Broken(TypedDict):\n    x: bytes\n",
        "good.py": user + declaration("good:do"),
        "bad.py": user + declaration("bad:do", extra=", *, x: Broken"),
    }
    library = Library((lay_out(tmp_path / "mods", files),), Diagnostics())
    spec = library.find("good:do")
    assert spec is not None and spec.summary_name == "S"
    assert library.find("bad:do") is None
    [item] = library.diags.items
    assert item.span.file == str(tmp_path / "mods" / "bad.py") and item.span.line == 3
    assert "`Broken` from `mods._types`: `bytes` is no type" in item.message


def test_the_standard_library_reads_without_a_fault() -> None:
    library = Library(standard_roots(), Diagnostics())
    assert {"exec", "filesystem:read", "control:assert", "passthrough"} <= set(library.names())
    assert not library.diags.items


def test_every_standard_module_says_what_becomes_of_its_parameters() -> None:
    """A parameter that the manifest lists as a command is one for the compiler's checks too."""
    for spec in Library(standard_roots(), Diagnostics()).all():
        for effect in spec.effects:
            param = spec.param(effect.param)
            if effect.kind == "runs" and param:
                assert has_use(param.type, "command") or has_use(param.type, "shell"), spec.name
        texts = {param.name for param in spec.params if "message" in param.name}
        messages = {p.name for p in spec.params if has_use(p.type, "message")}
        assert texts == messages, spec.name


def test_every_standard_module_is_documented() -> None:
    for spec in Library(standard_roots(), Diagnostics()).all():
        assert spec.doc.summary.endswith("."), spec.name
        assert spec.doc.example, spec.name
        assert [param.name for param in spec.params if not param.doc] == [], spec.name
