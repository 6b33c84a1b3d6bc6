"""Gets the third-party distributions that an artifact's modules need, from wheels and nothing else.

    before:  needs = ("httpx",)
    after:   anyio, certifi, h11, httpcore, httpx, idna, typing-extensions: each its wheel's files

Wheels are fetched once, by pip, with its hashes required, into a folder of the user's cache; each
is checked against the pins whenever it is used. What is installed beside gxo is never looked at.
"""

import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from packaging.tags import Tag, sys_tags
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)

from gxo.compiler.package.errors import PackageError
from gxo.compiler.package.link import find
from gxo.compiler.package.pins import Pin, license_of, read_pins, required
from gxo.compiler.package.pip import PipError, pip
from gxo.runtime.errors import ArtifactError
from gxo.runtime.host.folders import cache_folder

PURE = ("--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.11")
"""What makes pip choose wheels without native code."""

KEPT = ("METADATA", "entry_points.txt")
"""What `importlib.metadata` reads of a distribution."""

LICENCES = ("LICEN", "COPYING", "NOTICE", "AUTHORS", "licenses/")


@dataclass(frozen=True, slots=True)
class Distribution:
    """A wheel that is linked. files: by their path below site-packages. tags: for what hosts."""

    name: NormalizedName
    version: str
    sha256: str
    tags: frozenset[Tag]
    files: Mapping[str, bytes]
    metadata: bytes

    @property
    def native(self) -> bool:
        return not is_pure(self.tags)

    @property
    def license(self) -> str | None:
        """Its licence as its metadata says it: an SPDX expression, or a name; None for nothing."""
        return license_of(self.metadata)


def resolve(
    needs: Iterable[str], native: bool, pins: Mapping[NormalizedName, Pin] | None = None
) -> tuple[Distribution, ...]:
    """The distributions named, and all that those need, sorted by name.

    native: take those with native code also where a pure one would do. pins: of what gxo itself
    does not link. Raises PackageError when one is not pinned or cannot be fetched, when two do not
    fit together, or when the cache folder is not private.
    """
    waiting = sorted({canonicalize_name(name) for name in needs})
    if not waiting:
        return ()
    extras = {name: frozenset[str]() for name in waiting}
    store = WheelStore(_cache(), {**(pins or {}), **shipped_pins()}, native)
    found: dict[NormalizedName, Distribution] = {}
    while waiting:
        found.update((one.name, one) for one in store.get(waiting))
        changed = set()
        for name in waiting:
            for requirement in required(found[name].metadata, extras[name]):
                needed = canonicalize_name(requirement.name)
                wanted = extras.get(needed, frozenset()) | requirement.extras
                if extras.get(needed) != wanted:
                    extras[needed] = wanted
                    changed.add(needed)
        waiting = sorted(changed)
    for name in found:
        _check_versions(found[name], extras[name], found)
    return tuple(found[name] for name in sorted(found))


def _check_versions(
    one: Distribution, extras: frozenset[str], found: Mapping[NormalizedName, Distribution]
) -> None:
    for requirement in required(one.metadata, extras):
        other = found[canonicalize_name(requirement.name)]
        if not requirement.specifier.contains(other.version, prereleases=True):
            raise PackageError(
                "GXO0908",
                f"{one.name} {one.version} needs {requirement.name}{requirement.specifier},"
                f" and {other.version} is pinned",
                "change the version that a module needs, or remove modules.lock to resolve anew",
            )


def shipped_pins() -> dict[NormalizedName, Pin]:
    """The pinned set that travels with gxo."""
    package = find("gxo.stdlib")
    assert package is not None
    return read_pins(Path(package).with_name("linked.txt").read_text(encoding="utf-8"))


def is_pure(tags: frozenset[Tag]) -> bool:
    return any(tag.abi == "none" and tag.platform == "any" for tag in tags)


def _cache() -> Path:
    try:
        return Path(cache_folder(os.environ, "wheels"))
    except ArtifactError as error:
        raise PackageError("GXO0906", error.message, error.hint) from None


