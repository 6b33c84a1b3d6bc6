"""What the packaging stage is given by the driver, and what it hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gxo.compiler.effects import Effect

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from gxo.compiler.package.pins import Pin


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the playbook embeds; in the workspace it has mode 0644, or 0755 if executable."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class WorkloadFact:
    """A workload as the manifest lists it; everything by the playbook's names, times in seconds.

    lifecycle: its `policy` and that policy's keys. background: it runs until the job needs it no
    more. allow_paths: each path with its access. changes, idempotent, handle: what its module
    declares. reads: the workloads whose results its templates read, which a resumed job must still
    have.
    """

    name: str
    lifecycle: Mapping[str, object]
    module: str
    background: bool = False
    allow_paths: Mapping[str, str] = field(default_factory=dict)
    changes: bool | Literal["by_call"] = False
    idempotent: bool = False
    handle: str | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AcceptedFact:
    """A finding that the playbook accepts, where (workload "" for none), and why."""

    code: str
    workload: str
    parameter: str
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest says about a job (architecture, "Artifact").

    modules: each module used, with the import name of the file that declares it
    (`http:request`: `gxo.stdlib.http`). effects: what it touches, sorted. secrets, environment:
    names that the job reads, never values.
    warnings: what the compiler warned of, one line each. accepted: in the order of the playbook.
    """

    name: str
    gxo_version: str
    workloads: tuple[WorkloadFact, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    warnings: tuple[str, ...] = ()
    accepted: tuple[AcceptedFact, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """Everything that one artifact is made of, before it is linked.

    sources: Python files by their path in the archive; `gxo_job.py` is the one that is run, the
    others are what else was generated and a user's own modules. heads: of those that were generated
    the beginning, in which all imports are. playbook_file: its file name, without the folder.
    assets, templates: files by their path below the playbook's folder, of templates the text; the
    job runs what was compiled of those. needs: names of third-party distributions;
    native: take those with native code also where a pure one would do. pins: of those that a user's
    own modules need; imports: the packages that they import, with where, which some of these has.
    included: of a test, the playbook that it includes; its files and needs are among these.
    """

    sources: Mapping[str, str]
    source_map: str
    playbook: str
    playbook_file: str
    facts: Facts
    assets: Mapping[str, Asset] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    native: bool = False
    heads: Mapping[str, str] = field(default_factory=dict)
    pins: "Mapping[NormalizedName, Pin]" = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    included: "Package | None" = None


@dataclass(frozen=True, slots=True)
class Built:
    """An artifact on disk, and the distributions that were linked into it as `name version`."""

    path: Path
    size: int
    distributions: tuple[str, ...]
