"""Playbook to plan: look up each module, read `when`, `loop` and `vars`, take over the policies.

Parameters are read by the pass `bind_arguments`, edges are drawn by `link_states` and
`link_streams`.
"""

from dataclasses import dataclass
from types import MappingProxyType

from gxo.compiler.diagnostics import Diagnostics, one_slip_away, working_on
from gxo.compiler.frontend import testing
from gxo.compiler.frontend.playbook import InputDecl, Playbook, TestDecl, WorkloadDecl
from gxo.compiler.ir.mocks import Mocked, bind_mock
from gxo.compiler.ir.nodes import (
    Computed,
    Constant,
    InputDef,
    Loop,
    Plan,
    Policies,
    Retry,
    TestDef,
    VarDef,
    Workload,
)
from gxo.compiler.ir.policies import merge
from gxo.compiler.ir.values import CONDITION, literal_value, read_value
from gxo.compiler.modules.index import Library
from gxo.compiler.modules.mocked import MOCK, replaced
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.types import ANY, ListOf, MapOf, OneOf

BAD_LIFECYCLE, TEST_ONLY = "GXO0510", "GXO0515"


@dataclass(frozen=True, slots=True)
class _Modules:
    """Where a playbook's modules are looked up. mocked: those that a test replaces."""

    library: Library
    is_test: bool
    mocked: Mocked
    diagnostics: Diagnostics


def build(
    playbook: Playbook,
    library: Library,
    diagnostics: Diagnostics,
    mocked: Mocked = MappingProxyType({}),
) -> Plan:
    """The plan before any pass: every workload of the playbook, its module looked up.

    mocked: the modules in whose place mocks are called.
    """
    modules = _Modules(library, playbook.test is not None, mocked, diagnostics)
    return Plan(
        name=playbook.name,
        file=playbook.file,
        inputs=tuple(_input(decl) for decl in playbook.inputs),
        vars=tuple(_vars(playbook, diagnostics)),
        assets=tuple(asset.text for asset in playbook.assets),
        templates=playbook.templates,
        outputs=tuple(output.text for output in playbook.outputs),
        workloads=_block(playbook.workloads, modules),
        cleanup=_block(playbook.cleanup, modules),
        policies=merge(Policies(), playbook),
        allows=playbook.allows,
        test=_test(playbook.test) if playbook.test else None,
    )


def _test(decl: TestDecl) -> TestDef:
    return TestDef(
        secrets=tuple((name.text, value) for name, value in decl.secrets),
        network=tuple(name.text for name in decl.network),
        commands=tuple(name.text for name in decl.commands),
        expect_failed=decl.expect_failed,
    )


def _input(decl: InputDecl) -> InputDef:
    return InputDef(
        name=decl.name.text,
        type=decl.type,
        default=None if decl.default is None else literal_value(decl.default),
        enum=tuple(literal_value(option) for option in decl.enum),
        pattern=decl.pattern,
        description=decl.description,
        secret=decl.secret,
        span=decl.name.span,
    )


def _vars(playbook: Playbook, diagnostics: Diagnostics) -> list[VarDef]:
    definitions = []
    for decl in playbook.vars:
        value = read_value(decl.value, ANY, f"var '{decl.name.text}'", diagnostics)
        # One with an error stays defined: what it would be is unknown, as of nil.
        value = value or Constant(None, decl.name.span)
        definitions.append(VarDef(decl.name.text, value, decl.name.span))
    return definitions


def _block(decls: tuple[WorkloadDecl, ...], modules: _Modules) -> tuple[Workload, ...]:
    return tuple(_workload(decl, modules) for decl in decls)


def _workload(decl: WorkloadDecl, modules: _Modules) -> Workload:
    with working_on(decl.name.span):
        return _read_workload(decl, modules)


def _read_workload(decl: WorkloadDecl, modules: _Modules) -> Workload:
    module = _module(decl, modules)
    if module is not None and module.name == MOCK:
        decl, module = bind_mock(decl, module, modules.library, modules.diagnostics)
    elif module is not None and module.name in modules.mocked:
        module = replaced(module, modules.mocked[module.name])
    return Workload(
        name=decl.name.text,
        span=decl.name.span,
        decl=decl,
        module=module,
        register=decl.register.text if decl.register else None,
        when=_condition(decl, modules.diagnostics),
        loop=_loop(decl, modules.diagnostics),
        retry=_retry(decl),
        timeout=decl.timeout,
        ignore_errors=decl.ignore_errors,
        on_record_error=decl.on_record_error,
        on_failure=_block(decl.on_failure, modules),
        steps=_block(decl.steps, modules),
    )


def _module(decl: WorkloadDecl, modules: _Modules) -> ModuleSpec | None:
    """The module as it is declared."""
    library, diagnostics = modules.library, modules.diagnostics
    if not decl.module.text:
        return None
    spec = library.find(decl.module.text)
    if spec is None and library.is_broken(decl.module.text):
        return None  # the error in its file says enough
    if spec is None:
        library.report_unknown(decl.module.text, decl.module.span)
        # Its parameters are worth checking where only a slip keeps the module from being known.
        meant = one_slip_away(decl.module.text, library.names())
        return library.find(meant) if meant else None
    if spec.namespace == "test" and not modules.is_test:
        message = f"{spec.name} is for test playbooks only"
        hint = f"a test playbook's name ends in {testing.ENDING}"
        diagnostics.error(TEST_ONLY, decl.module.span, message, hint)
    _check_lifecycle(decl, spec, modules.is_test, diagnostics)
    return spec


def _check_lifecycle(
    decl: WorkloadDecl, spec: ModuleSpec, is_test: bool, diagnostics: Diagnostics
) -> None:
    """A test runs once, and so do the servers in it: in the background."""
    policy = decl.lifecycle.policy if decl.lifecycle else None
    if policy is None or policy.text in spec.policies:
        return
    if is_test and spec.background and policy.text == "run_once":
        return
    message = f"{spec.name} cannot run with the lifecycle {policy.text}"
    hint = f"it supports: {', '.join(spec.policies)}"
    if spec.background and policy.text == "run_once":
        hint += "; in a test playbook also run_once, in the background"
    diagnostics.error(BAD_LIFECYCLE, policy.span, message, hint)


def _condition(decl: WorkloadDecl, diagnostics: Diagnostics) -> Constant | Computed | None:
    if decl.when is None:
        return None
    value = read_value(decl.when, CONDITION, "`when`", diagnostics)
    return value if isinstance(value, Constant | Computed) else None


def _loop(decl: WorkloadDecl, diagnostics: Diagnostics) -> Loop | None:
    if decl.loop is None:
        return None
    items = read_value(decl.loop, OneOf((ListOf(ANY), MapOf(ANY))), "`loop`", diagnostics)
    if items is None:
        return None
    control = decl.loop_control
    variable = control.loop_var.text if control and control.loop_var else "item"
    index = control.index_var.text if control and control.index_var else None
    return Loop(items, variable, index, control.parallel if control else 1)


def _retry(decl: WorkloadDecl) -> Retry | None:
    given = decl.retry
    if given is None or given.attempts == 1 or not given.on_error:
        return None
    return Retry(given.attempts, given.delay, given.max_delay, given.backoff_factor, given.jitter)
