"""Values as Python source: the one way by which a value gets into generated code."""

import math

Literal = str | int | float | bool | None


def literal(value: object) -> str:
    """The expression that evaluates to the value: text, number, bool, None, or a container of them.

    Floats that have no literal are written as `float("inf")`; anything else raises TypeError.
    """
    match value:
        case bool() | None | int():
            return repr(value)
        case str():
            return quoted(value)
        case float():
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        case list() | tuple():
            return f"[{', '.join(literal(item) for item in value)}]"
        case dict():
            return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    raise TypeError(f"no literal for {type(value).__name__}")


def quoted(text: str) -> str:
    """A string literal in double quotes; a raw one where that saves escapes."""
    if "\\" in text and '"' not in text and text.isprintable() and not text.endswith("\\"):
        return f'r"{text}"'
    source = repr(text)
    if source[0] == "'" and '"' not in text:
        return '"' + source[1:-1] + '"'
    return source
