"""The JSON Schema of playbooks with every module's parameters, for editors: `gxo schema --full`.

    before:  "params": {"type": ["object", "null"]}
    after:   {"if": {"module": {"const": "control:sleep"}},
              "then": {"params": {"properties": {"duration": ...}, "required": ["duration"]}}}

A schema sees values, not what templates will give: where a module takes anything but a text, a text
with a template in it is right too. What needs the whole playbook (names, streams) is left to gxo.
"""

import copy
from typing import Any

from gxo.compiler.modules.index import Library
from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NIL,
    TEXT,
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
)

Schema = dict[str, Any]

_ACTION = r"\{\{|\$\{"
_TEXT: Schema = {"type": "string"}
_TEMPLATE: Schema = {"type": "string", "pattern": _ACTION}
_SCALARS: dict[Type, Schema] = {
    ANY: {},
    NIL: {"type": "null"},
    TEXT: _TEXT,
    INT: {
        "anyOf": [
            {"type": "integer"},
            {"type": "string", "pattern": rf"^(0|-?[1-9][0-9]*)$|{_ACTION}"},
        ]
    },
    FLOAT: {"anyOf": [{"type": "number"}, _TEMPLATE]},
    BOOL: {
        "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": rf"^(true|false)$|{_ACTION}"}]
    },
}
_SIZE = r"^\s*[0-9]{1,18}(\.[0-9]{1,18})? ?(B|[KMGT]B|[KMGT]iB)?\s*$"
_SPECIALS: dict[str, Schema] = {
    "Duration": {"anyOf": [{"$ref": "#/$defs/duration"}, _TEMPLATE]},
    "Size": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"{_SIZE}|{_ACTION}"}]},
    "FileMode": {"type": "string", "pattern": f"^[0-7]{{3,4}}$|{_ACTION}"},
    "Condition": {"type": ["boolean", "string"]},
    "Steps": {"$ref": "#/$defs/steps"},
}


def full_schema(language: Schema, library: Library) -> Schema:
    """The schema of the language with the parameters of every module of the library."""
    schema = copy.deepcopy(language)
    schema["$id"] = f"{language['$id']}:full"
    modules = library.all()
    for call, name, params in (("process", "module", "params"), ("step", "uses", "with")):
        definition = schema["$defs"][call]
        definition["properties"][name] = {
            "title": "the name of a module",
            "anyOf": [{"const": spec.name, "description": spec.doc.summary} for spec in modules],
        }
        definition["allOf"] = [_rule(spec, name, params) for spec in modules]
    for spec in modules:
        schema["$defs"][_definition(spec)] = params_schema(spec)
    return schema


def params_schema(spec: ModuleSpec) -> Schema:
    """What may stand in `params` for the module."""
    required = [param.name for param in spec.params if param.required]
    return {
        "title": f"the parameters of {spec.name}",
        "description": spec.doc.summary,
        "type": "object" if required else ["object", "null"],
        "properties": {param.name: _param(param) for param in spec.params},
        "required": required,
        "additionalProperties": False if spec.values is None else of_type(spec.values),
    }


def of_type(type_: Type) -> Schema:
    """What may be written in a playbook for a value of the type."""
    match type_:
        case Scalar():
            return _SCALARS[type_]
        case Special(name):
            return _SPECIALS.get(name, _TEXT)
        case Choice(values):
            return {"anyOf": [{"enum": list(values)}, _TEMPLATE]}
        case OneOf(options):
            return {"anyOf": [of_type(option) for option in options]}
        case PerRecord(MapOf(value)) if value == ANY:  # a JSON template, as text
            return {"type": ["object", "string"]}
        case PerRecord(item) | OnDot(_, item):
            return of_type(item)
        case ListOf(item):
            return {"anyOf": [{"type": "array", "items": of_type(item)}, _TEMPLATE]}
        case MapOf(value):
            entries = {"type": "object", "additionalProperties": of_type(value)}
            return {"anyOf": [entries, _TEMPLATE]}
        case Shape():
            return {"anyOf": [_shape(type_), _TEMPLATE]}


def _shape(shape: Shape) -> Schema:
    return {
        "type": "object",
        "properties": {name: of_type(type_) for name, type_ in shape.fields},
        "required": [name for name, _ in shape.fields if name not in shape.optional],
        "additionalProperties": False,
    }


def _param(param: ParamSpec) -> Schema:
    schema = dict(of_type(param.type))
    if param.doc:
        schema["description"] = param.doc
    if isinstance(param.default, str | bool | int) and not isinstance(param.type, Special):
        schema["default"] = param.default
    return schema


def _rule(spec: ModuleSpec, name: str, params: str) -> Schema:
    """What the module says of its parameters; `name` and `params` are the keys that hold both."""
    given: Schema = {"properties": {params: {"$ref": f"#/$defs/{_definition(spec)}"}}}
    if any(param.required for param in spec.params):
        given["required"] = [params]
    chosen = {"properties": {name: {"const": spec.name}}, "required": [name]}
    return {"if": chosen, "then": given}


def _definition(spec: ModuleSpec) -> str:
    return f"params.{spec.name.replace(':', '.')}"
