"""An artifact for people: what it is, what is in it, and what it touches.

job.pyz: orders-etl, compiled by gxo 0.1.0 from orders-etl.gxo.yaml

workloads
  orders         http:request
  csv            data:format    after orders
"""

from collections.abc import Iterable, Iterator, Sequence

from gxo.compiler.effects import capabilities
from gxo.compiler.trust.artifact import Artifact
from gxo.compiler.trust.caps import shown, visible
from gxo.compiler.trust.manifest import Manifest, WorkloadFact

DIGEST = 16
"""Characters of a hash that are shown; `--output json` has all of it."""


def render_overview(artifact: Artifact) -> str:
    """The text of `gxo inspect`, in which nothing can hide or move the cursor."""
    manifest = artifact.manifest
    name = f"{manifest.playbook.name}, compiled by gxo {manifest.gxo} from {manifest.playbook.file}"
    blocks = [
        (visible(f"{artifact.file}: {name}"), _table(_facts(artifact))),
        ("workloads", _table(map(_workload, manifest.workloads))),
        ("modules", _table((one.name, one.source, _short(one.sha256)) for one in manifest.modules)),
        ("distributions", _table(_distributions(manifest))),
        ("assets", _table((one.path, _short(one.sha256)) for one in manifest.assets)),
        ("effects", _table(_effects(manifest))),
        ("warnings", _table((one,) for one in manifest.warnings)),
        ("accepted findings", _table(_accepted(manifest))),
    ]
    return "\n".join(f"{title}\n{''.join(lines)}" for title, lines in blocks if lines)


def _facts(artifact: Artifact) -> Iterator[tuple[str, ...]]:
    manifest = artifact.manifest
    if artifact.sha256:
        yield "sha256", artifact.sha256
        yield "size", f"{artifact.size:,} bytes, {len(manifest.files) + 2} files"
    yield "playbook", manifest.playbook.sha256
    yield "runs on", _host(manifest)
    if artifact.sha256:
        yield "signature", "there is one, which is not checked" if manifest.signature else "none"
        count = len(artifact.mismatches)
        yield "contents", f"{count} of its files are not what it says" if count else "as it says"
        for doubt in artifact.doubts:
            yield "NOT SO" if doubt.is_wrong else "not known", doubt.text


def _host(manifest: Manifest) -> str:
    native = manifest.native
    if native is None:
        return "Python 3.11 or newer"
    return ", ".join(str(native.get(key)) for key in ("python", "system", "machine"))


def _workload(one: WorkloadFact) -> tuple[str, ...]:
    policy = one.lifecycle.get("policy")
    more = [] if policy == "run_once" else [str(policy)]
    more += [f"reads {', '.join(one.reads)}"] if one.reads else []
    return one.name, one.module, "; ".join(more)


def _distributions(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    for one in manifest.distributions:
        native = "native" if one.native else ""
        yield one.name, one.version, _short(one.sha256), one.license or "no licence named", native


_NAMES = ("secrets", "environment", "distributions")
"""Effects that are mere names: those of the same workloads share a line."""


def _effects(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one, effects in capabilities(manifest.touched).items():
        who = ", ".join(dict.fromkeys(effect.workload for effect in effects))
        key = "" if one.kind in _NAMES else shown(one)
        rows.setdefault((one.kind, who, key), []).append(shown(one))
    for (kind, who, _), found in rows.items():
        yield kind, ", ".join(found), who


def _accepted(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    for one in manifest.accepted:
        yield one.code, one.workload or "", one.parameter, one.reason


def _short(digest: str) -> str:
    return digest[:DIGEST]


WIDEST = 60
"""Columns that a cell is padded to at most; what is longer moves the rest of its line."""


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    """The rows as lines below a title, in columns."""
    cells = [tuple(map(visible, row)) for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*cells, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in cells]
