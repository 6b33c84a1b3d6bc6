"""A native value as its parameter's type (language, section 3).

    attempts: "{{ .n }}"      attempts=convert.to_int(ctx.state["n"], "attempts")

`what` names the parameter in the error.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from gxo.runtime.errors import ParameterError
from gxo.runtime.expr import describe, format_value

T = TypeVar("T")


def to_int(value: Any, what: str) -> int:
    """Return an int: an int itself, an integral float, or a text that is the int's own."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 4300:
        number = int(value)
        if str(number) == value:
            return number
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise _wrong(what, "an int", value)


def to_float(value: Any, what: str) -> float:
    """Return a float: a float itself or an int."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise _wrong(what, "a float", value)


def to_bool(value: Any, what: str) -> bool:
    """Return a bool: a bool itself, or the text `true` or `false`."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _wrong(what, "a bool", value)


def to_text(value: Any, what: str) -> str:
    """Return the text that the value prints as; nil, a list or a map is an error."""
    if value is None or isinstance(value, (list, dict)):
        raise _wrong(what, "a text", value)
    return format_value(value)


def to_list(value: Any, what: str) -> list[Any]:
    """Return a list itself."""
    if isinstance(value, list):
        return value
    raise _wrong(what, "a list", value)


def to_map(value: Any, what: str) -> dict[str, Any]:
    """Return a map itself."""
    if isinstance(value, dict):
        return value
    raise _wrong(what, "a map", value)


def to_duration(value: Any, what: str) -> float:
    """Return seconds from a Go duration text such as `1h30m`."""
    from gxo.runtime.durations import NANOSECONDS, parse_duration  # only where one is computed

    nanoseconds = parse_duration(value) if isinstance(value, str) else None
    if nanoseconds is None:
        raise _wrong(what, "a duration such as 1m30s", value)
    return nanoseconds / NANOSECONDS


_UNITS = {
    "": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}


def to_size(value: Any, what: str) -> int:
    """Return bytes from an int, or from a text with a unit such as `64 KiB` or `1MB`."""
    if isinstance(value, str):
        number = value.rstrip("KMGiB").rstrip()
        unit = value[len(number) :].strip()
        if number.isdecimal() and unit in _UNITS:
            return int(number) * _UNITS[unit]
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return int(value)
    raise _wrong(what, "a size such as 64KiB", value)


def to_choice(value: Any, what: str, *choices: str | int | bool | None) -> Any:
    """Return the value, which is one of the choices."""
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return value
    listed = ", ".join(str(choice) for choice in choices if choice is not None)
    raise ParameterError(f"{what} is one of {listed}, not {_shown(value)}")


def optional(to: Callable[[Any, str], T], value: Any, what: str) -> T | None:
    """Convert what is not nil."""
    return None if value is None else to(value, what)


def _shown(value: object) -> str:
    """A short text as it is, anything else by its kind."""
    return f"'{value}'" if isinstance(value, str) and len(value) <= 40 else describe(value)


def _wrong(what: str, wanted: str, value: object) -> ParameterError:
    return ParameterError(f"{what} is {wanted}, not {describe(value)}")
