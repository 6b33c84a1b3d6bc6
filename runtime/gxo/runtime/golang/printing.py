"""Go's `printf`: every verb and flag, and what Go prints when a verb does not fit the value.

    sprintf("%-6s|%05.1f|%x", ["ab", 3.14159, 255])      "ab    |003.1|ff"
    sprintf("%d %d", ["5"])                              "%!d(string=5) %!d(MISSING)"

The structure follows Go's `fmt`, so that the two can be read side by side.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gxo.runtime.errors import ExpressionError
from gxo.runtime.expr import Int64, NamedInt, Native, NilList, format_float, in_order, whole
from gxo.runtime.golang.kinds import go_type, quote

_LARGEST_WIDTH = 1_000_000
_LARGEST_RUNE = 0x10FFFF
_UNSIGNED = (1 << 64) - 1


class Flags:
    """The flags, width and precision of one verb. `go` is `%#v`, Go's own syntax."""

    __slots__ = ("go", "minus", "plus", "precision", "sharp", "space", "width", "zero")

    def __init__(self) -> None:
        self.minus = self.plus = self.sharp = self.space = self.zero = self.go = False
        self.width: int | None = None
        self.precision: int | None = None


def sprintf(form: str, values: tuple[Any, ...]) -> str:
    """Return Go's `fmt.Sprintf`."""
    types = tuple(map(type, values))
    python = _python_form(form, types)
    if python is not None and (float not in types or all(map(_is_finite, values))):
        return whole(python % values)
    return whole(_Printer(form, values).run())


_DIRECTIVE = re.compile(r"%([-+0]*)(\d{0,3})((?:\.\d{1,2})?)(.?)", re.DOTALL)
_SAME_IN_PYTHON = {str: "sv", int: "dvxXo", Int64: "dvxXo", float: "fFe"}


@lru_cache(maxsize=256)
def _python_form(form: str, types: tuple[type, ...]) -> str | None:
    """Return the format that gives with Python's `%` what this one gives in Go for finite values of
    these types; None where there is none."""
    parts = []
    at = used = 0
    for found in _DIRECTIVE.finditer(form):
        parts.append(form[at : found.start()])
        at = found.end()
        if found[0] == "%%":
            parts.append("%%")
            continue
        part = _python_directive(found, types[used]) if used < len(types) else None
        if part is None:
            return None
        parts.append(part)
        used += 1
    return "".join([*parts, form[at:]]) if used == len(types) else None


def _python_directive(found: re.Match[str], type_: type) -> str | None:
    flags, width, precision, verb = found.groups()
    if not verb or verb not in _SAME_IN_PYTHON.get(type_, ""):
        return None
    if type_ is str:
        return None if flags.strip("-") else f"%{flags}{width}{precision}s"
    if (type_ is not float and precision) or (verb == "v" and "+" in flags):
        return None
    return f"%{flags}{width}{precision}{'d' if verb == 'v' else verb}"


def _is_finite(value: object) -> bool:
    return not isinstance(value, float) or value - value == 0


def sprint(values: Sequence[Any]) -> str:
    """Return Go's `fmt.Sprint`: a space between two operands when neither is a text."""
    parts: list[Any] = []
    was_text = True
    for value in values:
        is_text = isinstance(value, str)
        if parts and not is_text and not was_text:
            parts.append(" ")
        parts.append(format_verb(value, "v", Flags()))
        was_text = is_text
    return whole("".join(parts))


def sprintln(values: Sequence[Any]) -> str:
    """Return Go's `fmt.Sprintln`: a space between all operands, and a line's end."""
    return " ".join(format_verb(value, "v", Flags()) for value in values) + "\n"


