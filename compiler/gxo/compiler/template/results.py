"""The results of functions whose type depends on the arguments.

    first .hosts                what the list holds, or nil
    index .hosts 0 "name"       what the literal keys lead to
    append .ports 8080          a list of what both hold

The results of all other functions are in their signatures.
"""

from collections.abc import Callable

from gxo.compiler.template import ast
from gxo.compiler.types import (
    ANY,
    INT,
    NIL,
    TEXT,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    Type,
    field_type,
    one_of,
    without_nil,
)


def result_type(call: ast.Call, types: list[Type]) -> Type | None:
    """The type of the call's result for arguments of these types; None when it does not depend."""
    if call.function == "index":
        return _index(call, types)
    rule = _RULES.get(call.function)
    return rule(types) if rule else None


def _index(call: ast.Call, types: list[Type]) -> Type:
    """A key that a map may lack gives nil; a position past a list's end is an error.

    Of a text it is a byte.
    """
    found = types[0]
    for key in call.args[1:]:
        if not isinstance(key, ast.Literal) or type(key.value) not in (str, int):
            return ANY
        if found == TEXT:
            return INT
        if isinstance(found, OneOf) and TEXT in found.options:
            return ANY
        name = key.value
        assert isinstance(name, str | int)
        sure = isinstance(found, ListOf) or (
            isinstance(found, Shape) and isinstance(name, str) and found.requires(name)
        )
        led = field_type(without_nil(found), name) or ANY
        found = led if sure else one_of((led, NIL))
    return found


def _list_of(types: list[Type]) -> Type:
    return ListOf(one_of(types))


def _element_of_last(types: list[Type]) -> Type:
    """One element of a list, or nil when it is empty."""
    return one_of((_item(types[-1]), NIL))


def _item(type_: Type) -> Type:
    type_ = without_nil(type_)
    return type_.item if isinstance(type_, ListOf) else ANY


def _same_list(types: list[Type]) -> Type:
    return ListOf(_item(types[0]))


def _same_or_nil(types: list[Type]) -> Type:
    return one_of((ListOf(_item(types[0])), NIL))


def _chunks(types: list[Type]) -> Type:
    return ListOf(ListOf(_item(types[-1])))


def _with_element(types: list[Type]) -> Type:
    return ListOf(one_of((_item(types[0]), types[1])))


def _concatenated(types: list[Type]) -> Type:
    return ListOf(one_of(map(_item, types)))


def _values(types: list[Type]) -> Type:
    match types[0]:
        case MapOf(value):
            return ListOf(value)
        case Shape(fields=fields, open=False):
            return ListOf(one_of(type_ for _, type_ in fields))
    return ListOf(ANY)


_RULES: dict[str, Callable[[list[Type]], Type]] = {
    "default": lambda types: one_of([types[0], *map(without_nil, types[1:])]),
    "ternary": lambda types: one_of(types[:2]),
    "coalesce": lambda types: one_of([*types, NIL]),
    "list": _list_of,
    "tuple": _list_of,
    "first": _element_of_last,
    "last": _element_of_last,
    "rest": _same_list,
    "initial": _same_list,
    "reverse": _same_list,
    "uniq": _same_list,
    "compact": _same_list,
    "without": _same_list,
    "slice": _same_or_nil,
    "chunk": _chunks,
    "append": _with_element,
    "push": _with_element,
    "prepend": _with_element,
    "concat": _concatenated,
    "values": _values,
    "deepCopy": lambda types: types[0],
}
_RULES |= {f"must{name[0].upper()}{name[1:]}": rule for name, rule in _RULES.items()}
"""`mustFirst` and its like fail where the others would give nothing, which no type shows."""
