"""Reads an artifact's zip, which anybody may have made, without trusting a byte of it.

What gxo writes has one form: the first line, the entries one after the other, the directory, the
closing record, and nothing between or after. Whatever else a zip may be, somebody's reader takes it
for something else than we do, so it is refused:

    #!/usr/bin/env python3       no other first line
    # coding: ...
    PK\3\4 __main__.py ...       no gap, no overlap, no name twice, no link, no encryption,
    PK\3\4 _gxo/manifest.json    no size or name that the directory says otherwise
    PK\1\2 ...                   the directory, in the same order
    1f0c9ab2                     the last entry's comment: the CRC-32 of all other bytes
    PK\5\6 ...                   the last 22 bytes; no zip64, no comment

Files are inflated in pieces, never to more than they say, so memory is bounded by what is kept.
"""

import binascii
import hashlib
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gxo.compiler.trust.errors import ArtifactError

PREFIX = re.compile(rb"#![^\n]{1,200}\n# coding: this-artifact-is-damaged[^\n]{0,100}\n")
CHUNK = 1 << 16
MAX_INFLATED = 4 << 30
MAX_RATIO, ANY_RATIO = 200, 64 << 20
"""How many times an artifact's size its files may have, once they have more than `ANY_RATIO`."""
MAX_NAMES = 16 << 20

