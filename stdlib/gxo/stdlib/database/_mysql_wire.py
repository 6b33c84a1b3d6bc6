"""The part of MySQL's protocol that prepares and executes statements.

    PREPARE  SELECT ... WHERE id = ?      a number for the statement
    EXECUTE  number, values               OK, or columns and then rows
    FETCH    number, size                 the next rows of a cursor on the server

Values travel beside the statement, each with its type, and so do those of rows.
"""

import asyncio
import struct
from typing import Any, NamedTuple

from gxo.stdlib.data._json import decode
from gxo.stdlib.database._session import said
from gxo.stdlib.database._values import in_base64, number

QUIT, QUERY, PREPARE, EXECUTE, FETCH = b"\x01", b"\x03", b"\x16", b"\x17", b"\x1c"
CURSOR = b"\x01\x01\0\0\0"
"""Flags of EXECUTE: rows stay on the server until they are fetched. It is executed once."""

_PIECE = 0xFFFFFF
_CHUNK = 256 * 1024
_LONGEST = 1024**3
"""Bytes of the longest packet that a server can be told to send."""

_MOST_COLUMNS = 4096
_MORE_RESULTS, _CURSOR_EXISTS, _LAST_ROW = 0x08, 0x40, 0x80
_UNSIGNED, _BINARY = 0x20, 63

_DECIMALS = (0, 246)
_NULL, _LONGLONG, _DOUBLE, _VAR_STRING, _BLOB = 6, 8, 5, 253, 252
_TIMESTAMP, _DATE, _TIME, _DATETIME, _BIT, _JSON = 7, 10, 11, 12, 16, 245
_INTEGERS = {1: 1, 2: 2, 13: 2, 3: 4, 9: 4, 8: 8}
"""Bytes of each type of integers."""


class Refused(Exception):  # noqa: N818 - what the server says
    """The server has not done what it was asked to; what it says is the text."""


class Status(NamedTuple):
    """What the server says at the end of columns or rows."""

    has_cursor: bool
    is_last: bool
    has_more: bool = False


class Column(NamedTuple):
    """name, the number of its type, and whether it holds bytes, or numbers without a sign."""

    name: str
    kind: int
    is_binary: bool
    is_unsigned: bool


class Wire:
    """Packets to and from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._data = bytearray()
        self._at = 0

    def send(self, *commands: bytes) -> None:
        """Send commands; they are answered one after the other."""
        parts: list[bytes] = []
        for command in commands:
            for place, start in enumerate(range(0, len(command) + 1, _PIECE)):
                piece = command[start : start + _PIECE]
                parts += (len(piece).to_bytes(3, "little"), bytes([place % 256]), piece)
        self._writer.write(b"".join(parts))

    async def packet(self) -> bytes:
        """The next packet. EOFError where the connection is over."""
        parts: list[bytes] = []
        while True:
            size = int.from_bytes(await self._take(4), "little") & _PIECE
            parts.append(await self._take(size))
            if size < _PIECE:
                break
            if len(parts) * _PIECE > _LONGEST:
                raise ValueError("a packet is longer than any")
        packet = parts[0] if len(parts) == 1 else b"".join(parts)
        if packet[:1] == b"\xff":
            text = packet[9:] if packet[3:4] == b"#" else packet[3:]
            raise Refused(said(text.decode(errors="replace")))
        return packet

    async def _take(self, size: int) -> bytes:
        while len(self._data) - self._at < size:
            del self._data[: self._at]
            self._at = 0
            piece = await self._reader.read(_CHUNK)
            if not piece:
                raise EOFError
            self._data += piece
        self._at += size
        return bytes(self._data[self._at - size : self._at])

    async def done(self) -> int:
        """Read that something is done: how many rows it changed."""
        return _affected(await self.packet())

    async def prepared(self) -> tuple[bytes, int, bool]:
        """The answer to PREPARE: the statement's number, how many values it wants, and whether it
        certainly gives rows."""
        packet = await self.packet()
        columns, wanted = struct.unpack_from("<HH", packet, 5)
        for count in (wanted, columns):
            if count:
                await self._skip(count + 1)
        return packet[1:5], wanted, columns > 0

    async def answer(self, *, has_rows: bool) -> "tuple[int, list[Column] | None, Status]":
        """The answer to EXECUTE: how many rows it changed, or the columns of the rows it gives.

        has_rows: what `prepared` said. That a procedure gives rows is only known now.
        """
        packet = await self.packet()
        if packet[0] == 0:
            if has_rows:
                raise ValueError("it gives none of the columns that it has promised")
            return _affected(packet), None, Status(False, True)
        count, _ = _length(packet, 0)
        if count > _MOST_COLUMNS:
            raise ValueError("there are more columns than a table can have")
        columns = [_column(await self.packet()) for _ in range(count)]
        return 0, columns, _status(await self.packet())

    async def row(self) -> bytes | Status:
        """The next row, as it came, or the end of them."""
        packet = await self.packet()
        if packet[0] != 0xFE or len(packet) >= 9:
            return packet
        status = _status(packet)
        # Rows of a procedure are followed by how it has ended, or by rows of another query.
        if status.has_more and (await self.packet())[0] != 0:
            raise Refused("it gives the rows of more than one query")
        return status

    async def _skip(self, count: int) -> None:
        for _ in range(count):
            await self.packet()


def _affected(packet: bytes) -> int:
    if packet[0] != 0:
        raise ValueError("it is no OK packet")
    return _length(packet, 1)[0]


def _status(packet: bytes) -> Status:
    if packet[0] != 0xFE:
        raise ValueError("it is no end of something")
    [flags] = struct.unpack_from("<H", packet, 3)
    return Status(
        bool(flags & _CURSOR_EXISTS), bool(flags & _LAST_ROW), bool(flags & _MORE_RESULTS)
    )


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    first = data[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes with their length before them, and where they end."""
    size, at = _length(data, at)
    if at + size > len(data):
        raise ValueError("a text is longer than its packet")
    return data[at : at + size], at + size


