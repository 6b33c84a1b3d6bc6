"""What a connection must never go without."""

from pathlib import Path

import pytest

from gxo.runtime.errors import ModuleError
from tests.stdlib.connection.test_links import peer, sending
from tests.stdlib.database.databases import QUOTED, asking
from tests.stdlib.harness import run


def test_without_certificates_sql_server_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """python-tds would send the password, as good as in clear, though nobody said `disable`."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))

    async def ask() -> None:
        async with asking(tmp_path, "") as asked, peer(sending(b"")) as address:
            for mode in "", "?sslmode=verify-ca":
                asked.url = f"mssql://sa:{QUOTED}@{address}/d{mode}"
                with pytest.raises(ModuleError, match="no file of certificates"):
                    await asked("SELECT 1 AS a")

    run(ask())
