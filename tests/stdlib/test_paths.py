"""Every parameter of the library that is a path, and every path that could lead out: paths.yaml."""

import os
import stat
import tarfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.types import ListOf, OneOf, Shape, Special, Type
from gxo.runtime.errors import ModuleError, ParameterError, SecurityError
from tests.stdlib.harness import Outcome, bench, library, module_spec, run
from tests.stdlib.http.server import serving
from tests.stdlib.ssh.jobs import Caller, login

# PyYAML's own loader in Python: the one in C takes no lone surrogate.
TABLE = yaml.safe_load(Path(__file__).with_name("paths.yaml").read_text(encoding="utf-8"))


SEALED = "KPdvQzPIo8nnwtZDOpyWIARpLejqt7ASH/4Jn8sRPUg1YNrMnM2T/p64BHj1qdbxzlo24TD1INbjx1hBE9Z4"
"""`changed`, as `crypto:encrypt` writes it under a key in the table."""

VAULTED = """\
$ANSIBLE_VAULT;1.1;AES256
66393562336332623433386230626162653363663964303762663330643135623532626462653939
3932663032303635613661333665643734396131353565620a623365326237306462666138646139
36333439663665663535626335653561383861373632366436376231376434616662396439366438
3466363338666462390a633733613863303630323638343736373763663633396564353233633061
6332
"""
"""`changed`, as `vault:encrypt` writes it."""


def paths(name: str, kind: Type) -> Iterator[str]:
    """The parameter, and keys of the maps in it, as far as they are paths."""
    match kind:
        case OneOf(options):
            for option in options:
                yield from paths(name, option)
        case ListOf(item):
            yield from paths(name, item)
        case Shape(fields=fields):
            for key, item in fields:
                yield from paths(f"{name}.{key}", item)
        case Special("WorkspacePath"):
            yield name


def test_every_path_parameter_of_the_library_is_in_the_table() -> None:
    declared = {
        f"{spec.name} {path}"
        for spec in library().all()
        for param in spec.params
        for path in paths(param.name, param.type)
    }
    assert TABLE["parameters"].keys() == declared


@pytest.fixture
def world(tmp_path: Path) -> Path:
    for folder in ("ws/dir", "ws2", "folder"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("secret", "ws2/file", "folder/file"):
        (tmp_path / file).write_text("outside")
    for file in ("ws/file", "ws/dir/file"):
        (tmp_path / file).write_text("inside")
    (tmp_path / "ws/sealed").write_bytes(b64decode(SEALED))
    (tmp_path / "ws/vaulted").write_text(VAULTED)
    os.link(tmp_path / "secret", tmp_path / "ws/hard")
    os.mkfifo(tmp_path / "ws/pipe")
    os.mknod(tmp_path / "ws/socket", stat.S_IFSOCK | 0o600)
    with suppress(PermissionError):
        os.mknod(tmp_path / "ws/null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    with tarfile.open(tmp_path / "ws/dir.tar", "w") as archive:
        archive.add(tmp_path / "ws/dir", "dir")
    links = {
        "out": "../secret",
        "outdir": "..",
        "abs": tmp_path / "secret",
        "twice": "out",
        "dir/far": "../../secret",
        "absdir": tmp_path / "folder",
        "root": "/proc/self/root",
        "loop": "loop",
        "cwd": "/proc/self/cwd",
    }
    for link, target in links.items():
        (tmp_path / "ws" / link).symlink_to(target)
    return tmp_path


def around(world: Path) -> dict[str, bytes | None]:
    """What lies around the workspace."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in world.rglob("*")
        if world / "ws" not in (path, *path.parents)
    }


def filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        for word, meaning in words.items():
            value = value.replace(f"{{{word}}}", meaning)
    if isinstance(value, list):
        return [{key: filled(item, words) for key, item in each.items()} for each in value]
    return value


def call(name: str, path: str, world: Path, request: pytest.FixtureRequest) -> Outcome:
    module, parameter = name.split()
    entry = TABLE["parameters"][name]
    sshd = request.getfixturevalue("sshd") if entry.get("connects") else None

    async def play() -> Outcome:
        async with bench(world / "ws") as workbench:
            with serving({path: {"body": "changed"} for path in ("/a", "/bkt/a")}) as server:
                server_url = f"http://127.0.0.1:{server.server_address[1]}"
                words = {"server": server_url, "path": path}
                params = {key: filled(value, words) for key, value in entry["params"].items()}
                if "." not in parameter:
                    params[parameter] = path
                if sshd is not None:
                    params["connection_id"] = await Caller(workbench).connect(login(sshd))
                outcome = await workbench.call(module_spec(module), params, entry.get("streams"))
                await workbench.run.shared.close()
            return outcome

    return run(play())


@pytest.mark.parametrize("attempt", TABLE["attempts"], ids=lambda one: repr(one["path"])[:40])
@pytest.mark.parametrize("name", TABLE["parameters"])
def test_no_path_leads_out(
    name: str, attempt: dict[str, Any], world: Path, request: pytest.FixtureRequest
) -> None:
    if attempt["path"] == "null" and not (world / "ws/null").exists():
        pytest.skip("only root makes devices")
    before = around(world)
    words = {"ws": str(world / "ws"), "world": str(world), "long": "n" * 300, "far": "x/" * 2500}
    path = filled(attempt["path"], words)
    outcome = call(name, path, world, request)
    expected = attempt.get("is") or attempt[TABLE["parameters"][name]["does"]]
    if expected == "fine":
        assert outcome.error is None, outcome.error
    elif expected == "security":
        assert type(outcome.error) is SecurityError, outcome.error
        assert "leads out of the workspace" in outcome.error.message
    else:
        assert type(outcome.error) in (ModuleError, ParameterError), outcome.error
        assert attempt.get("says", "") in str(outcome.error)
        assert len(str(outcome.error)) < 400
    assert around(world) == before
    assert not list((world / "ws").rglob("*.tmp")), "a temporary file is left"
