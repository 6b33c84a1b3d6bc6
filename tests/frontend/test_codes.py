"""Every diagnostic code that the compiler uses is in the table, and every one in the table is used."""

import re
from pathlib import Path

from gxo.compiler import codes

COMPILER = Path(codes.__file__).parent
CODE = re.compile(r"\bGXO\d{4}\b")


def test_codes_used_are_codes_in_the_table() -> None:
    used: set[str] = set()
    for path in COMPILER.rglob("*.py"):
        if path.name != "codes.py":
            used |= set(CODE.findall(path.read_text(encoding="utf-8")))
    assert used - set(codes.CODES) == set()
    assert set(codes.CODES) - used == set()


def test_the_table_is_sorted_and_says_something() -> None:
    assert list(codes.CODES) == sorted(codes.CODES)
    assert all(title and not title.endswith(".") for title in codes.CODES.values())
    assert len(set(codes.CODES.values())) == len(codes.CODES)


def test_every_code_of_the_frontend_has_a_case() -> None:
    """The limits are reached in `test_properties.py`; assets need files, and are tested with them."""
    cases = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("*.test")
    )
    frontend = set()
    for path in (COMPILER / "frontend").glob("*.py"):
        if path.name == "assets.py":
            continue
        frontend |= set(CODE.findall(path.read_text(encoding="utf-8")))
    limits = {"GXO0104", "GXO0109", "GXO0110", "GXO0117"}
    assert frontend - set(CODE.findall(cases)) == limits