_END = struct.Struct("<4s4H2IH")
_ENTRY = struct.Struct("<4s2B5H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8
_CHECK_SUM = 8
_UTF8 = 0x800
_MODES = (stat.S_IFREG | 0o644, stat.S_IFREG | 0o755)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the zip. start: where its local header is; stored: its bytes there."""

    name: str
    start: int
    head: int
    stored: int
    size: int
    crc: int
    deflated: bool


class Archive:
    """The entries of an open artifact, by name in their order. ArtifactError when it is none.

    size and sha256 are those of all its bytes.
    """

    size: int
    sha256: str

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError("it is no regular file")
        self.size = status.st_size
        self.entries = {entry.name: entry for entry in self._directory()}
        self._check_sum()

    def read(self, name: str, most: int) -> bytes:
        """The content of a file of at most so many bytes."""
        entry = self.entries[name]
        if entry.size > most:
            raise ArtifactError(f"{name} in it is larger than {most >> 20} MiB")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces; ArtifactError when it is damaged."""
        entry = self.entries[name]
        size = crc = 0
        for piece in self._inflated(entry) if entry.deflated else self._raw(entry):
            size += len(piece)
            if size > entry.size:
                break
            crc = binascii.crc32(piece, crc)
            yield piece
        if size != entry.size or crc != entry.crc:
            raise _damaged(f"{name} is not what the zip says it is")

    def _directory(self) -> Iterator[Entry]:
        offset = self._prefix()
        count, start = self._closing()
        data = self._at(start, self.size - _END.size - start)
        names: set[str] = set()
        place = inflated = 0
        for number in range(count):
            entry, place = _entry(data, place, is_last=number == count - 1)
            if entry.name in names:
                raise _unlike(f"it has {entry.name} twice")
            names.add(entry.name)
            inflated += entry.size
            if entry.start != offset:
                raise _unlike(f"{entry.name} is not where the file before it ends")
            self._check_head(entry)
            offset += entry.head + entry.stored
            yield entry
        if place != len(data) or offset != start:
            raise _unlike("there is something between its files and its directory, or after it")
        if inflated > MAX_INFLATED or inflated > max(ANY_RATIO, MAX_RATIO * self.size):
            raise ArtifactError(f"its {self.size} bytes would be unpacked to {inflated}")

    def _closing(self) -> tuple[int, int]:
        """How many entries the directory has, and where it starts."""
        if self.size < _END.size:
            raise _no_artifact()
        data = self._at(self.size - _END.size, _END.size)
        sign, disk, disk_start, here, count, size, start, comment = _END.unpack(data)
        if sign != b"PK\5\6":
            raise _no_artifact()
        if disk or disk_start or comment or here != count or count == 0xFFFF:
            raise _unlike("its closing record is not that of one small zip")
        if start + size != self.size - _END.size or size > MAX_NAMES or not count:
            raise _unlike("its directory is not where it should be, or too large")
        return count, start

    def _prefix(self) -> int:
        found = PREFIX.match(self._at(0, min(self.size, 400)))
        if found is None:
            raise _no_artifact()
        return found.end()

    def _check_head(self, entry: Entry) -> None:
        """The entry's own header says what the directory does."""
        name = entry.name.encode()
        head = self._at(entry.start, entry.head)
        sign, _, flags, method, _, _, crc, stored, size, length, extra = _LOCAL.unpack(
            head[: _LOCAL.size]
        )
        found = (sign, flags, method, crc, stored, size, length, extra, head[_LOCAL.size :])
        if found != (
            b"PK\3\4",
            0 if entry.name.isascii() else _UTF8,
            _DEFLATED if entry.deflated else _STORED,
            entry.crc,
            entry.stored,
            entry.size,
            len(name),
            0,
            name,
        ):
            raise _unlike(f"{entry.name} is something else in the directory than at its place")

    def _check_sum(self) -> None:
        """The check sum is that of all other bytes; a job looks at it when it starts."""
        end = self.size - _END.size - _CHECK_SUM
        crc, digest = 0, hashlib.sha256()
        for place in range(0, end, CHUNK):
            piece = self._at(place, min(CHUNK, end - place))
            crc = binascii.crc32(piece, crc)
            digest.update(piece)
        last = self._at(end, _CHECK_SUM + _END.size)
        digest.update(last)
        self.sha256 = digest.hexdigest()
        if last[:_CHECK_SUM] != b"%08x" % binascii.crc32(last[_CHECK_SUM:], crc):
            raise _damaged("its check sum is not that of its bytes")

    def _raw(self, entry: Entry) -> Iterator[bytes]:
        place, left = entry.start + entry.head, entry.stored
        while left:
            piece = self._at(place, min(left, CHUNK))
            yield piece
            place, left = place + len(piece), left - len(piece)

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in self._raw(entry):
                yield inflate.decompress(piece, CHUNK)
                while inflate.unconsumed_tail:
                    yield inflate.decompress(inflate.unconsumed_tail, CHUNK)
            while rest := inflate.decompress(inflate.unconsumed_tail, CHUNK):
                yield rest
        except zlib.error:
            raise _damaged(f"{entry.name} cannot be unpacked") from None
        if not inflate.eof or inflate.unused_data:
            raise _damaged(f"{entry.name} cannot be unpacked")

    def _at(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) != size:
            raise _damaged("it is shorter than it says")
        return data


def _entry(data: bytes, place: int, is_last: bool) -> tuple[Entry, int]:
    """The entry at the place of the directory, and where the next one begins."""
    if len(data) < place + _ENTRY.size:
        raise _unlike("its directory is cut")
    (sign, _, system, _, flags, method, _, _, crc, stored, size, *rest) = _ENTRY.unpack_from(
        data, place
    )
    length, extra, comment, disk, _, outside, start = rest
    begin = place + _ENTRY.size
    name = _name(data[begin : begin + length], flags)
    if sign != b"PK\1\2" or system != 3 or method not in (_STORED, _DEFLATED):
        raise _unlike(f"{name} is packed in another way")
    if extra or disk or comment != (_CHECK_SUM if is_last else 0) or outside >> 16 not in _MODES:
        raise _unlike(f"{name} is no plain file, or has more than a name and a mode")
    if method == _STORED and stored != size:
        raise _unlike(f"{name} has two sizes")
    entry = Entry(name, start, _LOCAL.size + length, stored, size, crc, method == _DEFLATED)
    return entry, begin + length + comment


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise _unlike("a file's name in it is no text") from None
    if flags != (0 if name.isascii() else _UTF8):
        raise _unlike(f"{name!r} is encrypted, or packed in another way")
    parts = name.split("/")
    if _CONTROL.search(name) or len(raw) > 4096 or not {"", ".", ".."}.isdisjoint(parts):
        raise _unlike(f"a file in it has the name {name[:100]!r}")
    return name


def _no_artifact() -> ArtifactError:
    return ArtifactError(
        "it is no artifact of gxo",
        "`gxo compile` makes one of a playbook; a playbook's name ends in .yaml",
    )


def _damaged(what: str) -> ArtifactError:
    return ArtifactError(f"it is damaged: {what}", "copy it again, or compile it again")


def _unlike(what: str) -> ArtifactError:
    return ArtifactError(f"gxo writes no such zip: {what}", "do not run it; compile it again")
