"""The parts of a workbook, a zip file that a stranger made, and what stands in them.

    before:  <sst><si><t>pen</t><phoneticPr fontId="1"/></si></sst>
    after:   the calls that `{"sst": Place({"si": Place({"t": Place(text=keep)})})}` asks for:
             keep("pen")

What an archive's directory says is held against the limits before a part is unpacked; Python
unpacks no more of it than that. Expat reads a part piece by piece, and nothing of it is kept but
what the calls keep.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat

from gxo.stdlib.data._json import MAX_DEPTH

MIB = 1024 * 1024
MAX_ENTRIES = 10_000
MAX_DIRECTORY = 4 * MIB
MAX_PART = 16 * MIB
"""Bytes of a part that is read before the rows are."""
MAX_RATIO = 200
"""How many bytes one byte may become, in parts of more than a mebibyte."""
MAX_TAG = 256 * 1024
"""Bytes of a tag or comment. The parser begins it anew with each piece until it is complete."""
MAX_NAMES = 10_000
"""Different names of elements and attributes: the parser keeps each."""
MAX_PASSED_OVER = 10_000_000
"""Elements that mean nothing here, of one part."""

_PIECE = 8 * 1024
"""Bytes: all rows that begin in a piece are in memory at once, and each may be a wide one."""
_UNREAD = 256 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""What Python raises for a part that is damaged, encrypted, or packed in another way."""


class Parts:
    """A workbook's parts, by their names. ValueError when it is no archive, or a hostile one."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._archive = zipfile.ZipFile(BoundedDirectory(file, MAX_DIRECTORY))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
            raise ValueError("it is no xlsx workbook, or a protected one") from None
        parts = self._archive.infolist()
        if len(parts) > MAX_ENTRIES:
            raise ValueError(f"the workbook has more than {MAX_ENTRIES:,} parts")
        self._parts = {part.filename.lower(): part for part in parts}  # their names have no case

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._parts

    def open(self, name: str, most: int = MAX_PART) -> IO[bytes]:
        """A part, unless it is missing, or unpacks to more bytes than `most`."""
        part = self._parts.get(name.lower())
        if part is None:
            raise ValueError(f"the part {name[:100]} is missing")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"the part {name[:100]} is packed as no workbook's are")
        if part.file_size > most:
            raise ValueError(f"the part {name[:100]} is larger than {most // MIB:,} MiB")
        if part.file_size > max(MIB, MAX_RATIO * part.compress_size):
            raise ValueError(
                f"the part {name[:100]} unpacks to more than {MAX_RATIO} times its size"
            )
        try:
            return self._archive.open(part)
        except _BROKEN as error:
            raise damaged(name, error) from None


def damaged(name: str, error: Exception) -> ValueError:
    """What to tell of a part that cannot be unpacked."""
    return ValueError(f"the workbook is damaged: {name[:100]}: {error}")


class BoundedDirectory:
    """A file for who reads its directory, which is small: Python makes objects of all of it."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file
        self._most = most

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise ValueError(f"its directory is larger than {self._most // MIB} MiB")
        return self._file.read(min(size, self._most) if size >= 0 else self._most)


class Place:
    """Elements at one place: what may stand inside, and what to call where one begins and ends.

    begin gets the attributes, text what stands between the tags, if the place has any.
    """

    __slots__ = ("begin", "end", "inside", "text")

    def __init__(
        self,
        inside: "Mapping[str, Place] | None" = None,
        *,
        begin: Callable[[dict[str, str]], None] | None = None,
        text: Callable[[str], None] | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        self.inside = inside or {}
        self.begin = begin
        self.text = text
        self.end = end


class Walk:
    """Goes through a part and makes the calls of its places, a piece at each step.

    Elements elsewhere are passed over, whatever they hold. is_over: set by a call when the rest of
    the part is only to be unpacked, which looks at its checksum.
    """

    def __init__(self, part: IO[bytes], name: str, outermost: Mapping[str, Place]) -> None:
        self.is_over = False
        self._part = part
        self._name = name
        self._here = Place(outermost)
        self._around: list[Place] = []
        self._beside = self._passed_over = 0  # how deep in what is passed over, and how much it was
        self._text: list[str] = []
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_document_type

    @property
    def at(self) -> int:
        """The byte of the part that is read."""
        return self._parser.CurrentByteIndex

    def __iter__(self) -> Iterator[None]:
        """Read on at each step. ValueError says where what is wrong."""
        read = 0
        try:
            while not self.is_over and (piece := self._part.read(_PIECE)):
                read += len(piece)
                self._feed(piece, read)
                yield
            if not self.is_over:
                self._feed(b"", read)
            while self._part.read(_UNREAD):
                yield
        except _BROKEN as error:
            raise damaged(self._name, error) from None

    def _feed(self, piece: bytes, read: int) -> None:
        try:
            self._parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise self.error(expat.ErrorString(error.code)) from None
        if read - self.at > MAX_TAG:
            raise self.error(f"a tag or comment is longer than {MAX_TAG:,} bytes")
        if len(self._parser.intern) > MAX_NAMES:
            raise self.error(f"it has more than {MAX_NAMES:,} different names")

    def error(self, why: str) -> ValueError:
        """What to tell of the place that is read."""
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        return ValueError(
            f"the workbook is damaged: {self._name[:100]}, line {line}, column {column}: {why}"
        )

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._beside:
            self._pass_over()
            return
        place = self._here.inside.get(name if ":" not in name else name.rpartition(":")[2])
        if place is None:
            self._pass_over()
            return
        self._around.append(self._here)
        self._here = place
        if place.begin is not None:
            place.begin(attributes)

    def _pass_over(self) -> None:
        self._beside += 1
        self._passed_over += 1
        if self._beside > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH:,}")
        if self._passed_over > MAX_PASSED_OVER:
            raise self.error(f"it has more than {MAX_PASSED_OVER:,} elements beside what is read")

    def _end(self, _: str) -> None:
        if self._beside:
            self._beside -= 1
            return
        done, self._here = self._here, self._around.pop()
        if done.text is not None:
            done.text("".join(self._text))
            self._text.clear()
        if done.end is not None:
            done.end()

    def _characters(self, text: str) -> None:
        if self._here.text is not None and not self._beside:
            self._text.append(text)

    def _refuse_document_type(self, *_: object) -> None:
        raise self.error("a document type, which no workbook has")
