"""Whether a value fits a JSON Schema, and nothing more: a schema as functions that call each other.

    {"type": "string", "minLength": 1}      value -> isinstance(value, str) and len(value) >= 1

Nearly every playbook fits, and is known to in a tenth of the time that jsonschema takes, without
loading it. One that does not is given to jsonschema, which says where and why. Only keywords that
`schema.json` has are known.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset(("$schema", "$id", "$defs", "title", "description", "examples", "x-meant"))
_OF_OBJECTS = frozenset(("properties", "additionalProperties", "propertyNames", "required"))
_NO_CHECKS = _ANNOTATIONS | _OF_OBJECTS | {"if", "then"}


def checker(schema: Mapping[str, Any]) -> Check:
    """What says of a value whether it fits. KeyError for a keyword that is not known."""
    return _Compiler(schema.get("$defs", {})).check(schema)


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _every(checks: list[Check]) -> Check:
    if len(checks) < 2:
        return checks[0] if checks else _always
    if len(checks) == 2:
        first, second = checks
        return lambda value: first(value) and second(value)
    return lambda value: all(check(value) for check in checks)


class _Compiler:
    """Makes the functions of schemas, those of a definition once."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._made: dict[str, Check] = {}

    def check(self, schema: Mapping[str, Any]) -> Check:
        checks = [
            _KEYWORDS[keyword](self, wanted)
            for keyword, wanted in schema.items()
            if keyword not in _NO_CHECKS
        ]
        if "if" in schema:
            checks.append(self._if(schema["if"], schema["then"]))
        if not _OF_OBJECTS.isdisjoint(schema):
            checks.append(self._object(schema))
        return _every(checks)

    def reference(self, name: str) -> Check:
        if name not in self._made:
            self._made[name] = self.check(self._definitions[name.removeprefix("#/$defs/")])
        return self._made[name]

    def items(self, schema: Mapping[str, Any]) -> Check:
        check = self.check(schema)
        return lambda value: not isinstance(value, list) or all(check(item) for item in value)

    def every(self, schemas: Iterable[Mapping[str, Any]]) -> Check:
        return _every([self.check(schema) for schema in schemas])

    def no(self, schema: Mapping[str, Any]) -> Check:
        check = self.check(schema)
        return lambda value: not check(value)

    def _if(self, condition: Mapping[str, Any], then: Mapping[str, Any]) -> Check:
        holds, check = self.check(condition), self.check(then)
        return lambda value: not holds(value) or check(value)

    def _object(self, schema: Mapping[str, Any]) -> Check:
        """The keywords that look at an object's properties, in one go through these."""
        known = {name: self.check(one) for name, one in schema.get("properties", {}).items()}
        required = schema.get("required", ())
        names = self.check(schema.get("propertyNames", {}))
        more = schema.get("additionalProperties", {})
        other = self.check(more) if more is not False else _never
        look_up = known.get

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            for name in required:
                if name not in value:
                    return False
            return all(look_up(name, other)(item) and names(name) for name, item in value.items())

        return check


def _type(wanted: str | list[str]) -> Check:
    if isinstance(wanted, list):
        checks = [_type(one) for one in wanted]
        return lambda value: any(check(value) for check in checks)
    return _TYPES[wanted]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: dict[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "null": lambda value: value is None,
}


def _texts(wanted: Iterable[str]) -> Check:
    """One of some texts, which is all that the language has of constants."""
    texts = frozenset(wanted)
    return lambda value: isinstance(value, str) and value in texts


def _pattern(wanted: str) -> Check:
    search = re.compile(wanted).search
    return lambda value: not isinstance(value, str) or search(value) is not None


_KEYWORDS: dict[str, Callable[[_Compiler, Any], Check]] = {
    "$ref": _Compiler.reference,
    "allOf": _Compiler.every,
    "items": _Compiler.items,
    "not": _Compiler.no,
    "type": lambda _, wanted: _type(wanted),
    "enum": lambda _, wanted: _texts(wanted),
    "const": lambda _, wanted: _texts([wanted]),
    "pattern": lambda _, wanted: _pattern(wanted),
    "minLength": lambda _, least: lambda value: not isinstance(value, str) or len(value) >= least,
    "minItems": lambda _, least: lambda value: not isinstance(value, list) or len(value) >= least,
    "minimum": lambda _, least: lambda value: not _is_number(value) or value >= least,
    "maximum": lambda _, most: lambda value: not _is_number(value) or value <= most,
}
