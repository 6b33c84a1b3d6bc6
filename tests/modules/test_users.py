"""A user's own modules beside a playbook: what is found, refused, and embedded with it.

`users.yaml` is a table of folders and of what is said about each.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.modules.files import MOST_BYTES, UnusableError, read_text
from gxo.compiler.package.collect import collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.wheels import shipped_pins
from tests.package.wheel_files import offer, wheel
from tests.runtime.workspace.unprivileged import call_as_nobody, folder_of_nobody

HEAD = '''"""Modules of ours."""

from typing import TYPE_CHECKING, Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.spec import Steps, module
from gxo.runtime.streams.ports import Out, Records

class Done(TypedDict):
    count: int


'''
DO = '''@module("{name}"{needs})
async def {verb}(ctx: Context, *, a: str = "") -> {summary}:
    """Do it.

    Args:
        a: nothing much
    """'''
CASES = yaml.safe_load(Path(__file__).with_suffix(".yaml").with_stem("users").read_text())


def source(path: str, text: str) -> str:
    """The file's text, with a module written out for each `{do NAME SUMMARY NEEDS}`."""

    def module(found: re.Match[str]) -> str:
        name, summary, needs = found[1], found[2] or "Done", found[3]
        verb = name.partition(":")[2]
        more = f", needs={needs}" if needs else ""
        return DO.format(name=name, verb=verb, summary=summary, needs=more)

    text = re.sub(r"\{do (\S+?)(?: (\w+))?(?: (\[.*\]))?\}", module, text)
    return text if os.path.basename(path).startswith("_") else HEAD + text + "\n"


def lay_out(files: dict[str, str]) -> None:
    for name, text in files.items():
        os.makedirs(os.path.dirname(name), exist_ok=True)
        Path(name).write_text(source(name, text))


def compiled(
    uses: list[str], module_path: tuple[str, ...] = (), params: dict[str, Any] | None = None
) -> Compilation:
    """The compilation of a playbook here that calls the modules."""
    lines = ["name: p", "schemaVersion: v1.0.0", "workloads:"]
    for number, name in enumerate(uses):
        lines += [f"  - name: w{number}", "    lifecycle: {policy: run_once}"]
        lines += [f"    process: {{module: {name}, params: {params or {}}}}"]
    Path("p.gxo.yaml").write_text("\n".join(lines) + "\n")
    return check(Path("p.gxo.yaml"), Options(module_path=module_path))


def said(compilation: Compilation) -> list[str]:
    lines = []
    for item in compilation.diagnostics.sorted():
        place = f"{item.span.file}:{item.span.line}:{item.span.column}"
        hint = f" ({item.hint})" if item.hint else ""
        lines.append(f"{place}: {item.level} {item.code} {item.message}{hint}")
        for note in item.notes:
            at = note.span
            lines.append(f"  {at.file}:{at.line}:{at.column}: {note.message}")
    return lines


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_users_modules(case: dict[str, Any]) -> None:
    lay_out(case["files"])
    module_path = tuple(case.get("module_path", ()))
    compilation = compiled(case["uses"], module_path, case.get("params"))
    httpx = next(pin.version for name, pin in shipped_pins().items() if name == "httpx")
    assert said(compilation) == [
        line.replace("VERSION (write `httpx`", f"{httpx} (write `httpx`")
        for line in case.get("err", [])
    ]
    if "embedded" in case:
        package = compilation.package(compilation.generate())
        assert [path for path in package.sources if path.startswith("modules/")] == case["embedded"]


def unusable(why: str) -> list[str]:
    return [
        f"modules/acme.py:1:1: error GXO0521 this file cannot be used as a module: {why}",
    ]


@pytest.mark.parametrize("linked", ["modules/acme.py", "modules/acme"])
def test_a_link_is_not_followed(linked: str) -> None:
    """Neither of a file nor of a folder on its way: a reviewer sees only what is below `modules/`."""
    lay_out({"elsewhere/ping.py": "{do acme:ping}", "modules/_x.py": ""})
    target = "../elsewhere" if linked == "modules/acme" else "../elsewhere/ping.py"
    Path(linked).symlink_to(target)
    [line] = said(compiled(["acme:ping"]))
    assert line.endswith("cannot be used as a module: it is reached through a link")


def test_the_folder_itself_may_be_a_link() -> None:
    lay_out({"elsewhere/acme.py": "{do acme:ping}"})
    Path("modules").symlink_to("elsewhere")
    assert said(compiled(["acme:ping"])) == []


