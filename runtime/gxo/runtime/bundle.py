"""What a compiled job carries with it, and how Python imports from it.

An artifact's `__main__.py` reads the whole file once and checks it; this file, loaded by hand
before any import, then takes over:

    before:  sys.path = [job.pyz, $PYTHONPATH, the library, the host's site-packages]
    after:   sys.path = [job.pyz, the library], and modules come from the bytes that were checked

So what was checked is what runs, also when the file is replaced while the job runs, and nothing is
opened a second time (zipimport opens the archive once a module). `gxo run` uses a folder of the
same layout instead.
"""

import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from importlib.resources.abc import TraversableResources

ASSETS = "_gxo/assets/"
MANIFEST = "_gxo/manifest.json"

NATIVE = "site-packages/"
"""Where an artifact keeps distributions with native code; they are unpacked before use."""

OWN = ("gxo/", "_gxo/")
"""Where gxo's own files are; every package there has an `__init__.py`."""

PYC_HEADER = 16  # bytes before the code (PEP 552)
ENTRY = 46  # bytes of an entry in a zip's directory, before the name


class Bundle(Protocol):
    """Files by name, such as `_gxo/manifest.json`."""

    def read(self, name: str) -> bytes:
        """The content of the file. FileNotFoundError when it is not there."""

    def names(self) -> list[str]:
        """All files, sorted."""


class FolderBundle:
    """The files of a compiled job in a folder, as `gxo run` keeps them."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, name: str) -> bytes:
        """The content of the file. FileNotFoundError when it is not there."""
        with open(f"{self._path}/{name}", "rb") as file:
            return file.read()

    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(
            os.path.relpath(f"{folder}/{name}", self._path)
            for folder, _, names in os.walk(self._path)
            for name in names
        )


class ZipBundle:
    """The files of an artifact, from its bytes. archive: the artifact's path."""

    __slots__ = ("_entries", "archive", "data")

    def __init__(self, archive: str, data: bytes) -> None:
        self.archive = archive
        self.data = data
        self._entries = dict(_directory(data))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """The content of the file. FileNotFoundError when it is not there."""
        return bytes(self.view(name))

    def names(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._entries)

    def view(self, name: str) -> memoryview:
        """As `read`, without a copy where the file is stored as it is."""
        entry = self._entries.get(name)
        if entry is None:
            raise FileNotFoundError(f"{name} is not in {self.archive}")
        data = self.data
        start = _number(data, entry + 42)
        start += 30 + _number(data, start + 26, 2) + _number(data, start + 28, 2)
        content = memoryview(data)[start : start + _number(data, entry + 20)]
        if data[entry + 10]:
            import zlib  # start-up: what every job needs is stored

            return memoryview(zlib.decompress(content, -zlib.MAX_WBITS))
        return content


