"""A second compilation makes only what has changed, gives the same bytes, and believes no damage."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gxo.compiler import kept
from gxo.compiler.codegen import formatting, parts
from gxo.compiler.driver import Compilation
from gxo.compiler.package import archive
from gxo.compiler.package import collect as collecting
from gxo.compiler.package.bytecode import compile_module
from gxo.compiler.package.run_store import write_folder

HEAD = "name: kept\nschemaVersion: v1.0.0\nvars: {tool: uname}\nworkloads:\n"
WORKLOAD = """\
  - name: w-{n}
    lifecycle: {{policy: run_once}}
    process: {{module: exec, params: {{command: "{{{{ .tool }}}}", args: [a, n{n}]}}}}
"""
WORKLOADS = 8
PLAYBOOK = HEAD + "".join(WORKLOAD.format(n=n) for n in range(WORKLOADS))
CHANGED = PLAYBOOK.replace("[a, n3]", "[b, n3]")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept, in which any program counts as large and has parts."""
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "MANY", WORKLOADS)
    for name, value in {"ONE_FILE": WORKLOADS - 1, "LEAST": 2, "MOST": 2}.items():
        monkeypatch.setattr(parts, name, value)
    return tmp_path / "cache" / "gxo" / "kept"


def compiled(text: str) -> Compilation:
    compilation = Compilation("kept.gxo.yaml")
    assert compilation.read(text.encode())
    assert compilation.analyse(), compilation.diagnostics.sorted()
    return compilation


def artifact(text: str) -> bytes:
    with TemporaryDirectory() as folder:
        target = Path(folder, "job.pyz")
        compiled(text).write_artifact(target)
        return target.read_bytes()


def generated(text: str) -> str:
    return compiled(text).stage_text("python")


def without_cache(monkeypatch: pytest.MonkeyPatch, text: str) -> bytes:
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", "/dev/null/none")
        return artifact(text)


def test_the_same_bytes_with_and_without(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = without_cache(monkeypatch, PLAYBOOK)
    assert not cache.exists()
    assert artifact(PLAYBOOK) == first, "while the cache is filled"
    assert artifact(PLAYBOOK) == first, "from the cache"
    changed = artifact(CHANGED)
    assert changed == without_cache(monkeypatch, CHANGED) != first
    assert artifact("# a line more\n" + CHANGED) == without_cache(
        monkeypatch, "# a line more\n" + CHANGED
    ), "line numbers are new, and code is not"


def test_only_what_changed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact(PLAYBOOK)
    formatted: list[str] = []
    byte_compiled: list[str] = []
    deflated: list[bytes] = []
    black, deflate = formatting._black(), archive._deflate

    def formats(text: str) -> str:
        formatted.append(text)
        return black(text)

    def compiles(content: bytes, path: str) -> bytes:
        byte_compiled.append(path)
        return compile_module(content, path)

    def deflates(content: bytes) -> bytes:
        deflated.append(content)
        return deflate(content)

    monkeypatch.setattr(archive, "_deflate", deflates)
    monkeypatch.setattr(formatting, "_black", lambda: formats)
    monkeypatch.setattr(collecting, "compile_module", compiles)
    artifact(CHANGED)
    assert [text.splitlines()[0] for text in formatted] == ["# w-3: exec"]
    assert byte_compiled == ["gxo_parts/w_2.py"]
    (source,) = deflated
    assert source.startswith(b'"""w-2 to w-3 of kept')


def test_a_run_in_between_takes_nothing_from_the_artifact(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    artifact(PLAYBOOK)
    job = compiled(PLAYBOOK)
    write_folder(str(tmp_path / "job"), job.package(job.generate(pretty=False)))
    monkeypatch.setattr(collecting, "compile_module", lambda _, path: pytest.fail(path))
    artifact(PLAYBOOK)


def edited(workloads: list[str], edit: tuple[str, int, int], new: str) -> list[str]:
    """The workloads after one edit at a place; `new` is a name that none has."""
    kind, place, other = edit
    before, one, after = workloads[:place], workloads[place], workloads[place + 1 :]
    match kind:
        case "change":
            one = one.replace("args: [", f"args: [b{other}, ")
        case "comment":
            one = f"  # {other}\n{one}"
        case "rename":
            one = one.replace("name: w-", f"name: w-{other}-")
        case "remove" if len(workloads) > WORKLOADS:
            return before + after
        case "add":
            return [*before, WORKLOAD.format(n=new), one, *after]
        case "move":
            return [one, *before, *after]
    return [*before, one, *after]


EDITS = st.tuples(
    st.sampled_from(["change", "comment", "rename", "remove", "add", "move"]),
    st.integers(0, WORKLOADS - 1),
    st.integers(0, 3),
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=5))
def test_the_same_bytes_after_any_edits(edits: list[tuple[str, int, int]]) -> None:
    """What is kept is that of the playbook of the example before."""
    workloads = [WORKLOAD.format(n=n) for n in range(WORKLOADS)]
    for number, edit in enumerate(edits):
        workloads = edited(workloads, edit, f"new-{number}")
    text = HEAD + "".join(workloads)
    with pytest.MonkeyPatch.context() as patch:
        assert artifact(text) == without_cache(patch, text)


def of_pieces(cache: Path) -> Path:
    """The file with the pieces, of those in the cache."""
    return min(cache.iterdir(), key=lambda file: file.stat().st_size)


def test_a_file_holds_what_was_used_last(cache: Path) -> None:
    generated(PLAYBOOK)
    file = of_pieces(cache)
    size = file.stat().st_size
    generated(CHANGED)
    assert of_pieces(cache) == file
    assert file.stat().st_size == size


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"", None), (b"exec_(", b"evil_("), (b"}", b""), (b"0", b"1")],
)
def test_a_damaged_file_is_as_none(cache: Path, old: bytes, new: bytes | None) -> None:
    before = generated(PLAYBOOK)
    file = of_pieces(cache)
    content = file.read_bytes()
    file.write_bytes(b"" if new is None else content.replace(old, new))
    assert file.read_bytes() != content
    assert kept.load(file.stem) == {}
    assert generated(PLAYBOOK) == before
    assert file.read_bytes() == content


def test_no_link_is_followed(cache: Path, tmp_path: Path) -> None:
    before = generated(PLAYBOOK)
    file = of_pieces(cache)
    elsewhere = tmp_path / "elsewhere.kept"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert kept.load(file.stem) == {}
    assert generated(PLAYBOOK) == before
    assert not file.is_symlink(), "it was replaced"


def test_a_folder_that_others_can_change_is_not_used(cache: Path) -> None:
    generated(PLAYBOOK)
    file = of_pieces(cache)
    assert kept.load(file.stem)
    cache.chmod(0o777)
    assert kept.load(file.stem) == {}
    before = file.read_bytes()
    assert generated(CHANGED)
    assert file.read_bytes() == before


def test_a_file_that_is_too_large_is_neither_read_nor_written(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated(PLAYBOOK)
    file = of_pieces(cache)
    monkeypatch.setattr(kept, "MOST_FILE", file.stat().st_size - 1)
    assert kept.load(file.stem) == {}
    file.unlink()
    generated(PLAYBOOK)
    assert not file.exists()


def test_the_oldest_files_go(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 300)
    for number, name in enumerate(("a", "b", "c")):
        kept.store(name, {name.encode() * 32: b"x" * 60})
        os.utime(cache / f"{name}.kept", (number, number))
    assert sorted(one.name for one in cache.iterdir()) == ["b.kept", "c.kept"]


def test_a_small_program_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MANY", WORKLOADS + 1)
    artifact(PLAYBOOK)
    assert not cache.exists()
