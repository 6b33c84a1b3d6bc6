"""The stages in order. This file alone knows them all.

bytes -> tree -> Playbook -> Plan -> (each pass) -> Plan -> Module -> job.pyz
"""

import gc
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gxo.compiler.codegen.parts import INCLUDED, JOB, Layout
from gxo.compiler.codes import strict_codes
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.effects import Effect
from gxo.compiler.frontend.assets import AssetFile, asset_folders, check_shared, find_assets
from gxo.compiler.frontend.included import read_included
from gxo.compiler.frontend.load import load_playbook, read_file
from gxo.compiler.frontend.migrate import DEPRECATED
from gxo.compiler.frontend.playbook import Playbook
from gxo.compiler.frontend.pprint import print_playbook
from gxo.compiler.frontend.template_files import with_template_files
from gxo.compiler.ir.build import build
from gxo.compiler.ir.effects import effects
from gxo.compiler.ir.facts import (
    changes,
    is_idempotent,
    lifecycle_facts,
    read_by,
    register_owners,
)
from gxo.compiler.ir.included import check_modules, check_used, with_included
from gxo.compiler.ir.mocks import Mocked, mocked_modules
from gxo.compiler.ir.needs import distributions
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.ir.verify import verify
from gxo.compiler.ir.walk import every_workload, live_calls, plan_templates
from gxo.compiler.modules.index import Library, Root, standard_roots, user_roots
from gxo.compiler.modules.spec import USERS
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.included import with_package
from gxo.compiler.package.parts import AcceptedFact, Asset, Facts, Package, WorkloadFact
from gxo.compiler.passes import PASSES
from gxo.compiler.passes.check_mocks import check_records
from gxo.compiler.version import VERSION

# Code generation and packaging need jinja2, black and shiv; `gxo validate` must not wait for them,
# so those stages are imported where they are called.
if TYPE_CHECKING:
    from gxo.compiler.codegen.emit import Module
    from gxo.compiler.modules.embed import Embedded
    from gxo.compiler.package.lock import Pins

Dump = Callable[[str, Plan], None]

OTEL = ("opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk")
"""The distributions that make and send traces."""


def ignore_dump(stage: str, plan: Plan) -> None:
    """The default dump: nobody asked for the plan between passes."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile. `dump` is called with "build" and with each pass's name and its plan.

    `native` links distributions with native code for speed, `otel` those that make traces.
    `strict` makes errors of the warnings that `--strict` forbids, `deny_warnings` of all.
    `explain` collects what passes say of what they did.
    `module_path` are folders of a user's own modules, besides `modules/` beside the playbook;
    `module_roots` are those of modules that can be imported as they are, for tests.
    `locked` is for those who want no `modules.lock` to be written.
    `mocked` are the modules that a test replaces which includes the playbook (`ir/mocks.py`).
    """

    optimize: bool = True
    verify_ir: bool = False
    native: bool = False
    otel: bool = False
    strict: bool = False
    deny_warnings: bool = False
    explain: bool = False
    dump: Dump = ignore_dump
    module_path: tuple[str, ...] = ()
    module_roots: tuple[Root, ...] = ()
    locked: bool = False
    mocked: Mocked = field(default_factory=dict)