def _directory(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield each file's name, and where its entry in the zip's directory starts."""
    end = data.rindex(b"PK\x05\x06")
    start = _number(data, end + 16)
    for _ in range(_number(data, end + 10, 2)):
        length = _number(data, start + 28, 2)
        yield data[start + ENTRY : start + ENTRY + length].decode(), start
        start += ENTRY + length + _number(data, start + 30, 2) + _number(data, start + 32, 2)


def _number(data: bytes, start: int, size: int = 4) -> int:
    return int.from_bytes(data[start : start + size], "little")


class Importer:
    """Finds and loads the modules of an artifact: the `.pyc` of this Python, else the `.py`.

    `archive` and `prefix` are what `importlib.resources` wants to know of a zip's importer.
    """

    prefix = ""

    def __init__(self, bundle: ZipBundle) -> None:
        self.bundle = bundle
        self.archive = bundle.archive
        linked = (name for name in bundle.names() if not name.startswith(OWN))
        self._folders = {name[:end] for name in linked for end in _slashes(name)}

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module as the artifact has it; None leaves it to Python's own library."""
        loader: Any = self  # what it needs of a loader is all there
        base = name.replace(".", "/")
        package = f"{base}/__init__"
        if f"{package}.py" in self.bundle:
            spec = ModuleSpec(name, loader, origin=f"{self.archive}/{package}.py", is_package=True)
            spec.submodule_search_locations = [f"{self.archive}/{base}"]
            spec.loader_state = package
        elif f"{base}.py" in self.bundle:
            spec = ModuleSpec(name, loader, origin=f"{self.archive}/{base}.py")
            spec.loader_state = base
        elif base in self._folders:
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [f"{self.archive}/{base}", *_folders(base)]
            return spec
        else:
            return None
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module object to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        assert module.__spec__ is not None
        exec(self._code(module.__spec__.loader_state), module.__dict__)  # noqa: S102

    def get_code(self, name: str) -> CodeType:
        """The module's code, for `runpy` and the like."""
        return self._code(self._base(name))

    def get_source(self, name: str) -> str:
        """The module's text, for tracebacks."""
        return self.bundle.read(f"{self._base(name)}.py").decode()

    def get_data(self, path: str) -> bytes:
        """The file at the path, which starts with the artifact's own."""
        return self.bundle.read(path.removeprefix(f"{self.archive}/"))

    def is_package(self, name: str) -> bool:
        """Whether the module is a package."""
        return self._base(name).endswith("/__init__")

    def get_resource_reader(self, name: str) -> "TraversableResources":
        """The data files beside a module of a linked distribution."""
        from importlib.readers import ZipReader

        return ZipReader(self, name)  # type: ignore[arg-type]  # `archive` and `prefix` will do

    def _base(self, name: str) -> str:
        spec = self.find_spec(name)
        if spec is None:
            raise ImportError(f"{self.archive} has no module {name}", name=name)
        base: str = spec.loader_state
        return base

    def _code(self, base: str) -> CodeType:
        if f"{base}.pyc" in self.bundle:
            content = self.bundle.view(f"{base}.pyc")
            if content[:4] == MAGIC_NUMBER:
                code: CodeType = marshal.loads(content[PYC_HEADER:])  # noqa: S302
                return code
        return compile(self.bundle.read(f"{base}.py"), f"{base}.py", "exec", dont_inherit=True)


def _slashes(name: str) -> Iterator[int]:
    end = name.find("/")
    while end >= 0:
        yield end
        end = name.find("/", end + 1)


def _folders(base: str) -> Iterator[str]:
    """Where else a package without an `__init__.py` may have parts: unpacked native code."""
    return filter(os.path.isdir, (f"{entry}/{base}" for entry in sys.path))


def start(archive: str, data: bytes) -> ZipBundle:
    """Make the artifact, of these checked bytes, and Python's library all that can be imported.

    Distributions with native code are unpacked. Where that is refused, says why and exits with 2.
    """
    bundle = ZipBundle(archive, data)
    isolate(archive)
    sys.meta_path.insert(0, Importer(bundle))
    if any(name.startswith(NATIVE) for name in bundle.names()):
        sys.path.insert(1, _unpacked(bundle))
    return bundle


def _unpacked(bundle: ZipBundle) -> str:
    from gxo.runtime.errors import ArtifactError
    from gxo.runtime.unpack import unpack

    try:
        return unpack(bundle)
    except ArtifactError as error:
        hint = f"; {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        sys.exit(2)


def isolate(archive: str) -> None:
    """Take the host's packages off every way to import them, also those loaded before we were.

    What is left of `sys.path` is the archive and the library of this interpreter; finders that the
    host's site-packages have installed go, and so does every module that came from elsewhere.
    """
    library = os.path.dirname(os.__file__)
    extensions = [
        path
        for path in sys.path
        if os.path.basename(path) == "lib-dynload" and path.startswith(sys.base_exec_prefix)
    ]
    sys.path[:] = [archive, library, *extensions]
    sys.pycache_prefix = None
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if getattr(finder, "__module__", "").startswith("_frozen_importlib")
    ]
    ours = (library + os.sep, *(path + os.sep for path in extensions))
    for name, module in list(sys.modules.items()):
        if name not in ("__main__", __name__) and _is_foreign(module, ours):
            del sys.modules[name]


def _is_foreign(module: ModuleType, ours: tuple[str, ...]) -> bool:
    path = getattr(module, "__file__", None)
    if path is None:
        # Built in, or a namespace package that a .pth file has made.
        return hasattr(module, "__path__")
    path = str(path)
    return not path.startswith(ours) or "/site-packages/" in path or "/dist-packages/" in path


def manifest(bundle: Bundle | None) -> dict[str, Any]:
    """What the artifact says about itself; empty when it has no manifest."""
    import json  # start-up: only for events, assets and --describe

    try:
        found: dict[str, Any] = json.loads(bundle.read(MANIFEST)) if bundle else {}
    except FileNotFoundError:
        return {}
    return found
