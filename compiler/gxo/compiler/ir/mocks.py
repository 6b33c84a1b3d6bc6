"""Which modules a test playbook replaces (`test:mock_module`), and what each mock is declared as.

before:  {module: test:mock_module, params: {module: http:request, summary: {status: 200}}}
after:   http:request is mocked; error: "summary" has no key "status", did you mean "status_code"?

The module's name is literal, so that a call of it can be compiled as a call of its mocks.
"""

from collections.abc import Iterator, Mapping

from gxo.compiler.diagnostics import Diagnostics, one_slip_away
from gxo.compiler.frontend.playbook import Playbook, WorkloadDecl
from gxo.compiler.frontend.yaml import Entry, Scalar
from gxo.compiler.frontend.yaml import Mapping as YamlMap
from gxo.compiler.frozen import replace
from gxo.compiler.modules.index import Library
from gxo.compiler.modules.mocked import (
    ERROR,
    EXPECTED,
    MOCK,
    MODULE,
    RECORDS,
    SUMMARY,
    TIMES,
    is_called,
    mock_of,
)
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.template.parse import is_template
from gxo.compiler.types import Special

NOT_LITERAL, NOT_MOCKABLE, NOT_COMPARED = "GXO0560", "GXO0561", "GXO0562"
NO_RECORDS, NO_ANSWER = "GXO0563", "GXO0564"


Mocked = Mapping[str, frozenset[str]]
"""The modules that a test replaces, and of each the parameters that its mocks expect."""


def mocked_modules(playbook: Playbook) -> Mocked:
    """The modules that the playbook replaces by mocks."""
    found: dict[str, frozenset[str]] = {}
    for decl in playbook.workloads:
        name = _target(decl) if decl.module.text == MOCK else None
        if name is not None and isinstance(name.value, str):
            expected = decl.params.get(EXPECTED) if decl.params else None
            named = expected.entries if isinstance(expected, YamlMap) else ()
            names = frozenset(entry.key.text.value for entry in named)
            found[name.value] = found.get(name.value, frozenset()) | names
    return found


def bind_mock(
    decl: WorkloadDecl, mock: ModuleSpec, library: Library, diagnostics: Diagnostics
) -> tuple[WorkloadDecl, ModuleSpec]:
    """The mock with the types of the module that it replaces, as far as that is known."""
    name = _target(decl)
    if name is None or not isinstance(name.value, str):
        return decl, mock  # said where parameters are bound
    if is_template(name.value):
        message = "which module is replaced is decided when the playbook is compiled"
        diagnostics.error(NOT_LITERAL, name.span, message, "write the module's name")
        return decl, mock
    module = library.find(name.value)
    if module is None:
        library.report_unknown(name.value, name.span)
        return decl, mock
    if reason := _not_mockable(module):
        diagnostics.error(NOT_MOCKABLE, name.span, f"{module.name} cannot be replaced", reason)
        return decl, mock
    _check_answer(decl, module, diagnostics)
    return _without_functions(decl, module, diagnostics), mock_of(mock, module)


def _target(decl: WorkloadDecl) -> Scalar | None:
    found = decl.params.get(MODULE) if decl.params else None
    return found if isinstance(found, Scalar) else None


def _not_mockable(module: ModuleSpec) -> str | None:
    """Why there can be no mock of the module; None when there can."""
    if module.namespace == "test":
        return "it is a part of the test"
    if any(param.type == Special("Steps") for param in module.params):
        return "replace the modules that its steps use"
    return None


def _check_answer(decl: WorkloadDecl, module: ModuleSpec, diagnostics: Diagnostics) -> None:
    assert decl.params is not None
    summary, records, error = map(decl.params.key, (SUMMARY, RECORDS, ERROR))
    if records is not None and not module.out:
        message = f"{module.name} sends no records, and neither does its mock"
        diagnostics.error(NO_RECORDS, records.span, message, "what it returns is its `summary`")
    if summary is not None and error is not None:
        message = "a call that fails with `error` returns no `summary`"
        diagnostics.error(NO_ANSWER, error.span, message, "make two mocks of it, each with `times`")
    times = decl.params.get(TIMES)
    never = isinstance(times, Scalar) and times.value == 0  # the call must not come
    given = [entry.key.text.value for entry in decl.params.entries]
    misspelt = any(one_slip_away(name, (SUMMARY, RECORDS, ERROR)) for name in given)
    if not (summary or records or error or never or misspelt):
        message = "a mock says what it answers: `summary`, `records` or `error`"
        diagnostics.error(NO_ANSWER, decl.module.span, message)


def _without_functions(
    decl: WorkloadDecl, module: ModuleSpec, diagnostics: Diagnostics
) -> WorkloadDecl:
    """The mock without the parameters that no call can be told by, each of which is an error."""
    assert decl.params is not None
    expected = decl.params.get(EXPECTED)
    if not isinstance(expected, YamlMap):
        return decl
    wrong = list(_functions(expected, module))
    for entry in wrong:
        name = entry.key.text.value
        message = f"`{name}` of {module.name} cannot be compared: the module evaluates it itself"
        hint = "take it out; a parameter that is evaluated once a call can be expected"
        diagnostics.error(NOT_COMPARED, entry.key.span, message, hint)
    if not wrong:
        return decl
    rest = replace(expected, entries=tuple(one for one in expected.entries if one not in wrong))
    entries = tuple(
        replace(one, value=rest) if one.value is expected else one for one in decl.params.entries
    )
    return replace(decl, params=replace(decl.params, entries=entries))


def _functions(expected: YamlMap, module: ModuleSpec) -> Iterator[Entry]:
    for entry in expected.entries:
        param = module.param(entry.key.text.value)
        type_ = param.type if param else module.values
        if type_ is not None and is_called(type_):
            yield entry
