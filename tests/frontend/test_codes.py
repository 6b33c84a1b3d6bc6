"""Every diagnostic code of the front end has a case."""

import re
from pathlib import Path

from gxo.compiler import frontend

FRONTEND = Path(next(iter(frontend.__path__)))
CODE = re.compile(r"\bGXO\d{4}\b")


def test_every_code_of_the_frontend_has_a_case() -> None:
    """The limits are reached in `test_properties.py`; assets, template files and what
    a test includes are tested with files."""
    cases = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("*.test")
    )
    frontend = set()
    for path in FRONTEND.glob("*.py"):
        if path.name in ("assets.py", "included.py", "template_files.py"):
            continue
        frontend |= set(CODE.findall(path.read_text(encoding="utf-8")))
    limits = {"GXO0104", "GXO0109", "GXO0110", "GXO0117"}
    assert frontend - set(CODE.findall(cases)) == limits
