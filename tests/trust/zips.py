"""Zips that gxo would never write, made from one that it has written."""

import binascii
import io
import stat
import struct
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from gxo.compiler.package.archive import CUT, render

CLOSING = 22
HEAD = b"#!/usr/bin/env python3\n" + CUT
DIRECTORY = struct.Struct("<4s2B5H3I5H2I")


def summed(data: bytes) -> bytes:
    """The zip with the right check sum before its closing record."""
    before, after = data[: -CLOSING - 8], data[-CLOSING:]
    return before + b"%08x" % binascii.crc32(after, binascii.crc32(before)) + after


def zipped(files: dict[str, bytes], change: Callable[[ZipFile], None] | None = None) -> bytes:
    """These files as gxo lays them out, but by Python's zipfile, which takes nearly anything."""
    buffer = io.BytesIO(HEAD)
    buffer.seek(len(HEAD))
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(info(name), content)
        if change:
            change(archive)
        archive.filelist[-1].comment = b"00000000"
    return summed(buffer.getvalue())


def info(
    name: str, mode: int = stat.S_IFREG | 0o644, packed: bool = True, system: int = 3
) -> ZipInfo:
    found = ZipInfo(name)
    found.external_attr = mode << 16
    found.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
    found.create_system = system
    return found


def entry(data: bytes, number: int) -> int:
    """Where an entry of the directory starts."""
    place = int.from_bytes(data[-6:-2], "little")
    for _ in range(number):
        lengths = DIRECTORY.unpack_from(data, place)[11:14]
        place += DIRECTORY.size + sum(lengths)
    return place


def patched(data: bytes, place: int, new: bytes) -> bytes:
    return summed(data[:place] + new + data[place + len(new) :])


def whole(files: dict[str, bytes]) -> bytes:
    return render(files)