class _Printer:
    """The reading of one format: where it stands in the text and among the values."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self.form = form
        self.values = values
        self.at = 0
        self.next = 0
        self.reordered = False
        self.indexed = False
        self.good_index = True

    def run(self) -> str:
        parts = []
        while True:
            percent = self.form.find("%", self.at)
            if percent < 0:
                parts.append(self.form[self.at :])
                break
            parts.append(self.form[self.at : percent])
            self.at = percent + 1
            parts.append(self.directive())
        if not self.reordered and self.next < len(self.values):
            parts.append(self.extra())
        return "".join(parts)

    def directive(self) -> str:
        """Format what follows a percent sign."""
        self.good_index = True
        flags = self.flags()
        self.indexed = self.argument_index()
        bad = self.width(flags) + self.precision(flags)
        if not self.indexed:
            self.indexed = self.argument_index()
        if self.at >= len(self.form):
            return bad + "%!(NOVERB)"
        verb = self.form[self.at]
        self.at += 1
        if verb == "%":
            return bad + "%"
        if not self.good_index:
            return f"{bad}%!{verb}(BADINDEX)"
        if self.next >= len(self.values):
            return f"{bad}%!{verb}(MISSING)"
        if verb == "v":
            flags.go, flags.sharp, flags.plus = flags.sharp, False, False
        self.next += 1
        return bad + format_verb(self.values[self.next - 1], verb, flags)

    def flags(self) -> Flags:
        flags = Flags()
        while (char := self.form[self.at : self.at + 1]) and char in "#0+- ":
            if char == "#":
                flags.sharp = True
            elif char == "0":
                flags.zero = not flags.minus
            elif char == "+":
                flags.plus = True
            elif char == "-":
                flags.minus, flags.zero = True, False
            else:
                flags.space = True
            self.at += 1
        return flags

    def width(self, flags: Flags) -> str:
        """Read the width; return what Go prints when it is bad."""
        if self.form.startswith("*", self.at):
            self.at += 1
            flags.width = self.number_argument()
            self.indexed = False
            if flags.width is None:
                return "%!(BADWIDTH)"
            if flags.width < 0:
                flags.width, flags.minus, flags.zero = -flags.width, True, False
            return ""
        flags.width = self.number()
        if self.indexed and flags.width is not None:
            self.good_index = False
        return ""

    def precision(self, flags: Flags) -> str:
        """Read the precision; return what Go prints when it is bad."""
        if not self.form.startswith(".", self.at) or self.at + 1 >= len(self.form):
            return ""
        self.at += 1
        if self.indexed:
            self.good_index = False
        self.indexed = self.argument_index()
        if self.form.startswith("*", self.at):
            self.at += 1
            flags.precision = self.number_argument()
            self.indexed = False
            if flags.precision is None or flags.precision < 0:
                flags.precision = None
                return "%!(BADPREC)"
            return ""
        flags.precision = self.number() or 0
        return ""

    def number(self) -> int | None:
        """Read a number of the format; None without one."""
        start = self.at
        while self.form[self.at : self.at + 1] in tuple("0123456789"):
            self.at += 1
        digits = self.form[start : self.at]
        if not digits:
            return None
        if len(digits) > 7 or int(digits) > _LARGEST_WIDTH * 10:
            self.at = len(self.form)
            return None
        return int(digits)

    def number_argument(self) -> int | None:
        """Take the value for a `*`; None when it is no int of sensible size."""
        if self.next >= len(self.values):
            return None
        value = self.values[self.next]
        self.next += 1
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_WIDTH:
            return None
        return value

    def argument_index(self) -> bool:
        """Read `[n]`, the number of the value to take next; return whether there was one."""
        if not self.form.startswith("[", self.at):
            return False
        self.reordered = True
        end = self.form.find("]", self.at)
        if end < 0:
            self.at += 1
            self.good_index = False
            return False
        digits = self.form[self.at + 1 : end]
        self.at = end + 1
        readable = digits.isascii() and digits.isdecimal() and len(digits) <= 7
        if readable and 0 < int(digits) <= len(self.values):
            self.next = int(digits) - 1
            return True
        self.good_index = False
        return readable

    def extra(self) -> str:
        rest = []
        for value in self.values[self.next :]:
            printed = format_verb(value, "v", Flags())
            rest.append(printed if value is None else f"{go_type(value)}={printed}")
        return f"%!(EXTRA {', '.join(rest)})"


def format_verb(value: Any, verb: str, flags: Flags, nested: bool = False) -> str:
    """Return one value under one verb; `nested` inside a list or map."""
    if value is None:
        return _format_nil(verb, flags, nested)
    if verb == "T" and not nested:
        return _pad(_truncate(go_type(value), flags), flags)
    if verb == "p" and isinstance(value, (list, dict, Native)):
        raise ExpressionError("printf: %p prints an address in memory, which no two runs share")
    if isinstance(value, str):
        return _format_text(value, verb, flags)
    if isinstance(value, bool):
        if verb in "tv":
            return _pad("true" if value else "false", flags)
        return _bad_verb(value, verb, flags)
    if isinstance(value, (Native, NamedInt)) and verb in "vsxXq":
        return _format_text(str(value), verb, flags)
    if isinstance(value, int):
        return _format_int(value, verb, flags)
    if isinstance(value, float):
        return _format_float(value, verb, flags)
    if isinstance(value, list):
        return _format_list(value, verb, flags)
    if isinstance(value, dict):
        return _format_map(value, verb, flags)
    return _bad_verb(value, verb, flags)


def _format_nil(verb: str, flags: Flags, nested: bool) -> str:
    if nested:
        return "interface {}(nil)" if flags.go else "<nil>"
    return _pad("<nil>", flags) if verb in "Tv" else f"%!{verb}(<nil>)"


def _bad_verb(value: object, verb: str, flags: Flags) -> str:
    return f"%!{verb}({go_type(value)}={format_verb(value, 'v', flags)})"


def _format_list(value: list[Any], verb: str, flags: Flags) -> str:
    items = [format_verb(item, verb, flags, nested=True) for item in value]
    if not flags.go:
        return f"[{' '.join(items)}]"
    nil = isinstance(value, NilList)
    return f"{go_type(value)}(nil)" if nil else f"{go_type(value)}{{{', '.join(items)}}}"


def _format_map(value: dict[str, Any], verb: str, flags: Flags) -> str:
    items = [
        f"{format_verb(key, verb, flags, nested=True)}:"
        f"{format_verb(value[key], verb, flags, nested=True)}"
        for key in in_order(value)
    ]
    return f"{go_type(value)}{{{', '.join(items)}}}" if flags.go else f"map[{' '.join(items)}]"


def _pad(text: str, flags: Flags) -> str:
    missing = (flags.width or 0) - len(text)
    if missing <= 0:
        return text
    padding = ("0" if flags.zero else " ") * missing
    return text + padding if flags.minus else padding + text


def _truncate(text: str, flags: Flags) -> str:
    return text if flags.precision is None else text[: flags.precision]


def _format_text(value: str, verb: str, flags: Flags) -> str:
    if verb == "q" or (verb == "v" and flags.go):
        text = _truncate(value, flags)
        if flags.sharp and _fits_backquotes(text):
            return _pad(f"`{text}`", flags)
        return _pad(quote(text, ascii_only=flags.plus), flags)
    if verb in "vs":
        return _pad(_truncate(value, flags), flags)
    if verb in "xX":
        return _format_bytes(value.encode("utf-8", "surrogateescape"), verb, flags)
    return _bad_verb(value, verb, flags)


def _fits_backquotes(text: str) -> bool:
    return not any(
        char in "`\x7f\ufeff" or (char < " " and char != "\t") or "\udc80" <= char <= "\udcff"
        for char in text
    )


def _format_bytes(data: bytes, verb: str, flags: Flags) -> str:
    if flags.precision is not None:
        data = data[: flags.precision]
    prefix = f"0{verb}" if flags.sharp and data else ""
    digits = data.hex()
    if flags.space:
        digits = f" {prefix}".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return _pad(prefix + (digits.upper() if verb == "X" else digits), flags)


def _format_int(value: int, verb: str, flags: Flags) -> str:
    if verb in ("d", "v"):
        if flags.go and go_type(value) == "uint64":
            return _pad(f"{value:#x}", flags)
        return _format_digits(value, f"{abs(value)}", verb, flags)
    if verb in ("b", "o", "O", "x", "X"):
        digits = f"{abs(value):{verb.lower()}}"
        return _format_digits(value, digits.upper() if verb == "X" else digits, verb, flags)
    if verb in ("c", "q"):
        char = chr(value) if 0 <= value <= _LARGEST_RUNE else "\ufffd"
        char = "\ufffd" if "\ud800" <= char <= "\udfff" else char
        return _pad(char if verb == "c" else quote(char, flags.plus, "'"), flags)
    if verb == "U":
        return _format_unicode(value & _UNSIGNED, flags)
    return _bad_verb(value, verb, flags)


_PREFIXES = {"b": "0b", "x": "0x", "X": "0X"}


def _format_digits(value: int, digits: str, verb: str, flags: Flags) -> str:
    """Return an int's digits with its sign, a base's prefix, and zeros up to the precision."""
    sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
    if flags.precision is not None:
        if flags.precision == 0 and value == 0:
            return " " * (flags.width or 0)
        digits = digits.rjust(flags.precision, "0")
    elif flags.zero and flags.width is not None:
        digits = digits.rjust(flags.width - len(sign), "0")
    if flags.sharp:
        octal = verb in "oO" and not digits.startswith("0")
        digits = ("0" if octal else _PREFIXES.get(verb, "")) + digits
    return _pad_with_spaces(sign + ("0o" if verb == "O" else "") + digits, flags)


def _pad_with_spaces(text: str, flags: Flags) -> str:
    missing = " " * ((flags.width or 0) - len(text))
    return text + missing if flags.minus else missing + text


def _format_unicode(code: int, flags: Flags) -> str:
    text = f"U+{code:0{max(flags.precision or 0, 4)}X}"
    if flags.sharp and code <= _LARGEST_RUNE and chr(code).isprintable():
        text += f" '{chr(code)}'"
    return _pad_with_spaces(text, flags)


def _format_float(value: float, verb: str, flags: Flags) -> str:
    if verb not in ("v", "b", "g", "G", "x", "X", "f", "F", "e", "E"):
        return _bad_verb(value, verb, flags)
    special = value != value or value in (float("inf"), float("-inf"))
    number = format_float(value) if special else _float_digits(value, verb, flags)
    sign = number[0] if number[0] in "+-" else ""
    number = number[len(sign) :]
    if flags.sharp and verb != "b" and not special:
        number = _with_point(number, verb, flags)
    shown = sign if sign == "-" else "+" if flags.plus else " " if flags.space else ""
    if number == "Inf" and sign == "+" and not shown:
        shown = "+"
    if flags.zero and flags.width is not None and not special:
        return shown + number.rjust(flags.width - len(shown), "0")
    return _pad_with_spaces(shown + number, flags)


def _float_digits(value: float, verb: str, flags: Flags) -> str:
    precision = flags.precision
    if verb in ("v", "g", "G"):
        text = format_float(value) if precision is None else f"{value:.{precision}g}"
        return text.upper() if verb == "G" else text
    if verb in ("f", "F", "e", "E"):
        return f"{value:.{6 if precision is None else precision}{verb.replace('F', 'f')}}"
    mantissa, exponent = _mantissa(value)
    sign = "-" if str(value).startswith("-") else ""
    if verb == "b":
        return f"{sign}{mantissa}p{exponent:+d}"
    return _hexadecimal(sign, mantissa, exponent, verb, precision)


def _mantissa(value: float) -> tuple[int, int]:
    """Return m and e with |value| = m * 2**e, m as Go prints it with `%b`."""
    whole, _, rest = abs(value).hex()[2:].partition(".")
    fraction, _, exponent = rest.partition("p")
    mantissa = int(whole + fraction.ljust(13, "0"), 16)
    return mantissa, (int(exponent) if mantissa else -1022) - 52


def _hexadecimal(sign: str, mantissa: int, exponent: int, verb: str, precision: int | None) -> str:
    """Return `%x` of a float: 0x1.8p+01."""
    shift = 53 - mantissa.bit_length() if mantissa else 0
    mantissa <<= shift
    power = exponent - shift + 52 if mantissa else 0
    if precision is not None and precision < 13 and mantissa:
        cut = 4 * (13 - precision)
        half, odd = 1 << (cut - 1), mantissa >> cut & 1
        mantissa = (mantissa + half - 1 + odd) >> cut << cut
        if mantissa.bit_length() > 53:
            mantissa, power = mantissa >> 1, power + 1
    digits = f"{mantissa & ((1 << 52) - 1):013x}"
    digits = digits.rstrip("0") if precision is None else digits[:precision].ljust(precision, "0")
    point = "." if digits else ""
    text = f"{sign}0x{1 if mantissa else 0}{point}{digits}p{power:+03d}"
    return text.upper() if verb == "X" else text


def _with_point(number: str, verb: str, flags: Flags) -> str:
    """Apply `#`: always a point, and the trailing zeros that `%g` leaves out."""
    marks = "pP" if verb in "xX" else "eE"
    at = next((at for at, char in enumerate(number) if char in marks), len(number))
    digits, tail = number[:at], number[at:]
    missing = 0
    if verb in "vgGx":
        significant = len(digits.replace(".", "").lstrip("0"))  # Go counts the x of 0x as one
        missing = (6 if flags.precision is None else flags.precision) - significant
        missing -= digits == "0"
    point = "" if "." in digits else "."
    return digits + point + "0" * missing + tail
