"""Says on what hosts a job with native code runs: those like the one it is compiled on."""

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gxo.compiler.package.manifest import Native, slug

if TYPE_CHECKING:
    from packaging.tags import Tag

    from gxo.compiler.package.wheels import Distribution

NATIVE = "site-packages/"
"""Where an artifact keeps distributions with native code (as `gxo.runtime.bundle` knows)."""

OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def native_host(name: str, distributions: "Sequence[Distribution]") -> Native | None:
    """What the manifest says about the host of the job `name`; None when every host will do."""
    native = [one for one in distributions if one.native]
    if not native:
        return None
    # Only a job with native code needs what its bootstrap will compare with.
    from gxo.runtime.unpack import interpreter

    build = hashlib.sha256("".join(f"{one.name} {one.sha256}\n" for one in native).encode())
    build.update(interpreter().encode())
    return Native(
        python=interpreter(),
        system=sys.platform,
        machine=os.uname().machine,
        libc=max((found for one in native for found in _libc(one.tags)), default=None),
        folder=f"{slug(name)}.{build.hexdigest()[:16]}",
    )


def _libc(tags: "frozenset[Tag]") -> Iterator[tuple[str, int, int]]:
    """Yield the oldest C library that a wheel's tags promise to run with, if they name one."""
    found = [_libc_of(tag.platform) for tag in tags]
    known = [libc for libc in found if libc]
    if known:
        yield min(known)


def _libc_of(platform: str) -> tuple[str, int, int] | None:
    if old := OLD_MANYLINUX.get(platform.partition("_")[0]):
        return ("glibc", *old)
    if match := re.match(r"(many|musl)linux_(\d+)_(\d+)_", platform):
        name = "glibc" if match[1] == "many" else "musl"
        return (name, int(match[2]), int(match[3]))
    return None
