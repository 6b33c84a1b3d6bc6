"""Turns JSON that anybody may have written into the dataclasses that it should be, or says why not.

before:  {"name": "disks", "module": "exec", "changes": 1}
after:   ArtifactError: manifest.workloads[0].changes is 1, not true, false or "by_call"
"""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from gxo.compiler.trust.errors import ArtifactError

T = TypeVar("T")


def load_json(data: bytes, what: str) -> object:
    """The value of JSON text: no key twice, no NaN, no depth that Python cannot follow."""
    try:
        return json.loads(
            data, object_pairs_hook=lambda pairs: _once(pairs, what), parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise ArtifactError(f"its {what} is no valid JSON") from None


def _once(pairs: list[tuple[str, object]], what: str) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ArtifactError(f"its {what} has a key twice")
    return found


def _no_number(text: str) -> object:
    raise ValueError(text)


def typed(kind: type[T], value: object, where: str) -> T:
    """The value as the dataclass, with every field checked, deeply. Raises ArtifactError."""
    made: T = _typed(kind, value, where)
    return made


def _typed(kind: Any, value: Any, where: str) -> Any:
    if kind is Any or kind is object:
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return _made(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, where)
    if origin is Literal and any(value == one and type(value) is type(one) for one in inner):
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(inner[0], one, f"{where}[{at}]") for at, one in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {key: _typed(inner[1], one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise _wrong(value, where)


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    *others, last = [one for one in kinds if one is not types.NoneType]
    for kind in others:
        try:
            return _typed(kind, value, where)
        except ArtifactError:
            continue
    return _typed(last, value, where)


def _made(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(value, where)
    hints = get_type_hints(kind)
    unknown = value.keys() - hints.keys()
    if unknown:
        raise ArtifactError(f"its {where} has an unknown key {min(unknown)!r}")
    required = {
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    }
    if required - value.keys():
        raise ArtifactError(f"its {where} has no {min(required - value.keys())!r}")
    made = {name: _typed(hints[name], one, f"{where}.{name}") for name, one in value.items()}
    return kind(**made)


def _wrong(value: object, where: str) -> ArtifactError:
    return ArtifactError(f"its {where} cannot be {json.dumps(value)[:60]}")
