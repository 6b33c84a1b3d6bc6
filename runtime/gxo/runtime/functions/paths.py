"""Sprig's path functions: plain work on texts with slashes, nothing is looked up."""

from posixpath import normpath

from gxo.runtime.functions import function


@function("base", "osBase")
def base(path: str) -> str:
    """Return a path's last element: `/a/b.txt` gives `b.txt`."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


@function("dir", "osDir")
def dir_(path: str) -> str:
    """Return a path without its last element: `/a/b.txt` gives `/a`."""
    before, slash, _ = path.rpartition("/")
    return clean(before + slash)


@function("clean", "osClean")
def clean(path: str) -> str:
    """Return the shortest path that means the same, without `.`, `..` and doubled slashes."""
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    return normpath(path)


@function("ext", "osExt")
def ext(path: str) -> str:
    """Return a path's suffix from the last dot of its last element: `.txt`."""
    _, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return dot + suffix if dot else ""


@function("isAbs", "osIsAbs")
def is_abs(path: str) -> bool:
    """Return whether a path starts at the root."""
    return path.startswith("/")
