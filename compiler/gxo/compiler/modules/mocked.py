"""What a test makes of the declarations of a module that it replaces, and of the mock.

    before:  http:request      function request of gxo.stdlib.http.request, needs httpx
             test:mock_module  summary: a map
    after:   http:request      function mocked of gxo.runtime.testing.modules, needs nothing
             test:mock_module  summary: a map with status_code (int), body...

The real parameters and fields stay, so a call, and what reads its result, is checked as without a
mock; and what the mock expects and answers is checked against the same types.
"""

from collections.abc import Mapping
from dataclasses import replace

from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import (
    ANY,
    TEXT,
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

MOCK = "test:mock_module"
MODULE, EXPECTED, TIMES = "module", "params", "times"
SUMMARY, RECORDS, ERROR = "summary", "records", "error"
"""The parameters of a mock."""


def replaced(module: ModuleSpec, compared: frozenset[str]) -> ModuleSpec:
    """The declaration of a module in whose place a mock is called, which touches nothing.

    compared: the parameters that mocks of it expect.
    """
    return replace(
        module,
        function="mocked",
        source="gxo.runtime.testing.modules",
        summary=_answered(module),
        summary_name="",
        returns_values=False,
        changes=False,
        effects=(),
        environment=(),
        idempotent=True,
        needs=(),
        native=(),
        background=False,
        pauses=False,
        handle=None,
        kernel=None,
        compared=compared,
    )


def mock_of(mock: ModuleSpec, module: ModuleSpec) -> ModuleSpec:
    """The declaration of a mock of the module: what it expects and answers has those types."""
    types = {EXPECTED: _expected(module), SUMMARY: _answered(module)}
    params = tuple(_with_type(param, types) for param in mock.params)
    return replace(mock, params=params)


def _with_type(param: ParamSpec, types: Mapping[str, Type]) -> ParamSpec:
    return replace(param, type=types[param.name]) if param.name in types else param


def _expected(module: ModuleSpec) -> Shape:
    """The parameters of a call that can be compared, each of which may be left out."""
    fields = tuple(
        (param.name, _loose(_plain(param.type)))
        for param in module.params
        if not is_called(param.type)
    )
    names = frozenset(name for name, _ in fields)
    return Shape(EXPECTED, fields, names, open=module.values is not None)


def _answered(module: ModuleSpec) -> Shape | MapOf:
    """A summary of the module, of which each field may be left out."""
    return MapOf(ANY) if isinstance(module.summary, MapOf) else _loose_map(module.summary)


def is_called(type_: Type) -> bool:
    """Whether a value of the type is a function that the module calls, or holds one."""
    match type_:
        case PerRecord() | OnDot():
            return True
        case ListOf(item) | MapOf(item):
            return is_called(item)
        case Shape(fields=fields):
            return any(is_called(item) for _, item in fields)
        case OneOf(options):
            return any(map(is_called, options))
    return False


_NAMES = ("StreamName", "FieldName", "ColumnName", "WorkspacePath", "Secret")
"""Texts that mean something where the module is called, and nothing where they are expected."""


def _plain(type_: Type) -> Type:
    """The type of a value that is only compared: nothing becomes of it."""
    match type_:
        case Scalar(name):
            return Scalar(name)
        case Special(name) if name in _NAMES:
            return TEXT
        case ListOf(item):
            return ListOf(_plain(item))
        case MapOf(value):
            return MapOf(_plain(value))
        case Shape(fields=fields):
            return replace(type_, fields=tuple((name, _plain(item)) for name, item in fields))
        case OneOf(options):
            return OneOf(tuple(dict.fromkeys(map(_plain, options))))
    return type_


def _loose(type_: Type) -> Type:
    """The type with maps of which, at any depth, every field may be left out."""
    match type_:
        case ListOf(item):
            return ListOf(_loose(item))
        case MapOf(value):
            return MapOf(_loose(value))
        case Shape():
            return _loose_map(type_)
        case OneOf(options):
            return OneOf(tuple(map(_loose, options)))
    return type_


def _loose_map(shape: Shape) -> Shape:
    fields = tuple((name, _loose(item)) for name, item in shape.fields)
    return replace(shape, fields=fields, optional=frozenset(shape.names()))
