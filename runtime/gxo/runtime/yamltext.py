"""What an unquoted YAML scalar means, in playbooks and in data: YAML 1.2's core schema, made safe.

    3  0x1f  0o17   int          yes  off      text, with a warning in a playbook
    1.5  .inf       float        0644  007     text, with a warning in a playbook
    true  Null  ~   bool, nil    2024-01-31    text, with a warning in a playbook

YAML 1.1 readers take the right column for bools, octal numbers and dates, so an author may mean
either; the warning shows the quoted form, which is text to every reader (language, section 1).
"""

import re

Value = None | bool | int | float | str

MAX_DIGITS = 4000
"""Python refuses to convert longer numbers to and from text."""
_MAX_BITS = int(MAX_DIGITS * 3.32)
_TOO_LONG = f"a number has at most {MAX_DIGITS} digits"

_WORDS: dict[str, Value] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL_FLOAT = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_OLD_BOOL = re.compile(r"([yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)\Z")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?\Z"
)
_NUMBER_START = frozenset("+-.0123456789")


def resolve(text: str) -> Value:
    """The value of an unquoted scalar. ValueError: a number of more than MAX_DIGITS digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or _LEADING_ZERO.match(text):
        return text
    number = _number(text)
    return text if number is None else number


def _number(text: str) -> int | float | None:
    if _INT.match(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(_TOO_LONG)
        return int(text)
    if _OCTAL.match(text):
        return _limited(int(text[2:], 8))
    if _HEXADECIMAL.match(text):
        return _limited(int(text[2:], 16))
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL_FLOAT.match(text):
        return float(text.replace(".", ""))
    return None


def _limited(number: int) -> int:
    if number.bit_length() > _MAX_BITS:
        raise ValueError(_TOO_LONG)
    return number


def ambiguous(text: str) -> str | None:
    """What a YAML 1.1 reader takes this unquoted text for (`a bool`), or None when it agrees."""
    if _OLD_BOOL.match(text):
        return "a bool"
    if _LEADING_ZERO.match(text):
        if _DATE.match(text):
            return "a date"
        return "a number" if _FLOAT.match(text) else None
    return "a date" if text[:1].isdigit() and _DATE.match(text) else None
