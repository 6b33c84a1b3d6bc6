"""Unpacks an artifact's distributions with native code, which Python cannot load from a zip.

They go to a folder of this build, shared by its runs, below the user's cache:

    ~/.cache/gxo/native/nightly.9ab2.../site-packages/orjson/...

shiv's bootstrap does the unpacking, with its lock and its rename. It neither protects its folder
nor looks at what it finds there, so both are done here, at every start, before anything is loaded.
"""

import hashlib
import importlib
import io
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from zipfile import ZipFile

from gxo.runtime.bundle import NATIVE, ZipBundle
from gxo.runtime.errors import ArtifactError
from gxo.runtime.host.folders import cache_folder, hold, is_there, sweep

ATTEMPTS = 5  # each is lost only to another process that replaces the same folder


def unpack(bundle: ZipBundle) -> str:
    """Make the native distributions ready; returns the folder to import them from.

    Raises ArtifactError when this host cannot run them, or when the folder is not private.
    """
    manifest = json.loads(bundle.read("_gxo/manifest.json"))
    native = manifest["native"]
    check_host(bundle.archive, native)
    hashes = {name: digest for name, digest in manifest["files"].items() if name.startswith(NATIVE)}
    parent = cache_folder(os.environ, "native")
    name: str = native["folder"]
    folder = os.path.join(parent, name)
    for _ in range(ATTEMPTS):
        found = is_there(folder)
        if found and hold(folder) is not None and is_intact(folder, hashes):
            sweep(parent, name.partition(".")[0] + ".", keep=name)
            return os.path.join(folder, NATIVE.rstrip("/"))
        _extract(bundle, folder, replace=found)
    raise ArtifactError(f"what is unpacked to {folder} keeps changing", hint="remove that folder")


def check_host(archive: str, native: Mapping[str, Any]) -> None:
    """ArtifactError unless this host is of the kind that the artifact was built for."""
    wanted = _kind(native["python"], native["system"], native["machine"])
    here = _kind(interpreter(), sys.platform, os.uname().machine)
    if here != wanted:
        raise ArtifactError(f"{archive} was built for {wanted}, and this is {here}")
    if native["libc"] is None:
        return
    name, *needed = native["libc"]
    libc = host_libc()
    if libc[0] != name or needed > list(libc[1:]):
        raise ArtifactError(
            f"{archive} needs {name} {needed[0]}.{needed[1]} or newer,"
            f" and this host has {libc[0]} {libc[1]}.{libc[2]}"
        )


def interpreter() -> str:
    """What native code depends on in a Python: `cpython-312`, `cpython-313t`."""
    return f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"


def host_libc() -> tuple[str, int, int]:
    """The C library and its version, as far as it can be told: only glibc says."""
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
        major, minor = version.split(".")[:2]
        return name, int(major), int(minor)
    except (AttributeError, OSError, ValueError):
        return "musl", 1, 2


def _kind(python: str, system: str, machine: str) -> str:
    return f"{python} on {system} {machine}"


def is_intact(folder: str, hashes: Mapping[str, str]) -> bool:
    """Whether the folder has exactly these files, regular and unchanged, and nobody else's."""
    try:
        found = dict(_files(folder))
    except (OSError, ArtifactError):
        return False
    return found == dict(hashes)


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (path below the folder, SHA-256). ArtifactError at one that is not just a file."""
    for above, folders, names in os.walk(folder, onerror=_raise):
        for name in (*folders, *names):
            path = os.path.join(above, name)
            status = os.lstat(path)
            kind = stat.S_ISDIR if name in folders else stat.S_ISREG
            if (
                not kind(status.st_mode)
                or status.st_uid != os.geteuid()
                or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            ):
                raise ArtifactError(f"{path} is not as it was unpacked")
        for name in names:
            path = os.path.join(above, name)
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield os.path.relpath(path, folder).replace(os.sep, "/"), digest


def _raise(error: OSError) -> None:
    raise error


def _extract(bundle: ZipBundle, folder: str, replace: bool) -> None:
    bootstrap = importlib.import_module("_bootstrap")  # shiv's; only in artifacts that need it
    before = os.umask(0o077)
    try:
        with ZipFile(io.BytesIO(bundle.data)) as archive:
            from pathlib import Path

            bootstrap.extract_site_packages(archive, Path(folder), force=replace)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ArtifactError(f"cannot unpack native code to {folder}: {why}") from error
    finally:
        os.umask(before)