@dataclass(slots=True)
class Compilation:
    """One playbook on its way: what is known so far, and what was said about it.

    has_locked: whether `modules.lock` was written on the way. included: of a test, the compilation
    of the playbook that it includes, whose findings are among this one's.
    """

    file: str
    options: Options = field(default_factory=Options)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    text: str = ""
    playbook: Playbook | None = None
    plan: Plan | None = None
    assets: list[AssetFile] = field(default_factory=list)
    library: Library | None = None
    has_locked: bool = False
    included: "Compilation | None" = None

    def read(self, data: bytes) -> bool:
        """Run the front end over the playbook's bytes; whether there is something to go on with."""
        self.text = data.decode("utf-8", errors="replace")
        self.playbook = load_playbook(data, self.file, self.diagnostics)
        return self.playbook is not None

    def analyse(self) -> bool:
        """Build the plan and run the passes; whether the playbook is valid."""
        assert self.playbook is not None
        folder = Path(self.file).parent
        self.assets = find_assets(self.playbook, folder, self.diagnostics)
        self.playbook = with_template_files(self.playbook, folder, self.diagnostics)
        mocked = {**self.options.mocked, **mocked_modules(self.playbook)}
        self._include(mocked)
        self.library = Library((*standard_roots(), *self._users_roots()), self.diagnostics)
        plan = build(self.playbook, self.library, self.diagnostics, mocked)
        included = self._included_plan()
        check_modules(plan, self.diagnostics)
        if included is not None:
            plan = with_included(plan, included, self.diagnostics)
        if any(one.module and one.module.is_users for one in every_workload(plan)):
            self._embed(every_workload(plan), self.diagnostics)
            self._needed_versions(every_workload(plan), self.diagnostics)
        if self.options.explain:
            self.diagnostics.explanations = []
        self.options.dump("build", plan)
        for one in PASSES:
            if one.optimizes and (self.diagnostics.has_errors or not self.options.optimize):
                continue
            plan = one.run(plan, self.diagnostics)
            if self.options.verify_ir and not self.diagnostics.has_errors:
                verify(plan, one.name)
            self.options.dump(one.name, plan)
        self.plan = plan
        if self.playbook.test and not self.diagnostics.has_errors:
            check_used(plan, self.playbook.test, included, self.diagnostics)
            if included is not None:
                check_records(plan, included, self.diagnostics)
        if self.included:
            self.diagnostics.add(self.included.diagnostics)
        return not self.diagnostics.has_errors

    def _include(self, mocked: Mocked) -> None:
        """Compile the playbook that the test includes, as far as the passes go."""
        assert self.playbook is not None
        name = self.playbook.test.include if self.playbook.test else None
        found = read_included(name, self.file, self.diagnostics) if name else None
        if name and found:
            path, data = found
            options = replace(self.options, dump=ignore_dump, mocked=mocked)
            self.included = Compilation(path, options)
            if self.included.read(data):
                self.included.analyse()
                check_shared(self.assets, self.included.assets, name.span, self.diagnostics)

    def _included_plan(self) -> Plan | None:
        """The plan of the playbook that the test includes, unless it has errors."""
        included = self.included
        return None if included is None or included.diagnostics.has_errors else included.plan

    def _users_roots(self) -> tuple[Root, ...]:
        """Where the playbook's own modules are; a test can name those of what it includes too."""
        folders = list(self.options.module_path)
        if self.included:
            beside = os.path.join(os.path.dirname(self.included.file), USERS)
            folders += [beside] if os.path.isdir(beside) else []
        users = user_roots(os.path.dirname(self.file), folders)
        return (*users, *self.options.module_roots)

    def _embed(self, workloads: Iterable[Workload], diagnostics: Diagnostics) -> "Embedded":
        """The user's own modules of these workloads, and what they import."""
        assert self.library is not None
        from gxo.compiler.modules.embed import embed  # start-up: few playbooks have any

        specs = (workload.module for workload in workloads if workload.module)
        return embed(specs, self.library, diagnostics)

    @property
    def texts(self) -> dict[str, str]:
        """What diagnostics point into: the playbook, template files and module files, by file."""
        templates = self.playbook.templates if self.playbook else ()
        modules = self.library.texts if self.library else {}
        included = self.included.texts if self.included else {}
        own = {self.file: self.text, **{one.path: one.text for one in templates}}
        return {**included, **own, **modules}

    def promote_warnings(self) -> None:
        """Make errors of the warnings that the options forbid, once all stages have spoken."""
        if self.options.deny_warnings:
            self.diagnostics.promote({item.code for item in self.diagnostics.items})
        elif self.options.strict:
            self.diagnostics.promote(strict_codes())

    @property
    def is_deprecated(self) -> bool:
        """Whether the playbook has the v0.1 form, which each use of it warns about."""
        return any(item.code == DEPRECATED for item in self.diagnostics.items)

    def generate(self, pretty: bool = True) -> "Module":
        """Generate the Python module of a valid playbook; `pretty` for people to read."""
        module = self._emit(JOB, pretty)
        if self.included is None:
            return module
        return replace(module, included=self.included._emit(INCLUDED, pretty))

    def _emit(self, layout: Layout, pretty: bool) -> "Module":
        assert self.plan is not None
        from gxo.compiler.codegen.emit import emit

        with _without_collector():
            return emit(self.plan, VERSION, self.text, pretty, layout)

    def program(self, module: "Module") -> dict[str, str]:
        """The job's Python by its path in the artifact: what was generated, and a user's own."""
        assert self.plan is not None
        embedded = self._embed(live_calls(self.plan), Diagnostics())
        own = {**module.sources, **embedded.files}
        if self.included is None or module.included is None:
            return own
        return {**self.included.program(module.included), **own}

    def package(self, module: "Module", linked: bool = True) -> Package:
        """What goes into the artifact, `linked` with third-party distributions.

        Raises PackageError when an asset cannot be read, or needs cannot be pinned.
        """
        assert self.plan is not None and self.playbook is not None
        live = list(live_calls(self.plan))
        embedded = self._embed(live, Diagnostics())
        package = Package(
            sources={**module.sources, **embedded.files},
            heads=module.heads,
            source_map=module.source_map,
            playbook=self.text,
            playbook_file=Path(self.file).name,
            facts=self._facts(embedded),
            assets=_read_assets(self.assets),
            templates={one.name: one.text for one in self.playbook.templates},
            needs=self._needs() if linked else (),
            native=self.options.native,
            pins=self._pins(live) if linked else {},
            imports={
                name: f"{span.file}:{span.line}:{span.column}"
                for name, span in embedded.others.items()
                if linked
            },
        )
        if self.included is None or module.included is None:
            return package
        return with_package(package, self.included.package(module.included, linked))

    def _pins(self, workloads: Iterable[Workload]) -> "Pins":
        """What the user's own modules need, as `modules.lock` pins it; it is written if need be.

        Raises PackageError.
        """
        versions = self._needed_versions(workloads, Diagnostics())
        if not versions:
            return {}
        from gxo.compiler.package.lock import is_locked, read_lock, write_lock
        from gxo.compiler.package.wheels import shipped_pins

        known = read_lock(self.lock)
        if is_locked(versions, known):
            return known
        if self.options.locked:
            hint = "compile once without --locked, and keep the file with the playbook"
            raise PackageError("GXO0902", f"{self.lock} does not pin what modules need", hint)
        self.has_locked = True
        return write_lock(self.lock, versions, known, shipped_pins())

    def _needed_versions(
        self, workloads: Iterable[Workload], diagnostics: Diagnostics
    ) -> dict[str, str]:
        specs = [one.module for one in workloads if one.module and one.module.is_users]
        if not any(spec.needs for spec in specs):
            return {}
        from gxo.compiler.modules.needs import pinned_needs
        from gxo.compiler.package.wheels import shipped_pins

        own = {str(name): pin.version for name, pin in shipped_pins().items()}
        return pinned_needs(specs, own, diagnostics)

    @property
    def lock(self) -> Path:
        """Where it is written what the user's own modules need."""
        return Path(self.file).with_name("modules.lock")

    def write_artifact(self, target: Path) -> None:
        """Compile all the way to an artifact. Raises PackageError; then nothing is written."""
        from gxo.compiler.package.archive import build_artifact, check_target

        check_target(target)
        with _without_collector():
            build_artifact(target, self.package(self.generate()))

    def inputs(self) -> list[str]:
        """What the job was made from besides gxo: files, and folders whose listing matters."""
        assert self.playbook is not None and self.library is not None
        folders = asset_folders(self.playbook, Path(self.file).parent)
        files = [str(one.path) for one in self.assets]
        files += [one.path for one in self.playbook.templates]
        users = [str(self.lock), *self.library.made_from()]
        included = self.included.inputs() if self.included else []
        return [self.file, *files, *map(str, folders), *users, *included]

    def stage_text(self, stage: str) -> str:
        """The stage `ast`, `plan`, `python` or `manifest` as stable text."""
        assert self.plan is not None
        match stage:
            case "ast":
                assert self.playbook is not None
                return print_playbook(self.playbook)
            case "plan":
                return print_plan(self.plan)
            case "python":
                return _program_text(self.generate())
        return self.manifest_text(self.generate())

    def manifest_text(self, module: "Module") -> str:
        """The manifest of the artifact. Raises PackageError."""
        from gxo.compiler.package.collect import manifest_text

        return manifest_text(self.package(module))

    def _facts(self, embedded: "Embedded") -> Facts:
        assert self.plan is not None
        registers = register_owners(self.plan)
        return Facts(
            name=self.plan.name,
            gxo_version=VERSION,
            workloads=tuple(
                _workload_fact(workload, registers) for workload in every_workload(self.plan)
            ),
            modules={
                one.module.name: one.module.source for one in live_calls(self.plan) if one.module
            },
            secrets=self.plan.secrets,
            environment=self.plan.environment,
            effects=self._effects(embedded),
            warnings=tuple(f"{item.code} {item.message}" for item in self.diagnostics.sorted()),
            accepted=tuple(_accepted_facts(self.diagnostics)),
        )

    def _effects(self, embedded: "Embedded") -> tuple[Effect, ...]:
        """What the plan touches; the code that is taken along is a part of that."""
        assert self.plan is not None
        found = effects(self.plan)
        known = {one.what for one in found if one.kind == "distributions"}
        others = [Effect("distributions", name) for name in self._needs() if name not in known]
        own = (
            Effect("code", path, detail=f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
            for path, text in embedded.files.items()
        )
        return tuple(sorted((*found, *others, *own)))

    def _needs(self) -> tuple[str, ...]:
        assert self.plan is not None
        live = list(live_calls(self.plan))
        needs = {name for call in live for name in distributions(call)}
        needs.update(name for one in plan_templates(self.plan) for name in one.references.needs)
        if self.options.native:
            needs.update(name for call in live if call.module for name in call.module.native)
        if self.options.otel:
            needs.update(OTEL)
        return tuple(sorted(needs))


def _program_text(module: "Module") -> str:
    """The generated code; of a program in parts, each file after its path."""
    if len(module.sources) == 1:
        return module.text
    return "\n\n".join(f"# {path}\n{text}" for path, text in module.sources.items() if text)


def _read_assets(files: list[AssetFile]) -> dict[str, Asset]:
    try:
        return {one.name: Asset(one.path.read_bytes(), one.executable) for one in files}
    except OSError as error:
        message = f"cannot read the asset {error.filename}: {error.strerror}"
        raise PackageError("GXO0901", message) from error


def _workload_fact(workload: Workload, registers: Mapping[str, str]) -> WorkloadFact:
    return WorkloadFact(
        workload.name,
        lifecycle_facts(workload.decl.lifecycle),
        workload.module.name if workload.module else "",
        workload.background,
        {allowed.path: allowed.access for allowed in workload.policies.allow_paths},
        changes(workload),
        is_idempotent(workload),
        workload.module.handle if workload.module else None,
        read_by(workload, registers),
    )


def _accepted_facts(diagnostics: Diagnostics) -> Iterator[AcceptedFact]:
    """Each accepted finding once at each of its places: an anchor's text has several."""
    facts = (
        AcceptedFact(one.finding.code, place.workload, place.parameter, one.reason)
        for one in diagnostics.accepted_sorted()
        if (place := one.finding.place)
    )
    yield from dict.fromkeys(facts)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Look for no circles of objects: stages make none, and half the time would go into looking."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # To the oldest generation with all that is there: nothing of it is looked through now.
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()


@_without_collector()
def check(path: Path, options: Options | None = None) -> Compilation:
    """Read and analyse the playbook at the path, without generating anything.

    Raises `frontend.load.FileError` when there is no such readable file.
    """
    compilation = Compilation(str(path), options or Options())
    if compilation.read(read_file(path)):
        compilation.analyse()
    compilation.promote_warnings()
    return compilation
