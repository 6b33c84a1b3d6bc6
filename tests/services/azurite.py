"""Azurite, Microsoft's own emulator of Azure's storage, with its well-known account."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import find, free_port, running

_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""That of every Azurite; it is in its documentation."""


@dataclass(frozen=True)
class Azurite:
    """Where it answers, and who is let in."""

    port: int
    account: str = "devstoreaccount1"
    account_key: str = _KEY

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.account}"


@contextlib.contextmanager
def azurite_server(folder: Path) -> Iterator[Azurite]:
    """Run Azurite's blob service; the folder is its own."""
    port = free_port()
    command = [find("azurite-blob"), "--location", str(folder), "--skipApiVersionCheck"]
    command += ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    command += ["--disableTelemetry", "--silent", "--disableProductStyleUrl"]
    with running(command, folder / "azurite.log", ready="successfully listens"):
        yield Azurite(port)
