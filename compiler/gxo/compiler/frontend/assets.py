"""Find the files that a playbook embeds (language, section 1, `assets`).

    before:  assets: [site/*.css, run.sh]
    after:   AssetFile("run.sh", executable), AssetFile("site/base.css"), ...

Regular files below the playbook's folder; a link is never followed, a dot-file must be named.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from filecmp import cmp
from glob import glob, has_magic
from itertools import takewhile
from pathlib import Path

from gxo.compiler.diagnostics import Diagnostics, Span
from gxo.compiler.frontend.playbook import Name, Playbook

NOT_FOUND, NOT_REGULAR, TOO_LARGE = "GXO0216", "GXO0217", "GXO0218"
DIFFERENT = "GXO0556"
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file: `name` is its path below the playbook's folder, with `/`."""

    name: str
    path: Path
    executable: bool


def find_assets(playbook: Playbook, folder: Path, diagnostics: Diagnostics) -> list[AssetFile]:
    """The files that the playbook's patterns name, each once, sorted by name."""
    refused = {item.span for item in diagnostics.items if item.level == "error"}
    found: dict[str, AssetFile] = {}
    total = 0
    for pattern in playbook.assets:
        if pattern.span in refused:
            continue
        matches = list(_matches(pattern, folder, diagnostics))
        for asset, size in matches:
            total += 0 if asset.name in found else size
            found[asset.name] = asset
        if total > MAX_BYTES:
            limit = f"the assets have more than {MAX_BYTES >> 20} MiB"
            diagnostics.error(TOO_LARGE, pattern.span, limit)
            break
    return [found[name] for name in sorted(found)]


def check_shared(
    ours: list[AssetFile], others: list[AssetFile], span: Span, diagnostics: Diagnostics
) -> None:
    """Report assets of a test and of the playbook that it includes, at the span, which would be one
    file in the workspace and are not the same.
    """
    places = {one.name: one.path for one in ours}
    for other in others:
        path = places.get(other.name)
        if path and not path.samefile(other.path) and not cmp(path, other.path, shallow=False):
            message = f"the asset {other.name} is another file here than there, and they differ"
            hint = "rename one of them: both would be in the same workspace"
            diagnostics.error(DIFFERENT, span, message, hint)


def asset_folders(playbook: Playbook, folder: Path) -> list[Path]:
    """The folders in which a new or removed file can change what the patterns find."""
    found: set[Path] = set()
    for pattern in playbook.assets:
        parts = Path(pattern.text).parts
        fixed = list(takewhile(lambda part: not has_magic(part), parts))
        if len(fixed) < len(parts):
            base = folder.joinpath(*fixed)
            found.update(Path(inner) for inner, _, _ in os.walk(base))
    return sorted(found)


def _matches(
    pattern: Name, folder: Path, diagnostics: Diagnostics
) -> Iterator[tuple[AssetFile, int]]:
    names = sorted(glob(pattern.text, root_dir=folder, recursive=True))
    literal = not has_magic(pattern.text)
    seen = 0
    for name in names:
        status = status_below(folder, name)
        if status is not None and stat.S_ISREG(status.st_mode):
            seen += 1
            executable = bool(status.st_mode & 0o111)
            yield AssetFile(os.path.normpath(name), folder / name, executable), status.st_size
        elif literal:
            what = "is reached through a link" if status is None else "is not a regular file"
            diagnostics.error(NOT_REGULAR, pattern.span, f"the asset {name!r} {what}")
            return
    if not seen:
        message = f"no file below the playbook's folder is named {pattern.text!r}"
        diagnostics.error(NOT_FOUND, pattern.span, message)


def status_below(folder: Path, name: str) -> os.stat_result | None:
    """The file's own status; None when a component of the name is a link."""
    path = folder
    status = None
    for part in Path(name).parts:
        path = path / part
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return None
    return status
