"""Every code that the template stage reports has a case that gets it."""

import re
from pathlib import Path

from gxo.compiler import template

CODE = re.compile(r"GXO\d{4}")


def test_every_code_of_templates_has_a_case() -> None:
    used = set()
    for path in Path(next(iter(template.__path__))).glob("*.py"):
        used |= set(CODE.findall(path.read_text(encoding="utf-8")))
    cases = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.test")
    )
    limits = {"GXO0413"}  # reached in `test_limits.py`
    assert used - set(CODE.findall(cases)) == limits
