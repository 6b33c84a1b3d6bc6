"""The manifest of an artifact as values, each of the type that it must have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gxo.compiler.effects import Effect, EffectKind
from gxo.compiler.package.manifest import FORMAT
from gxo.compiler.trust.errors import ArtifactError
from gxo.compiler.trust.typed import load_json, typed


@dataclass(frozen=True, slots=True)
class PlaybookFact:
    """What it was compiled from: the playbook's name, its file's, and the hash of its text."""

    name: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WorkloadFact:
    """A workload; `gxo.compiler.package.parts` says what each field means."""

    name: str
    lifecycle: Mapping[str, object]
    module: str
    background: bool
    allow_paths: Mapping[str, Literal["ro", "rw"]]
    changes: bool | Literal["by_call"]
    idempotent: bool
    reads: tuple[str, ...]
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class ModuleFact:
    """A module that is called, the import name of its file, and that file's hash."""

    name: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DistributionFact:
    """A third-party distribution, and the hash of the wheel that it was taken from.

    license: as its metadata says it, if it does.
    """

    name: str
    version: str
    sha256: str
    native: bool
    license: str | None


@dataclass(frozen=True, slots=True)
class AssetFact:
    path: str
    sha256: str
    executable: bool


@dataclass(frozen=True, slots=True)
class AcceptedFact:
    """A finding that the playbook accepts, and the reason that it gives."""

    code: str
    workload: str | None
    parameter: str
    reason: str


@dataclass(frozen=True, slots=True)
class EffectFact:
    """An effect, and whose it is: each module with its workloads; of the job itself if it is empty.

    The module is "" where a template has the effect.
    """

    kind: EffectKind
    what: str
    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dynamic: bool = False
    detail: str = ""
    expression: str = ""

    def each(self) -> Iterator[Effect]:
        """Yield it once for each that has it; it is never nobody's."""
        for module, workloads in (self.by or {"": ()}).items():
            for workload in workloads or ("",):
                given = (self.dynamic, self.detail, self.expression, workload, module)
                yield Effect(self.kind, self.what, *given)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artifact says of itself; `files` has the SHA-256 of each file by its path."""

    format: int
    gxo: str
    playbook: PlaybookFact
    workloads: tuple[WorkloadFact, ...]
    modules: tuple[ModuleFact, ...]
    distributions: tuple[DistributionFact, ...]
    native: Mapping[str, object] | None
    secrets: tuple[str, ...]
    environment: tuple[str, ...]
    effects: tuple[EffectFact, ...]
    assets: tuple[AssetFact, ...]
    warnings: tuple[str, ...]
    accepted: tuple[AcceptedFact, ...]
    files: Mapping[str, str]
    signature: Mapping[str, object] | None = field(default=None)

    @property
    def touched(self) -> Iterator[Effect]:
        """Each effect of each workload."""
        return (one for effect in self.effects for one in effect.each())


def read_manifest(data: bytes) -> Manifest:
    """The manifest from its JSON text. Raises ArtifactError."""
    value = load_json(data, "manifest")
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ArtifactError(
            f"its manifest has not the form {FORMAT} that this gxo reads",
            "compile the playbook again, or read it with the gxo that made it",
        )
    return typed(Manifest, value, "manifest")
