"""Writes the files of a job as one executable zip, byte for byte the same for the same files.

    #!/usr/bin/env python3
    # coding: ...      what Python says when the zip is cut short
    __main__.py        first and stored, so that any Python can read it
    _gxo/...           in order, with one time and two modes
    gxo/...            .pyc of gxo and of the job stored, everything else deflated
    1f0c9ab2           the last entry's comment: the CRC-32 of all bytes but these

Stored .pyc make a job start faster by the 3 ms that inflating its modules would take. A CRC finds
every damage that copying does and costs 0.1 ms; against somebody who changes a job on purpose no
digest inside it helps.
"""

import binascii
import io
import os
import secrets
import stat
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from zipfile import ZIP64_LIMIT, ZIP_DEFLATED, ZIP_STORED, LargeZipFile, ZipFile

from shiv.builder import write_file_prefix, write_to_zipapp  # type: ignore[import-untyped]

from gxo.compiler.kept import Kept, kept
from gxo.compiler.package.collect import ASSETS, INCLUDED, OURS, collect
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.parts import Built, Package

SHEBANG = "/usr/bin/env python3"

CUT = b"# coding: this-artifact-is-damaged.copy-it-to-this-host-again\n"
"""Where Python finds no zip it reads the file as a script, and complains of this as an encoding."""

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can hold
QUICK = ("gxo/", "gxo_job.", "gxo_parts/", "gxo_included/")  # what every job loads to start
OF_ASSETS = (OURS + ASSETS, INCLUDED + ASSETS)
CLOSING = 22  # bytes of a zip after its directory


def build_artifact(target: Path, package: Package) -> Built:
    """Link the package and write it to `target`, mode 0755.

    What is at the target is replaced by one rename, and only by a whole artifact. Raises
    PackageError when a distribution cannot be had or the target cannot be written.
    """
    check_target(target)
    collected = collect(package)
    facts = package.facts
    program = f"{facts.name} {package.playbook_file}"
    with kept("deflated", program, len(facts.workloads), zlib.ZLIB_RUNTIME_VERSION) as known:
        data = render(collected.files, collected.executable, known)
    replace_file(target, data, 0o755)
    linked = tuple(f"{one.name} {one.version}" for one in collected.distributions)
    return Built(target, len(data), linked)


def render(
    files: Mapping[str, bytes],
    executable: frozenset[str] = frozenset(),
    known: Kept | None = None,
) -> bytes:
    """The archive's bytes. PackageError when they are more than a zip for zipimport can hold.

    known: what deflating makes of code; of assets, which can be huge, nothing is kept.
    """
    known = known or Kept({})
    buffer = io.BytesIO()
    write_file_prefix(buffer, SHEBANG)
    buffer.write(CUT)
    try:
        with ZipFile(buffer, "w", allowZip64=False) as archive:
            _add(archive, "__main__.py", start_script(), ZIP_STORED)
            for name, content in sorted(files.items()):
                if name.endswith(".pyc") and name.startswith(QUICK):
                    _add(archive, name, content, ZIP_STORED)
                elif name.endswith((".py", ".pyc")) and not name.startswith(OF_ASSETS):
                    _add(archive, name, _deflated(content, known), ZIP_STORED)
                    _declare_deflated(archive, buffer, content)
                else:
                    _add(archive, name, content, ZIP_DEFLATED, executable=name in executable)
            # Not the archive's own comment: with one, Pythons before 3.8 take it for no zip.
            archive.filelist[-1].comment = b"00000000"
    except LargeZipFile:
        raise PackageError(
            "GXO0905", "the artifact would be larger than 4 GiB", "embed fewer or smaller assets"
        ) from None
    data = buffer.getvalue()
    before, after = data[: -CLOSING - 8], data[-CLOSING:]
    return before + b"%08x" % binascii.crc32(after, binascii.crc32(before)) + after


@cache
def start_script() -> bytes:
    """What Python runs of an artifact."""
    return resources("gxo.compiler.package").joinpath("main.py.txt").read_bytes()


def _add(
    archive: ZipFile, name: str, content: bytes, compression: int, executable: bool = False
) -> None:
    mode = stat.S_IFREG | (0o755 if executable else 0o644)
    status = os.stat_result((mode, *[0] * 9))
    write_to_zipapp(archive, name, content, LONG_AGO, compression, stat=status)


def _deflated(content: bytes, known: Kept) -> bytes:
    return known.get(content, lambda: _deflate(content))


def _deflate(content: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # no header: the zip has one
    return made.compress(content) + made.flush()


def _declare_deflated(archive: ZipFile, file: io.BytesIO, content: bytes) -> None:
    """Let the last entry's header say that what it stores is the content, deflated."""
    entry = archive.filelist[-1]
    if len(content) > ZIP64_LIMIT:
        raise LargeZipFile
    entry.compress_type = ZIP_DEFLATED
    entry.file_size, entry.CRC = len(content), binascii.crc32(content)
    file.seek(entry.header_offset)
    file.write(entry.FileHeader(zip64=False))
    file.seek(archive.start_dir)


def check_target(target: Path) -> None:
    """PackageError unless an artifact can be put at the path, as far as can be told beforehand."""
    if not target.parent.is_dir():
        raise PackageError("GXO0901", f"cannot write {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise PackageError("GXO0901", f"cannot write {target}: it is a folder")
    if target.exists() and not target.is_file():
        raise PackageError("GXO0901", f"cannot write {target}: it is no regular file")


def replace_file(target: Path, data: bytes, mode: int) -> None:
    """Put the bytes at the path by writing them beside it and renaming. Raises PackageError."""
    beside = target.with_name(f".gxo-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PackageError("GXO0901", f"cannot write {target}: {why}") from None


def _sync_folder(folder: Path) -> None:
    """Make the rename last. Some file systems cannot; the file itself is safe without."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
