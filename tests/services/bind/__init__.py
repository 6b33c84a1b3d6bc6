"""BIND, with the zones of this folder."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.process import find, free_port, running

DATA = Path(__file__).parent


@dataclass(frozen=True)
class NameServer:
    """It answers by UDP and TCP on 127.0.0.1 and ::1."""

    port: int
    host: str = "127.0.0.1"


@contextlib.contextmanager
def name_server(folder: Path) -> Iterator[NameServer]:
    """Run BIND; the folder is its own."""
    port = free_port()
    text = (DATA / "named.conf").read_text(encoding="utf-8")
    for name, value in {"FOLDER": folder, "DATA": DATA, "PORT": port}.items():
        text = text.replace(f"@{name}@", str(value))
    config = folder / "named.conf"
    config.write_text(text, encoding="utf-8")
    command = [find("named"), "-g", "-n", "1", "-c", str(config)]
    with running(command, folder / "named.log", ready=" running\n"):
        yield NameServer(port)
