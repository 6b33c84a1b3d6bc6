"""A decrypted text has no more lines than can be looked for in all that leaves the job."""

import pytest

from gxo.runtime.errors import ModuleError
from gxo.stdlib.crypto._texts import MOST_LINES, plain_text


def test_more_lines_than_can_be_looked_for() -> None:
    lines = b"x\n" * MOST_LINES
    assert plain_text(lines, "utf-8") == lines.decode()
    with pytest.raises(ModuleError, match="has 2001 lines, and the state takes a secret of 2000"):
        plain_text(lines + b"x\n", "utf-8")
    assert plain_text(lines + b"x\n", "base64")
