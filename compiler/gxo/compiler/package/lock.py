"""Pins what a user's own modules need, with all that this needs, in a file beside the playbook.

    before:  @module("acme:ping", needs=["boto3==1.44.5"])
    after:   modules.lock    boto3==1.44.5 --hash=sha256:24..., botocore==1.44.5 --hash=..., ...

The first compilation asks the package index, and writes the file; all that follow take what it
says, and nothing whose hash is not in it. Wheels only: no code of others runs here. The file is one
that pip and uv read and write as well (`--require-hashes`).
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from gxo.compiler.package.archive import replace_file
from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.pins import PYTHONS, Pin, is_needed, read_pins
from gxo.compiler.package.pip import PipError, pip

NAME = "modules.lock"
HEAD = """\
# What the modules of the playbooks here need, and what that needs: written by gxo when it compiles.
# Keep this file with the playbooks, so that everybody's artifacts have the same in them.
"""
_NAME, _SHA256 = re.compile(r"[a-z0-9][a-z0-9.!+-]*"), re.compile(r"[0-9a-f]{64}")
Pins = Mapping[NormalizedName, Pin]

PLATFORMS = (
    ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    ("macosx_14_0_arm64", "macosx_11_0_arm64"),
)
"""Those who compile the playbooks of one folder may have any of these, with any of PYTHONS."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One wheel that pip would install, and what it needs."""

    pin: Pin
    tags: frozenset[Tag]
    requires: tuple[Requirement, ...]


def read_lock(lock: Path) -> Pins:
    """What the file pins; nothing when there is none. PackageError when it cannot be read.

    Lines that pin nothing, such as options of pip, are left out.
    """
    try:
        pins = read_pins(lock.read_text(encoding="utf-8"))
        return {name: pin for name, pin in pins.items() if _is_pinned(pin)}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError("GXO0901", f"cannot read {lock}: {error}") from None


def _is_pinned(pin: Pin) -> bool:
    texts = [(_NAME, pin.name), (_NAME, pin.version), *((_SHA256, one) for one in pin.hashes)]
    return bool(pin.hashes) and all(pattern.fullmatch(text) for pattern, text in texts)


def is_locked(versions: Mapping[str, str], known: Pins) -> bool:
    """Whether what is needed is pinned in the version that is asked for, with hashes."""
    pins = {name: known.get(canonicalize_name(name)) for name in versions}
    return all(pin and _is_same(pin.version, versions[name]) for name, pin in pins.items())


def _is_same(one: str, other: str) -> bool:
    """Whether two texts are one version, as `1.0` and `1.0.0` are."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def write_lock(lock: Path, versions: Mapping[str, str], known: Pins, own: Pins) -> Pins:
    """Resolve what is needed, write the file, and return what it pins.

    known: what it pinned before, which stays as far as it fits. own: what gxo links itself.
    Raises PackageError.
    """
    kept = {
        name: pin
        for name, pin in known.items()
        if name not in versions or _is_same(pin.version, versions[name])
    }
    try:
        found = _closure(versions, [*own.values(), *kept.values()])
    except PipError:  # with what was pinned before it cannot be had, or at all
        found = _closure_or_error(versions, list(own.values()))
    # A version that was pinned keeps its hashes: what the index says of it now could be a forgery.
    new = [
        one
        for name, one in found.items()
        if name not in own and (name not in known or known[name].version != one.pin.version)
    ]
    pins = {**known, **{pin.name: pin for pin in _with_all_hashes(new)}}
    pins = {name: pin for name, pin in pins.items() if name not in own}
    replace_file(lock, (HEAD + "".join(_lines(pins))).encode(), 0o644)
    return pins


def _lines(pins: Pins) -> Iterator[str]:
    for name in sorted(pins):
        pin = pins[name]
        hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(pin.hashes))
        yield f"{name}=={pin.version}{hashes}\n"


def _closure_or_error(
    versions: Mapping[str, str], constraints: Sequence[Pin]
) -> dict[NormalizedName, _Found]:
    try:
        return _closure(versions, constraints)
    except PipError as error:
        needs = ", ".join(f"{name} {version}" for name, version in versions.items())
        hint = "modules declare what they need; pip asks the package index for it"
        raise PackageError("GXO0907", f"cannot resolve {needs}: {error}", hint) from None


def _closure(
    versions: Mapping[str, str], constraints: Sequence[Pin]
) -> dict[NormalizedName, _Found]:
    """All that is needed, on this host or on another one that an artifact may meet. PipError."""
    asked = [f"{name}=={version}" for name, version in versions.items()]
    while True:
        found = {one.pin.name: one for one in _report(asked, constraints)}
        missing = {
            f"{requirement.name}{requirement.specifier}"
            for one in found.values()
            for requirement in one.requires
            if canonicalize_name(requirement.name) not in found and is_needed(requirement, ())
        }
        if missing <= {*asked}:
            return found
        asked += sorted(missing - {*asked})


def _with_all_hashes(found: Iterable[_Found]) -> Iterator[Pin]:
    """The pins, with the hashes of the wheels that other hosts would take."""
    for one in found:
        hashes = set(one.pin.hashes)
        if any(tag.platform != "any" for tag in one.tags):
            for target in _targets():
                try:
                    for other in _report([one.pin.requirement(bare=True)], (), target):
                        hashes |= other.pin.hashes
                except PipError:
                    pass  # it has no wheel for that host
        yield replace(one.pin, hashes=frozenset(hashes))


def _targets() -> Iterator[tuple[str, ...]]:
    """pip's options for each kind of wheel: pure, and native for a Python and a platform."""
    yield ("--platform", "any", "--implementation", "py", "--abi", "none", *_python(PYTHONS[0]))
    for python, platforms in product(PYTHONS, PLATFORMS):
        chosen = (word for platform in platforms for word in ("--platform", platform))
        yield (*chosen, "--implementation", "cp", *_python(python))


def _python(version: str) -> tuple[str, ...]:
    return ("--python-version", version, "--no-deps")


def _report(
    asked: Iterable[str], constraints: Iterable[Pin], target: Sequence[str] = ()
) -> list[_Found]:
    """What pip would install, without a look at what is installed here. PipError."""
    with tempfile.TemporaryDirectory(prefix="gxo-lock-") as folder:
        requirements, limits, report = (
            Path(folder, name) for name in ("requirements.txt", "constraints.txt", "report.json")
        )
        requirements.write_text("".join(f"{line}\n" for line in asked), encoding="utf-8")
        limits.write_text(
            "".join(f"{pin.requirement(bare=True)}\n" for pin in constraints), encoding="utf-8"
        )
        pip(
            *("install", "--dry-run", "--ignore-installed", "--only-binary", ":all:"),
            *("--report", str(report), "--target", str(Path(folder, "target")), *target),
            *("--constraint", str(limits), "--requirement", str(requirements)),
        )
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [_found(item) for item in items]


def _found(item: Mapping[str, Any]) -> _Found:
    metadata, download = item["metadata"], item["download_info"]
    digest = download["archive_info"]["hashes"]["sha256"]
    _, _, _, tags = parse_wheel_filename(download["url"].rpartition("/")[2])
    name = canonicalize_name(metadata["name"])
    return _Found(
        Pin(name, metadata["version"], frozenset({digest})),
        tags,
        tuple(map(Requirement, metadata.get("requires_dist", ()))),
    )
