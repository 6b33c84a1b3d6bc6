"""How sizes are said to people."""


def shown_size(count: int) -> str:
    """Bytes for people: `12 bytes`, `1.2 KB`."""
    if count < 1000:
        return f"{count} bytes"
    for unit, size in (("GB", 1000**3), ("MB", 1000**2)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.1f} KB"
