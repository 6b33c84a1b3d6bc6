"""An artifact has the runtime, the modules that are used, and nothing else."""

from pathlib import Path

import pytest

from gxo.compiler.package.link import LinkError, find, link
from tests.package.support import EMPTY_JOB, build, in_child, start


def linked(source: str) -> set[str]:
    return set(link({"gxo_job.py": source}))


def test_runtime_is_always_there() -> None:
    files = linked(EMPTY_JOB)
    assert {"gxo/__init__.py", "gxo/runtime/main.py", "gxo/runtime/bundle.py"} <= files
    assert not any(path.startswith(("gxo/stdlib/", "gxo/compiler/", "gxo/cli/")) for path in files)


def test_a_module_brings_its_file_and_what_that_imports() -> None:
    files = linked("from gxo.stdlib.exec import Executed, exec_\n") - linked(EMPTY_JOB)
    assert "gxo/stdlib/exec.py" in files
    assert "gxo/stdlib/__init__.py" in files
    assert not any("filesystem" in path or "control" in path for path in files)


def test_names_that_a_package_loads_lazily_bring_their_files() -> None:
    assert "gxo/runtime/streams/ports.py" in linked("from gxo.runtime import Channel\n")


def test_only_a_test_brings_what_tests_keep_to() -> None:
    ours = "gxo/runtime/testing/"
    assert not any(path.startswith(ours) for path in linked(EMPTY_JOB))
    assert f"{ours}session.py" in linked("from gxo.runtime.testing import Test\n")


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import gxo.stdlib.control\n",
        "from gxo.stdlib import control\n",
        "try:\n    import gxo.stdlib.control as c\nexcept ImportError:\n    pass\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import gxo.stdlib.control\n",
    ],
)
def test_every_way_to_import_counts(source: str) -> None:
    assert "gxo/stdlib/control.py" in linked(source)


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_the_type_checker_do_not_count(test: str) -> None:
    assert linked(f"if {test}:\n    import gxo.stdlib.control\n") == linked("")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import gxo.runtime.nonsense\n", "no module gxo.runtime.nonsense"),
        ("from gxo.compiler import driver\n", "gxo.compiler, which no artifact has"),
    ],
)
def test_an_import_that_leads_nowhere_is_a_defect(source: str, complaint: str) -> None:
    with pytest.raises(LinkError, match=complaint):
        link({"gxo_job.py": source})


def test_the_users_own_modules_may_import_the_library() -> None:
    sources = {
        "gxo_job.py": "import modules.mine\n",
        "modules/mine.py": "import gxo.stdlib.control\n",
    }
    assert "gxo/stdlib/control.py" in link(sources)


def test_found_without_importing() -> None:
    code = (
        "import sys\nfrom gxo.compiler.package.link import find, link\n"
        "link({'gxo_job.py': 'from gxo.stdlib.exec import exec_'})\n"
        "print([name for name in sys.modules if name.startswith(('gxo.runtime', 'gxo.stdlib'))])\n"
    )
    assert in_child(code).strip() == "[]"
    assert find("gxo.stdlib.exec") is not None
    assert find("gxo.stdlib.nonsense") is None


def test_every_linked_module_can_be_imported_from_the_artifact(tmp_path: Path) -> None:
    """The link test: nothing that a linked file imports at its top is missing."""
    library = Path(str(find("gxo.stdlib"))).parent
    names = sorted(
        "gxo.stdlib." + ".".join(path.relative_to(library).with_suffix("").parts)
        for path in library.rglob("*.py")
        if path.name != "__init__.py" and "@module" in path.read_text()
    )
    imports = "".join(f"import {name}\n" for name in names)
    artifact = build(tmp_path, f"{imports}{EMPTY_JOB}")
    assert len(names) > 10
    done = start(artifact, "--version")
    assert done.returncode == 0, done.stderr
