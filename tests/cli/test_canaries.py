"""Nothing secret is read when compiling, and nothing that is made holds a secret or the environment.

Canaries stand in the environment, in a folder of secrets, and behind a command that gives secrets and
notes that it was asked. Then every verb runs, and every byte that they leave or say is looked through.
"""

import base64
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.reports import read_report

IN_ENVIRONMENT = "canary+of/the environment 9315"
IN_FOLDER = "canary+of/the folder 2748"
BEHIND_COMMAND = "canary+of/the command 6604"
CANARIES = (IN_ENVIRONMENT, IN_FOLDER, BEHIND_COMMAND)

USES = """\
name: canaries
schemaVersion: v1.0.0
inputs: {who: {default: you}}
vars:
  dsn: "pg://u:{{ secret 'API_TOKEN' }}@h"
  place: "{{ env 'API_REGION' }}"
assets: [note.txt]
workloads:
  - name: ids
    lifecycle: {policy: run_once}
    process:
      module: control:identity
      params: {token: "${API_TOKEN}", region: "{{ env 'API_REGION' }}", dsn: "{{ .dsn }}"}
    register: ids
  - name: use
    lifecycle: {policy: run_once}
    when: '{{ env "API_REGION" != "nowhere" }}'
    process:
      module: exec
      params:
        command: "test -n \\"$TOKEN\\" && echo $TOKEN"
        env: {TOKEN: "{{ .dsn }}", REGION: "{{ .place }}"}
    register: use
"""
WARNS = """\
  - name: shown
    lifecycle: {policy: run_once}
    process:
      module: exec
      params:
        command: echo
        args: ["{{ .ids.token }}", "{{ .dsn }}"]  # gxo: allow GXO0805 to see what is said of it
  - name: shown-again
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: echo, args: ["{{ .ids.token | upper }}{{ .place }}"]}}
"""
FAILS = """\
  - name: broken
    lifecycle: {policy: run_once}
    process: {module: exec, params: {comand: "{{ secret 'API_TOKEN' }}{{ .dns }}{{ env .place }}"}}
"""


@dataclass(frozen=True)
class World:
    """A folder in which everything lies that gxo may write to."""

    folder: Path

    @property
    def asked(self) -> Path:
        """What the command leaves behind that gives secrets."""
        return self.folder / "asked"

    def run(self, *arguments: str) -> tuple[int, bytes]:
        """The exit code, and everything that was said."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "API_TOKEN": IN_ENVIRONMENT,
            "API_REGION": IN_ENVIRONMENT,
            "UNUSED": IN_ENVIRONMENT,
        }
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME", "GXO_WORKSPACES"):
            environment[name] = str(self.folder / "home")
        done = subprocess.run(
            [sys.executable, "-c", "from gxo.cli.main import entry; entry()", *arguments],
            cwd=self.folder / "work",
            env=environment,
            capture_output=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    def made(self) -> Iterator[tuple[str, bytes]]:
        """Every file but those that hold the canaries on purpose."""
        for top in ("home", "work"):
            for path in sorted((self.folder / top).rglob("*")):
                if path.is_file():
                    yield from members(str(path), path.read_bytes())


def members(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file, and if it is a zip what is in it, unpacked."""
    yield name, data
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        return
    with archive:
        for member in archive.namelist():
            yield from members(f"{name}!{member}", archive.read(member))


def forms(canary: str) -> Iterator[bytes]:
    """What a canary may look like: as it is, quoted, in base64 at any alignment, in another case."""
    yield from (canary.encode(), canary.upper().encode(), canary[::-1].encode())
    yield from (
        quote(canary).encode(),
        quote(canary, safe="").encode(),
        canary.encode().hex().encode(),
    )
    yield canary.encode("utf-16-le")
    for shift in range(3):
        padded = base64.b64encode(b"x" * shift + canary.encode())
        yield padded[4 if shift else 0 : -4]


def check(name: str, data: bytes, canaries: tuple[str, ...] = CANARIES) -> None:
    for canary in canaries:
        for form in forms(canary):
            assert form not in data, f"{canary!r} is in {name}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    for name in ("home", "work", "secrets"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "secrets" / "API_TOKEN").write_text(IN_FOLDER)
    script = tmp_path / "provider"
    script.write_text(f"#!/bin/sh\ntouch '{tmp_path}/asked'\nprintf '%s' '{BEHIND_COMMAND}'\n")
    script.chmod(0o755)
    (tmp_path / "work" / "note.txt").write_text("an asset\n")
    (tmp_path / "work" / "p.gxo.yaml").write_text(USES)
    (tmp_path / "work" / "warns.gxo.yaml").write_text(USES + WARNS)
    (tmp_path / "work" / "fails.gxo.yaml").write_text(USES + FAILS)
    return World(tmp_path)


COMPILING = [
    (0, "validate p.gxo.yaml"),
    (0, "validate warns.gxo.yaml"),
    (1, "validate --deny-warnings warns.gxo.yaml"),
    *(
        (1, f"validate --output {form} fails.gxo.yaml")
        for form in ("text", "json", "sarif", "github")
    ),
    *(
        (0, f"compile --emit {stage} warns.gxo.yaml")
        for stage in ("ast", "plan", "python", "manifest")
    ),
    (0, "compile --dump after:check_flows --dump after:copy_state warns.gxo.yaml -o dumped.pyz"),
    (0, "compile warns.gxo.yaml -o job.pyz"),
    (0, "compile -O0 --native p.gxo.yaml -o plain.pyz"),
    (1, "compile fails.gxo.yaml"),
    (0, "explain GXO0805"),
    (0, "schema --full"),
    (0, "modules exec"),
]


def test_compiling_reads_no_secret_and_tells_none(world: World) -> None:
    for status, line in COMPILING:
        ended, said = world.run(*line.split())
        assert ended == status, (line, said.decode())
        check(line, said)
    found = dict(world.made())
    assert any(name.endswith("job.pyz!_gxo/manifest.json") for name in found)
    for name, data in found.items():
        check(name, data)
    assert not world.asked.exists()


@pytest.mark.parametrize("provider", ["env", "dir:../secrets", "exec:../provider"])
def test_running_keeps_them_out_of_cache_and_report(provider: str, world: World) -> None:
    for name in ("p.gxo.yaml", "warns.gxo.yaml", "p.gxo.yaml"):
        written = "--report report.json --report-html page.html --events events"
        ended, said = world.run("run", name, "--secrets", provider, *written.split())
        assert ended == 0, said.decode()
        read_report(world.folder / "work" / "report.json")
        check(f"run {name}", said)
    found = dict(world.made())
    assert any("gxo_job.py" in name for name in found), "the cache of `gxo run` is not looked at"
    for name, data in found.items():
        told = name.endswith(
            ("report.json", "page.html", "events")
        )  # they hold results, and no secrets
        check(name, data, (IN_FOLDER, BEHIND_COMMAND) if told else CANARIES)
    assert world.asked.exists() == provider.startswith("exec")


@pytest.mark.parametrize(
    "template", ["{{ secret 'API_TOKEN' }}", "{{ .x }}{{ fail (secret 'API_TOKEN') }}"]
)
def test_eval_has_no_secrets(template: str, world: World) -> None:
    _, said = world.run("eval", template)
    check(f"eval {template}", said)
    assert not world.asked.exists()


def test_a_canary_would_be_found(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", b"a" * 1000 + base64.b64encode(b"ab" + IN_FOLDER.encode()))
    with pytest.raises(AssertionError, match=r"in job\.pyz!inner"):
        for name, data in members("job.pyz", packed.getvalue()):
            check(name, data)
