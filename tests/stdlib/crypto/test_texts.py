"""A decrypted text has no more lines than can be looked for in all that leaves the job."""

from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib.crypto._texts import MOST_LINES, plain_text
from tests.stdlib.harness import bench, module_spec, run


def test_more_lines_than_can_be_looked_for() -> None:
    lines = b"x\n" * MOST_LINES
    assert plain_text(lines, "utf-8") == lines.decode()
    with pytest.raises(ModuleError, match="has 2001 lines, and the state takes a secret of 2000"):
        plain_text(lines + b"x\n", "utf-8")
    assert plain_text(lines + b"x\n", "base64")


def test_a_ciphertext_is_base64_whatever_the_plaintext_is(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path) as workbench:
            given = {"key": "AAECAwQFBgcICQoLDA0ODw==", "ciphertext": "no"}
            error = (await workbench.call(module_spec("crypto:decrypt"), given)).error
        assert isinstance(error, ParameterError)
        assert error.hint == "give it as `crypto:encrypt` has made it; a file is a `source`"

    run(play())
