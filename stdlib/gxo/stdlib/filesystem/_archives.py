"""The archives of `filesystem:archive` and `extract`: tar, compressed or not, and zip.

An archive is a stranger's. What is in it is looked at before anything is written, member by member,
and no library unpacks it by itself.
"""

import gzip
import io
import os
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import IO, Literal, NamedTuple

from gxo.runtime.errors import ModuleError, ParameterError
from gxo.stdlib._sizes import shown_text
from gxo.stdlib.filesystem._copying import PIECE

Format = Literal["tar", "tar.gz", "zip"]

ENDINGS: dict[str, Format] = {".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".zip": "zip"}

FORMATS = ("tar", "tar.gz", "zip")

LARGEST_HEADER = 1024 * 1024
"""Bytes: a tar's extended header is read into memory, however large it says that it is."""

LARGEST_DIRECTORY = 256 * 1024 * 1024
"""Bytes: what a zip says of its members is read into memory at once."""

LONGEST_TARGET = 4096
"""Bytes of a link's target that are read from a zip."""

Bytes = IO[bytes] | gzip.GzipFile

Kind = Literal["file", "folder", "link", "hard link", "other"]

BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
)
"""What the libraries raise for what is no archive, or a damaged one."""


def format_of(name: str, chosen: Format | None) -> Format:
    """The one that was chosen, or that the file's name says; ParameterError when neither is one."""
    if chosen in FORMATS:
        return chosen
    if chosen is not None:
        raise ParameterError(f"`format` is {shown_text(chosen)}: it is tar, tar.gz or zip")
    for ending, format_ in ENDINGS.items():
        if name.endswith(ending):
            return format_
    raise ParameterError(
        f"the name {shown_text(name)} does not say which kind of archive it is",
        hint="give `format`: tar, tar.gz or zip",
    )


class Member(NamedTuple):
    """An archive's entry, as its header describes it.

    target: where a link leads, or the member that a hard link names. mode: permission bits.
    content: gives a file's bytes in pieces.
    """

    name: str
    kind: Kind
    size: int
    mode: int
    target: str
    content: Callable[[], Iterator[bytes]]


# Reading -----------------------------------------------------------------------------------------


def members(
    file: IO[bytes], format_: Format, name: str, check_count: Callable[[int], None]
) -> Generator[Member, None, None]:
    """The members of an archive, in its order. ModuleError when it is none, or is damaged.

    check_count: gets the number of a zip's members before Python makes objects of all of them.
    """
    reading = _Reading(format_, name)
    with reading:
        if format_ == "zip":
            directory = _Directory(file, check_count)
            with zipfile.ZipFile(directory) as archive:
                directory.is_read = True
                yield from _in_zip(archive, reading)
            return
        source: Bytes = gzip.GzipFile(fileobj=file) if format_ == "tar.gz" else file
        with tarfile.open(fileobj=_Wary(source), mode="r:") as tar:  # type: ignore[call-overload]
            yield from _in_tar(tar, reading)


class _Reading:
    """Around what is read of an archive: what the libraries raise becomes an error that says so."""

    def __init__(self, format_: Format, name: str) -> None:
        self._format = format_
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BROKEN):
            what = f"is no {self._format} archive, or a damaged one: {error}"
        elif isinstance(error, NotImplementedError | RuntimeError):
            what = f"cannot be read: {error}"  # compressed in another way, or encrypted
        else:
            return
        raise ModuleError(f"'{self._name}' {what}") from None

    def pieces(self, open_: Callable[[], IO[bytes]]) -> Iterator[bytes]:
        """The bytes of a member."""
        with self, open_() as file:
            while piece := file.read(PIECE):
                yield piece


class _Wary:
    """A file for `tarfile`, which would read a header of any size at once."""

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LARGEST_HEADER:
            raise ValueError(f"a header of {size} bytes")
        return self._file.read(size)


def _in_tar(archive: tarfile.TarFile, reading: _Reading) -> Iterator[Member]:
    while (info := archive.next()) is not None:
        kind: Kind = "other"
        if info.isreg():
            kind = "file"
        elif info.isdir():
            kind = "folder"
        elif info.issym():
            kind = "link"
        elif info.islnk():
            kind = "hard link"

        def content(info: tarfile.TarInfo = info) -> Iterator[bytes]:
            return reading.pieces(lambda: archive.extractfile(info) or io.BytesIO())

        size = info.size if kind == "file" else 0
        yield Member(info.name, kind, size, info.mode & 0o1777, info.linkname, content)
        archive.members = []  # type: ignore[attr-defined]  # it keeps every header that it has seen