def _column(packet: bytes) -> Column:
    at = 0
    for _ in range(5):  # catalog, schema, table, its own name, and then the name in the query
        name, at = _text(packet, at)
    _, at = _text(packet, at)
    charset, _, kind, flags = struct.unpack_from("<HIBH", packet, at + 1)
    return Column(name.decode(), kind, charset == _BINARY, bool(flags & _UNSIGNED))


def read_row(packet: bytes, columns: list[Column]) -> tuple[Any, ...]:
    """The values of a row, as records hold them."""
    missing = int.from_bytes(packet[1 : 1 + (len(columns) + 9) // 8], "little") >> 2
    at = 1 + (len(columns) + 9) // 8
    values: list[Any] = []
    for column in columns:
        if missing & 1:
            values.append(None)
        else:
            value, at = _value(packet, at, column)
            values.append(value)
        missing >>= 1
    return tuple(values)


def _value(packet: bytes, at: int, column: Column) -> tuple[Any, int]:
    kind = column.kind
    size = _INTEGERS.get(kind)
    if size is not None:
        signed = not column.is_unsigned
        return int.from_bytes(packet[at : at + size], "little", signed=signed), at + size
    if kind == 4:
        return number(_shortest(packet[at : at + 4])), at + 4
    if kind == _DOUBLE:
        return number(struct.unpack_from("<d", packet, at)[0]), at + 8
    data, at = _text(packet, at)
    if kind in (_DATE, _DATETIME, _TIMESTAMP):
        return _moment(data, kind), at
    if kind == _TIME:
        return _time(data), at
    if kind == _BIT:
        return int.from_bytes(data, "big"), at
    if kind == _JSON:
        return decode(data.decode()), at
    if column.is_binary and kind not in _DECIMALS:
        return in_base64(data), at
    return data.decode(), at


def _shortest(data: bytes) -> float:
    """The float of four bytes, of which there are many: the one that takes the fewest digits."""
    [exact] = struct.unpack("<f", data)
    some = (float(f"{exact:.{digits}g}") for digits in range(6, 9))
    return next((one for one in some if struct.pack("<f", one) == data), exact)


def _moment(data: bytes, kind: int) -> str:
    """A date, or RFC 3339. A TIMESTAMP is in UTC, as the session is; a DATETIME has no zone."""
    year, month, day, hour, minute, second, micro = struct.unpack("<HBBBBBI", data.ljust(11, b"\0"))
    date = f"{year:04}-{month:02}-{day:02}"
    if kind == _DATE:
        return date
    fraction = f".{micro:06}".rstrip("0") if micro else ""
    zone = "Z" if kind == _TIMESTAMP else ""
    return f"{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"


def _time(data: bytes) -> str:
    negative, days, hour, minute, second, micro = struct.unpack("<BIBBBI", data.ljust(12, b"\0"))
    fraction = f".{micro:06}".rstrip("0") if micro else ""
    return f"{'-' if negative else ''}{days * 24 + hour:02}:{minute:02}:{second:02}{fraction}"


def written(values: list[Any]) -> bytes:
    """The values of EXECUTE, with their types."""
    if not values:
        return b""
    nulls, kinds, data = 0, bytearray(), []
    for place, value in enumerate(values):
        kind, unsigned, part = _written(value)
        nulls |= (kind == _NULL) << place
        kinds += bytes([kind, 0x80 if unsigned else 0])
        data.append(part)
    bits = nulls.to_bytes((len(values) + 7) // 8, "little")
    return b"".join((bits, b"\x01", kinds, *data))


def _written(value: Any) -> tuple[int, bool, bytes]:
    match value:
        case None:
            return _NULL, False, b""
        case int() if -(2**63) <= value < 2**63:
            return _LONGLONG, False, value.to_bytes(8, "little", signed=True)
        case int() if 0 <= value < 2**64:
            return _LONGLONG, True, value.to_bytes(8, "little")
        case float():
            return _DOUBLE, False, struct.pack("<d", value)
        case bytes():
            return _BLOB, False, _prefixed(value)
    return _VAR_STRING, False, _prefixed(str(value).encode(errors="surrogatepass"))


def _prefixed(data: bytes) -> bytes:
    size = len(data)
    if size < 0xFB:
        return bytes([size]) + data
    for mark, width in ((b"\xfc", 2), (b"\xfd", 3), (b"\xfe", 8)):
        if size < 1 << 8 * width:
            return mark + size.to_bytes(width, "little") + data
    raise ValueError("it is too long")
