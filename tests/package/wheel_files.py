"""Small wheels made for a test, with a pinned set to match, in place of the package index."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name

from gxo.compiler.package import wheels
from gxo.compiler.package.pins import Pin

NATIVE_TAG = str(next(sys_tags()))
"""What a wheel with native code for this very Python and platform is tagged with."""


def wheel(
    name: str,
    files: Mapping[str, str],
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    metadata: str = "",
) -> tuple[str, bytes]:
    """The file name and content of version 1.0 of a distribution; metadata: more lines of that."""
    info = f"{name}-1.0.dist-info"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        archive.writestr(f"{info}/METADATA", head + metadata)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{info}/licenses/LICENSE", "free")
        archive.writestr(f"{info}/entry_points.txt", f"[group]\nentry = {name}\n")
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr(f"{name}-1.0.data/scripts/{name}", "#!python")
    return f"{name}-1.0-{tag}.whl", buffer.getvalue()


def offer(monkeypatch: pytest.MonkeyPatch, cache: Path, *offered: tuple[str, bytes]) -> None:
    """Make the wheels the pinned set, already fetched; fetching any other fails the test."""
    folder = cache / "gxo" / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    (cache / "gxo").chmod(0o700)
    folder.chmod(0o700)
    hashes: dict[str, set[str]] = {}
    for file, data in offered:
        (folder / file).write_bytes(data)
        hashes.setdefault(file.partition("-")[0], set()).add(hashlib.sha256(data).hexdigest())
    pins = {
        canonicalize_name(name): Pin(canonicalize_name(name), "1.0", frozenset(digests))
        for name, digests in hashes.items()
    }
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(wheels, "shipped_pins", lambda: pins)