class _Directory:
    """A file for `zipfile`, which reads a zip's whole directory before it gives a member."""

    def __init__(self, file: IO[bytes], check_count: Callable[[int], None]) -> None:
        self.is_read = False
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file
        self._check_count = check_count

    def read(self, size: int = -1) -> bytes:
        if self.is_read:
            return self._file.read(size)
        if size > LARGEST_DIRECTORY:
            raise ValueError(f"a directory of {size} bytes")
        data = self._file.read(size)
        at = count = 0
        while data.startswith(_ENTRY, at) and len(data) >= at + _ENTRY_SIZE:
            count += 1
            at += _ENTRY_SIZE + sum(struct.unpack_from("<HHH", data, at + 28))
            self._check_count(count)
        return data


_ENTRY = b"PK\1\2"
_ENTRY_SIZE = 46


def _in_zip(archive: zipfile.ZipFile, reading: _Reading) -> Iterator[Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16

        def content(info: zipfile.ZipInfo = info) -> Iterator[bytes]:
            return reading.pieces(lambda: archive.open(info))

        kind: Kind = "folder" if info.is_dir() or stat.S_ISDIR(mode) else "file"
        target = ""
        if stat.S_ISLNK(mode):
            kind = "link"
            with archive.open(info) as file:
                target = file.read(LONGEST_TARGET).decode("utf-8", "surrogateescape")
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            kind = "other"
        bits = mode & 0o1777 or (0o755 if kind == "folder" else 0o644)
        size = info.file_size if kind == "file" else 0
        yield Member(info.filename, kind, size, bits, target, content)


# Writing -----------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """What is put into an archive. size: bytes of `content`, which a folder and a link have not.

    mode: type and permissions, as in `os.stat_result`. modified: seconds since 1970.
    """

    name: str
    mode: int
    modified: float
    target: str
    size: int
    content: Iterator[bytes]


def packed(file: IO[bytes], format_: Format, entries: Iterator[Entry]) -> Iterator[None]:
    """Write an archive, a piece at each step. No owners, whole seconds: equal entries give equal
    bytes. ModuleError when a file grows or shrinks meanwhile.
    """
    if format_ == "zip":
        yield from _packed_zip(file, entries)
    elif format_ == "tar":
        yield from _packed_tar(file, entries)
    else:
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as compressed:
            yield from _packed_tar(compressed, entries)


def _packed_tar(file: Bytes, entries: Iterator[Entry]) -> Iterator[None]:
    for entry in entries:
        info = tarfile.TarInfo(entry.name)
        info.mode, info.mtime, info.size = entry.mode & 0o1777, int(entry.modified), entry.size
        if stat.S_ISDIR(entry.mode):
            info.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(entry.mode):
            info.type, info.linkname = tarfile.SYMTYPE, entry.target
        file.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for piece in _checked(entry):
            file.write(piece)
            yield
        file.write(bytes(-entry.size % tarfile.BLOCKSIZE))
    file.write(bytes(2 * tarfile.BLOCKSIZE))


def _packed_zip(file: IO[bytes], entries: Iterator[Entry]) -> Iterator[None]:
    with zipfile.ZipFile(file, "w") as archive:
        for entry in entries:
            is_folder = stat.S_ISDIR(entry.mode)
            _check_name(entry.name)
            moment = time.gmtime(min(max(entry.modified, _DAWN_OF_ZIP), _DUSK_OF_ZIP))[:6]
            info = zipfile.ZipInfo(entry.name + "/" * is_folder, moment)
            info.external_attr = entry.mode << 16 | 0x10 * is_folder
            info.compress_type = zipfile.ZIP_STORED if is_folder else zipfile.ZIP_DEFLATED
            info.file_size = entry.size  # whether it needs the large form
            with archive.open(info, "w") as member:
                for piece in (os.fsencode(entry.target),) if entry.target else _checked(entry):
                    member.write(piece)
                    yield


_DAWN_OF_ZIP = 315532800
_DUSK_OF_ZIP = 4354819198
"""1980 and 2107: a zip knows no earlier time, and no later one."""


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        raise ModuleError(
            f"a zip cannot hold '{shown}': the name is no UTF-8",
            hint="a tar can: `format: tar`",
        ) from None


def _checked(entry: Entry) -> Iterator[bytes]:
    """The content, which has to be as long as was said before."""
    written = 0
    for piece in entry.content:
        written += len(piece)
        if written <= entry.size:
            yield piece
    if written != entry.size:
        raise ModuleError(f"'{entry.name}' has changed while it was being packed")
