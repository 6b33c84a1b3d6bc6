"""How sizes are said to people."""


def shown_size(count: int) -> str:
    """Bytes for people: `12 bytes`, `1.2 KB`."""
    if count < 1000:
        return f"{count} bytes"
    for unit, size in (("GB", 1000**3), ("MB", 1000**2)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.1f} KB"


def shown_text(text: str) -> str:
    """A text for a message: all of it, or what it is. A part of a secret could not be redacted."""
    return repr(text) if len(text) <= 100 else f"a text of {len(text)} characters"
