"""`crypto:encrypt`, `crypto:decrypt` and `crypto:hash` take 1 GB in the memory of a few pieces.

The memory is the process's peak beyond what it had after a small file.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gxo.stdlib.crypto.decrypt import decrypt
from gxo.stdlib.crypto.encrypt import encrypt
from gxo.stdlib.crypto.hash import hash_
from tests.proof.figure import Figure
from tests.proof.transfers import forget_peak, peak
from tests.stdlib.harness import Bench, FakeClock, run

GB = 1_000_000_000
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PIECE = 1 << 20
MOST = 32
"""MiB."""

CALLS: dict[str, tuple[Any, dict[str, str]]] = {
    "encrypted": (encrypt, {"key": KEY, "source": "plain", "destination": "sealed"}),
    "decrypted": (decrypt, {"key": KEY, "source": "sealed", "destination": "again"}),
    "hashed": (hash_, {"path": "again"}),
    "hashed with a key": (hash_, {"path": "again", "key": "k"}),
}


def prove(scale: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # /tmp may be memory
        there = Path(folder)
        run(_all(there, 1_000_000))
        grown, told = run(_all(there, round(GB * scale)))
        for what, more in grown.items():
            yield Figure(f"MiB more at the peak, 1 GB {what}", more, MOST)
        with (there / "plain").open("rb") as file:
            sent = hashlib.file_digest(file, "sha256").hexdigest()
        yield Figure("bytes of it lost or changed", 0 if told == sent else GB * scale, 0)


async def _all(folder: Path, size: int) -> tuple[dict[str, float], str]:
    """How much memory each took, in MiB, and what the hash is of what was decrypted."""
    asyncio.get_running_loop().set_debug(False)
    with (folder / "plain").open("wb") as file:
        for at in range(0, size, PIECE):
            file.write(os.urandom(min(PIECE, size - at)))
    workbench = Bench(folder, FakeClock())
    summaries, grown = {}, {}
    try:
        for what, (function, params) in CALLS.items():
            before = forget_peak()
            summaries[what] = await function(workbench.context, **params)
            grown[what] = peak() - before
    finally:
        await workbench.close()
    return grown, summaries["hashed"]["hash"]
