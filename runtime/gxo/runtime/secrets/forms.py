r"""The forms a secret takes in text, as one regular expression.

    p@ss/wörd   as it is; p%40ss%2Fw%C3%B6rd (either case, also encoded twice or in full);
                p@ss\/w\u00f6rd (JSON); cEBzcy93w7ZyZA== and the two other alignments (base64)

Every branch of the expression begins with a literal character, so that `re` skips through text
that holds none of them at the speed of memchr, and repeats in it are bounded, so that no text makes
it slow. A branch of a base64 form that does not begin at a byte of its own ends in an empty group:
the character before it holds bits of the secret too.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator

SHORT = 6  # bytes; below that a secret is only found as a whole scalar or word
SQUEEZED_SHORT = 4  # characters other than white space; less would be found all over a long text

# What a line break looks like, plain, escaped (JSON, repr) and URL-encoded, with what indents the
# next line: logged text may be wrapped or indented in the middle of a secret.
BREAK = re.compile(r"(?:\r\n?|\n|\\\\?(?:r\\\\?)?n|(?:%0[Dd])?%0[Aa])[ \t]*")

BASE64 = "[A-Za-z0-9+/_-]"
PADDING = "(?:=|%3[Dd]){0,2}"
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}


def pattern_of(values: Iterable[str], *, squeezed: bool = False) -> re.Pattern[str]:
    """The expression that finds any of the secrets. Longer ones win where several begin.

    squeezed: for text whose line breaks, with the white space after them, were taken out.
    """
    branches: list[str] = []
    for value in sorted(values, key=lambda value: (-len(value), value)):
        if len(encoded(value)) < SHORT:
            branches += _short_branches(value)
        else:
            text = squeeze(value) if squeezed else value
            branches += _text_branches(characters(text, squeezed=squeezed))
            branches += [_percent_branch(value), *_base64_branches(encoded(value))]
    return re.compile("|".join(branches))


def encoded(value: str) -> bytes:
    """The secret's bytes."""
    return value.encode("utf-8", "surrogateescape")


def _short_branches(value: str) -> list[str]:
    """The plain, URL-encoded and base64 forms, as words."""
    base64 = b64encode(encoded(value)).decode().rstrip("=")
    urls = {"".join(f"%{byte:02{case}}" for byte in encoded(value)) for case in "xX"}
    forms = {value, base64, base64.translate({43: 45, 47: 95}), *urls}
    # The look behind stands last: a branch must begin with a literal.
    return [rf"{re.escape(form)}(?!\w)(?<!\w{re.escape(form)})" for form in sorted(forms)]


def _text_branches(parts: list[list[str]]) -> list[str]:
    """The value, each character of it plain, URL-encoded or JSON-escaped: branches by the first."""
    rest = "".join(one_of(forms) for forms in parts[1:])
    return [first + rest for first in parts[0]] if parts else []


def characters(text: str, *, squeezed: bool) -> list[list[str]]:
    """The forms of each character, or run of backslashes, as expressions.

    squeezed: a space may have gone with a line break that stood before it.
    """
    parts = [_character_forms(run) for run in re.findall(r"\\+|[^\\]", text)]
    return [[*each, ""] if squeezed and each[0] == r"\ " else each for each in parts]


def squeeze(value: str) -> str:
    """What is looked for where line breaks were taken out; nothing if that is too little."""
    text = BREAK.sub("", value).strip(" ")
    return text if len(text.replace(" ", "")) >= SQUEEZED_SHORT else ""


def _percent_branch(value: str) -> str:
    """Every byte URL-encoded, also those that need not be."""
    return "".join(f"%{_hex(byte, 2)}" for byte in encoded(value))


def _base64_branches(data: bytes) -> list[str]:
    """Base64 of any bytes that hold these."""
    branches = []
    for before, text, is_partial in base64_texts(data):
        each = [base64_forms(character) for character in text]
        partial = f"{BASE64}?" if is_partial else ""
        rest = "".join(one_of(part) for part in each[1:]) + partial + PADDING
        mark = "()" if before else ""
        branches += [begin + rest + mark for begin in each[0]]
    return branches


def base64_texts(data: bytes) -> Iterator[tuple[int, str, bool]]:
    """What is the same in base64 wherever the bytes begin in a group of 3.

    How many bytes stand before them there, the text, and whether a character follows that also
    holds bits of what comes next.
    """
    for before in range(3):
        text = b64encode(bytes(before) + data).decode().rstrip("=")
        first = -(-before * 4 // 3)  # earlier characters hold bits of what stands before
        complete = (before + len(data)) * 4 // 3
        yield before, text[first:complete], (before + len(data)) % 3 != 0


def base64_forms(character: str) -> list[str]:
    """The forms of a character of base64, as expressions."""
    if character == "+":
        return [r"\+", "-", "%2[Bb]", r"\\\\{0,7}u002[Bb]"]
    if character == "/":
        return ["/", "_", "%2[Ff]", r"\\\\{0,7}/", r"\\\\{0,7}u002[Ff]"]
    return [character]


def _character_forms(character: str) -> list[str]:
    """A character, or a run of backslashes, in all its forms, each beginning with a literal."""
    if character.isascii() and character.isalnum():
        return [character]
    if character[0] == "\\":
        length = len(character)
        return [rf"\\\\{{{length - 1},{8 * length - 1}}}", "%(?:25){0,2}5[Cc]" * length]
    forms = [re.escape(character), "".join(_percent(byte) for byte in encoded(character))]
    forms.append("".join(rf"\\\\{{0,7}}u{_hex(unit, 4)}" for unit in _utf16(character)))
    if character == " ":
        forms.append(r"\+")
    elif character in _ESCAPES:
        forms.append(rf"\\\\{{0,7}}{_ESCAPES[character]}")
    elif character in "\"'/":
        forms.append(rf"\\\\{{0,7}}{character}")
    elif ord(character) < 0x20:
        forms.append(rf"\\\\{{0,7}}x{_hex(ord(character), 2)}")
    if character == "'":  # as shlex.quote writes it inside single quotes
        forms.append(""" '"'"' """.strip())
    elif character == "\n":
        forms += ["\r\n", r"\\\\{0,7}r\\\\{0,7}n", "%(?:25){0,2}0[Dd]%(?:25){0,2}0[Aa]"]
    return forms


def _utf16(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _percent(byte: int) -> str:
    return f"%(?:25){{0,2}}{_hex(byte, 2)}"


def _hex(number: int, digits: int) -> str:
    """The number in hexadecimal, in either case."""
    return re.sub("[a-f]", lambda found: f"[{found[0]}{found[0].upper()}]", f"{number:0{digits}x}")


def one_of(forms: list[str]) -> str:
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"