@dataclass(frozen=True, slots=True)
class WheelStore:
    """The folder of wheels, filled from the package index when one is missing."""

    folder: Path
    pins: Mapping[NormalizedName, Pin]
    native: bool

    def get(self, names: Sequence[NormalizedName]) -> list[Distribution]:
        """These distributions, from the folder or fetched. PackageError as for `resolve`."""
        pins = [self._pin(name) for name in names]
        missing = [pin for pin in pins if self._find(pin) is None]
        if missing:
            self._fetch(missing)
        return [self._load(pin) for pin in pins]

    def _pin(self, name: NormalizedName) -> Pin:
        if name not in self.pins:
            raise PackageError(
                "GXO0902",
                f"the distribution {name} is needed, and no version of it is pinned",
                "remove modules.lock to resolve anew what modules need",
            )
        return self.pins[name]

    def _load(self, pin: Pin) -> Distribution:
        found = self._find(pin)
        if found is None:
            raise PackageError(
                "GXO0903",
                f"the package index has no wheel of {pin.name} {pin.version} for this host",
            )
        path, tags, data = found
        return read_wheel(path.name, pin, tags, data)

    def _find(self, pin: Pin) -> tuple[Path, frozenset[Tag], bytes] | None:
        """The best wheel of the pin in the folder; one that fails its check is removed."""
        found = [
            (rank, path, tags)
            for path in sorted(self.folder.glob("*.whl"))
            if (tags := _tags_of(path.name, pin)) and (rank := self._rank(tags)) is not None
        ]
        for _, path, tags in sorted(found, key=lambda one: (one[0], one[1])):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() in pin.hashes:
                return path, tags, data
            path.unlink(missing_ok=True)
        return None

    def _rank(self, tags: frozenset[Tag]) -> int | None:
        """How well a wheel fits, the lower the better; None when it cannot be used here."""
        if is_pure(tags):
            return sys.maxsize if self.native else -1
        return next((rank for rank, tag in enumerate(sys_tags()) if tag in tags), None)

    def _fetch(self, pins: Sequence[Pin]) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetch-") as folder:
            _download(pins, folder, ())
            fetched = list(Path(folder).glob("*.whl"))
            if not self.native:
                # A pure wheel runs on every host, so it is taken where there is one.
                for pin in pins:
                    if not any(is_pure(_tags_of(path.name, pin)) for path in fetched):
                        _try_pure(pin, folder)
            for path in Path(folder).glob("*.whl"):
                path.replace(self.folder / path.name)


def _try_pure(pin: Pin, folder: str) -> None:
    try:
        _download([pin], folder, PURE)
    except PackageError:
        pass  # it has none; the native one was fetched


def _download(pins: Sequence[Pin], folder: str, target: Sequence[str]) -> None:
    requirements = Path(folder, "requirements.txt")
    requirements.write_text("".join(f"{pin.requirement()}\n" for pin in pins), encoding="utf-8")
    try:
        pip(
            *("download", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *(*target, "--dest", folder, "--requirement", str(requirements)),
        )
    except PipError as error:
        names = ", ".join(f"{pin.name} {pin.version}" for pin in pins)
        why = str(error)
        hint = "this needs the package index once; afterwards the wheels are in gxo's cache"
        if "DO NOT MATCH THE HASHES" in why:
            why = "the package index has files with other hashes than those that are pinned"
            hint = "find out who has changed them, or which other hosts' hashes the pins lack"
        raise PackageError("GXO0903", f"cannot fetch {names}: {why}", hint) from None


def _tags_of(file: str, pin: Pin) -> frozenset[Tag]:
    """The tags in a wheel's file name, empty when it is not a wheel of the pin."""
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return frozenset()
    return tags if (name, str(version)) == (pin.name, pin.version) else frozenset()


def read_wheel(file: str, pin: Pin, tags: frozenset[Tag], data: bytes) -> Distribution:
    """Unpack a wheel in memory. PackageError when it is none, or a path in it leaves its folder."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            members = {
                info.filename: archive.read(info)
                for info in archive.infolist()
                if not info.is_dir()
            }
    except BadZipFile as error:
        raise PackageError("GXO0904", f"the wheel {file} cannot be read: {error}") from None
    metadata = next(
        (content for path, content in members.items() if path.endswith(".dist-info/METADATA")), b""
    )
    files = dict(sorted(_installed(file, members)))
    digest = hashlib.sha256(data).hexdigest()
    return Distribution(pin.name, pin.version, digest, tags, files, metadata)


def _installed(file: str, members: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield what an artifact keeps of a wheel, each with its path below site-packages."""
    for path, content in members.items():
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path:
            raise PackageError("GXO0904", f"the wheel {file} has a file outside its folder: {path}")
        if parts[0].endswith(".dist-info"):
            rest = "/".join(parts[1:])
            if rest in KEPT or rest.startswith(LICENCES):
                yield path, content
        elif parts[0].endswith(".data"):
            if parts[1:2] in (("purelib",), ("platlib",)):
                yield "/".join(parts[2:]), content
        else:
            yield path, content
