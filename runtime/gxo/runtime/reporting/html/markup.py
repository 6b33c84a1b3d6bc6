"""HTML from values: what is not markup already is escaped, so nothing can be forgotten.

tag("td", "a < b", class_="name")     <td class="name">a &lt; b</td>
tag("td", tag("b", "x"), " & y")      <td><b>x</b> &amp; y</td>
"""

import html
from collections.abc import Iterable

# Control characters, and what turns the direction of text: a value must not change what stands
# around it, so these are shown.
_SHOWN = {
    code: f"\\u{code:04x}"
    for code in (
        *(code for code in range(0x20) if code not in (0x09, 0x0A)),
        *range(0x7F, 0xA0),
        *(0x200B, 0x200E, 0x200F),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
        0xFFFE,
        0xFFFF,
    )
}
_VOID = frozenset({"meta", "input", "br"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | int | None
"""What may stand inside a tag; None stands for nothing."""


def escape(value: Content) -> Markup:
    """The value as HTML text, also inside the quotes of an attribute."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup("")
    return Markup(html.escape(str(value).translate(_SHOWN)))


def tag(name: str, /, *contents: Content, **attributes: str | int | float | bool | None) -> Markup:
    """One element. `class_` stands for `class`, `aria_label` for `aria-label`; True is an attribute
    without a value, None and False leave it out.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        words.append(key if value is True else f'{key}="{escape(_shortest(value))}"')
    opened = f"<{' '.join(words)}>"
    if name in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{''.join(map(escape, contents))}</{name}>")


def join(parts: Iterable[Content], between: str = "") -> Markup:
    """The parts one after the other."""
    return Markup(between.join(map(escape, parts)))


def _shortest(value: str | int | float) -> str:
    """Coordinates with at most two decimals: a tenth of a pixel is nothing to see."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
