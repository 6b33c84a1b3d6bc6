"""What Go calls the type of a value, and how it quotes a text: for `typeOf`, `printf`, `quote`."""

from gxo.runtime.expr import Int64, NamedInt, Native

_TYPES: dict[type, str] = {
    type(None): "<nil>",
    bool: "bool",
    int: "int",
    Int64: "int64",
    float: "float64",
    str: "string",
}
_LARGEST_INT64 = (1 << 63) - 1


def go_type(value: object) -> str:
    """Return Go's `%T` of a value. Lists and maps have one type each, however they came about."""
    if type(value) is int and value > _LARGEST_INT64:
        return "uint64"
    name = _TYPES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, list):
        return "[]interface {}"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return str(getattr(value, "GO_TYPE", type(value).__name__))


def go_kind(value: object) -> str:
    """Return the name of the `reflect.Kind`: `slice`, `map`, `struct`, `invalid` for nil."""
    if value is None:
        return "invalid"
    if isinstance(value, list):
        return "slice"
    if isinstance(value, dict):
        return "map"
    if isinstance(value, Native):
        return "ptr" if value.GO_TYPE.startswith("*") else "struct"
    return "int" if isinstance(value, NamedInt) else go_type(value)


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}


def quote(text: str, ascii_only: bool = False, mark: str = '"') -> str:
    """Return a text as a Go string literal; `mark="'"` makes a character literal."""
    if text.isascii() and text.isprintable() and "\\" not in text and mark not in text:
        return f"{mark}{text}{mark}"
    escapes = {**_ESCAPES, mark: "\\" + mark}
    return f"{mark}{''.join(_quoted(char, escapes, ascii_only) for char in text)}{mark}"


def _quoted(char: str, escapes: dict[str, str], ascii_only: bool) -> str:
    if char in escapes:
        return escapes[char]
    code = ord(char)
    if char.isprintable() and not (ascii_only and code > 0x7F):
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
