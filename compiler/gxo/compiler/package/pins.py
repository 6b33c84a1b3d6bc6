"""The third-party distributions that gxo links, pinned with hashes in `gxo/stdlib/linked.txt`.

What one needs is read from its wheel; markers are taken as true when they are true on any host that
a portable artifact may meet, so that the same distributions are linked wherever it is compiled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import cast

from packaging.markers import default_environment
from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    ("linux", "Linux", "x86_64"),
    ("linux", "Linux", "aarch64"),
    ("darwin", "Darwin", "arm64"),
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a distribution, and the SHA-256 of each of its files."""

    name: NormalizedName
    version: str
    hashes: frozenset[str]

    def requirement(self, bare: bool = False) -> str:
        """The line for pip; a `bare` one without hashes."""
        hashes = (f"--hash=sha256:{digest}" for digest in sorted(self.hashes))
        return " ".join([f"{self.name}=={self.version}", *(() if bare else hashes)])


def read_pins(text: str) -> dict[NormalizedName, Pin]:
    """Read a requirements file as `uv pip compile --generate-hashes` writes it."""
    pins = {}
    for line in text.replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if words:
            name, _, version = words[0].partition("==")
            hashes = (word.removeprefix("--hash=sha256:") for word in words if "--hash" in word)
            pin = Pin(canonicalize_name(name), version, frozenset(hashes))
            pins[pin.name] = pin
    return pins


def required(metadata: bytes, extras: frozenset[str]) -> Iterator[Requirement]:
    """Yield what a distribution with these extras needs on some host, from its METADATA."""
    raw, _ = parse_email(metadata)
    for line in raw.get("requires_dist", ()):
        requirement = Requirement(line)
        if is_needed(requirement, extras):
            yield requirement


def license_of(metadata: bytes) -> str | None:
    """The licence of a distribution, from its METADATA: an expression, a name, or None."""
    raw, _ = parse_email(metadata)
    classified = (one.split(" :: ") for one in raw.get("classifiers", ()))
    names = [parts[-1] for parts in classified if parts[0] == "License" and len(parts) > 2]
    named = raw.get("license", "").strip()  # sometimes the whole text of it
    named = named if len(named.splitlines()) == 1 else ""
    return raw.get("license_expression") or named or ", ".join(names) or None


def is_needed(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Whether a distribution with these extras has the requirement on some host."""
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra})
        for environment in _environments()
        for extra in {"", *extras}
    )


def _environments() -> Iterator[dict[str, str]]:
    for python, (platform, system, machine) in product(PYTHONS, SYSTEMS):
        environment = cast("dict[str, str]", default_environment())
        environment["python_version"] = python
        environment["python_full_version"] = f"{python}.0"
        environment["implementation_name"] = "cpython"
        environment["platform_python_implementation"] = "CPython"
        environment["os_name"] = "posix"
        environment["sys_platform"] = platform
        environment["platform_system"] = system
        environment["platform_machine"] = machine
        yield environment
