"""The run-time library as the compiler reads it: without importing anything of it."""

import importlib
import subprocess
import sys

import pytest

from gxo.compiler.template import functions
from gxo.compiler.types import ANY, BOOL, INT, NIL, TEXT, ListOf, OneOf, Shape

NAMES = sorted(functions.names() - functions.OPERATORS)


def test_a_signature_has_names_types_and_flags() -> None:
    found = functions.find("trunc")
    assert found is not None
    assert (found.family, found.parameters, found.result) == (
        "strings",
        (("count", INT), ("text", TEXT)),
        TEXT,
    )
    assert found.pure
    assert not found.mutates
    default = functions.find("default")
    assert default is not None
    assert (default.required, default.variadic) == (1, ("given", ANY))
    changing = functions.find("set")
    assert changing is not None
    assert changing.mutates
    prefix = functions.find("hasPrefix")
    assert prefix is not None
    assert prefix.result == BOOL
    assert functions.find("nosuch") is None


def test_a_signature_says_what_is_linked_and_what_is_secret() -> None:
    found = functions.find("genSignedCert")
    assert found is not None
    assert found.needs == ("cryptography",)
    assert found.result == Shape(
        "Certificate", (("Cert", TEXT), ("Key", TEXT)), secret=frozenset(("Key",))
    )
    assert found.secret and not found.pure and not found.native
    assert dict(found.parameters)["dns"] == OneOf((ListOf(ANY), NIL))
    encrypted = functions.find("encryptAES")
    assert encrypted is not None and not encrypted.secret
    assert {one.needs for name in NAMES if (one := functions.find(name))} == {
        (),
        ("bcrypt",),
        ("cryptography",),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_function_that_can_be_called_is_there_at_run_time(name: str) -> None:
    signature = functions.find(name)
    assert signature is not None
    if signature.module:
        module = importlib.import_module(signature.module)
        assert callable(getattr(module, signature.python))


def test_reading_the_library_imports_none_of_it() -> None:
    code = (
        "import sys; from gxo.compiler.template import functions; functions.names();"
        "print([name for name in sys.modules if name.startswith('gxo.runtime')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"


def test_every_helper_that_is_printed_is_there_at_run_time() -> None:
    """The names that the printers call on `gxo.runtime.expr` and `gxo.runtime.convert`."""
    from gxo.compiler.template import py_expressions, to_python
    from gxo.runtime import convert, expr

    printed = {"text", "show", "field", "ask", "method", "elements", "pairs", "condition"}
    printed |= set(py_expressions._COMPARE_FUNCTIONS.values())
    printed |= set(py_expressions._ARITHMETIC_FUNCTIONS.values())
    printed.add("wrap")
    assert [name for name in sorted(printed) if not callable(getattr(expr, name, None))] == []
    for type_ in ("text", "int", "float", "bool", "list", "map", "duration", "size"):
        assert callable(getattr(convert, f"to_{type_}"))
    assert to_python.unmarked("code", None) == "code"  # type: ignore[arg-type]