def test_a_file_that_is_too_large() -> None:
    lay_out({"modules/acme.py": "#" * MOST_BYTES})
    assert said(compiled(["acme:ping"])) == unusable("it has more than 1 MiB")


def test_a_file_that_is_no_text() -> None:
    lay_out({"modules/acme.py": ""})
    Path("modules/acme.py").write_bytes(b"# \xff\n")
    assert said(compiled(["acme:ping"])) == unusable("byte 3 is no UTF-8")


def test_a_file_that_cannot_be_read() -> None:
    with folder_of_nobody() as folder:
        path = Path(folder, "acme.py")
        path.touch(mode=0)
        with pytest.raises(UnusableError, match=r"^it cannot be read: permission denied$"):
            call_as_nobody(lambda: read_text(str(path), folder))


def test_no_code_of_a_module_runs() -> None:
    lay_out({"modules/acme.py": "raise SystemExit('nobody runs this')\n{do acme:ping}"})
    compilation = compiled(["acme:ping"])
    assert said(compilation) == []
    assert "return await acme_ping(ctx)" in compilation.stage_text("python")


@pytest.mark.filterwarnings("error")
def test_what_python_warns_of_is_not_printed() -> None:
    """It would be once for each stage that reads the file."""
    lay_out({"modules/acme.py": 'ODD = "\\d" is 1\n{do acme:ping}'})
    compilation = compiled(["acme:ping"])
    assert said(compilation) == []
    collect(compilation.package(compilation.generate()))


@pytest.mark.parametrize(
    ("imports", "missed"),
    [
        ("top", True),
        ("used", True),
        ("unused", False),
        ("optional", False),
    ],
)
def test_an_import_that_no_need_provides(
    imports: str, missed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is missed where it is certain to happen, when what is linked is known."""
    statement = "import other"
    places = {"top": statement, "optional": f"try: {statement}\nexcept ImportError: pass"}
    text = places.get(imports, "") + '\n{do acme:ping Done ["alpha"]}\n'
    text += f"    {statement}\n" if imports == "used" else ""
    text += '{do acme:pong Done ["alpha"]}\n'
    text += f"    {statement}\n" if imports == "unused" else ""
    (folder / "cache").mkdir(mode=0o700)
    offer(monkeypatch, folder / "cache", wheel("alpha", {"alpha/__init__.py": ""}))
    lay_out({"modules/acme.py": text})
    compilation = compiled(["acme:ping"])
    assert said(compilation) == []
    if not missed:
        assert [
            one.name for one in collect(compilation.package(compilation.generate())).distributions
        ]
        return
    with pytest.raises(
        PackageError, match=r"`other` is imported, .* no such package: alpha"
    ) as told:
        collect(compilation.package(compilation.generate()))
    assert told.value.code == "GXO0523" and told.value.message.startswith("modules/acme.py:")


def test_an_import_that_only_another_modules_need_provides() -> None:
    """Nothing at all is linked then, and the file of both imports it."""
    lay_out({"modules/acme.py": 'import alpha\n{do acme:ping}\n{do acme:pong Done ["alpha==1.0"]}'})
    compilation = compiled(["acme:ping"])
    assert said(compilation) == []
    with pytest.raises(PackageError, match=r"`alpha` is imported, .* no such package: none is"):
        collect(compilation.package(compilation.generate()))


def test_parameters_and_summaries_are_checked_as_those_of_gxo() -> None:
    lay_out({"modules/acme.py": "{do acme:ping}"})
    Path("q.gxo.yaml").write_text(
        "name: q\nschemaVersion: v1.0.0\nworkloads:\n"
        "  - name: a\n    lifecycle: {policy: run_once}\n"
        "    process: {module: acme:ping, params: {b: 1, a: [1]}}\n    register: a\n"
        "  - name: b\n    lifecycle: {policy: run_once}\n"
        '    process: {module: acme:ping, params: {a: "{{ .a.cuont }}"}}\n'
    )
    assert said(check(Path("q.gxo.yaml"))) == [
        'q.gxo.yaml:6:43: error GXO0502 acme:ping has no parameter "b" (its parameters: a)',
        "q.gxo.yaml:6:52: error GXO0504 parameter 'a' of acme:ping must be text, not a list",
        'q.gxo.yaml:10:50: error GXO0302 `a` has no `cuont` (did you mean "count"?)',
    ]
