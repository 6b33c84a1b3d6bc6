"""Every example in a module's documentation is a workload that compiles and runs as it stands."""

import contextlib
import gzip
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.driver import Compilation
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.modules.spec import ModuleSpec
from gxo.runtime.main import main

RECORD = {
    "team": "core",
    "age": 36,
    "mount": "/",
    "id": 1,
    "name": "Ada",
    "status": "active",
    "items": [{"sku": "a"}, {"sku": "b"}],
}
"""What an example's producers send: the fields that examples read."""

OPENS = {".store.": "connection:open", ".web.": "ssh:connect"}
"""The modules whose examples register what examples about connections read."""

REFUSED = {
    "name": "refused",
    "lifecycle": {"policy": "run_once"},
    "process": {
        "module": "control:identity",
        "params": {"records": [{"request_id": "http-1"}]},
    },
    "register": "refused",
}
"""Registers records that an example goes through."""

SECRETS = {
    "BACKUP_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "VAULT_PASSWORD": "open-sesame",
    "RELEASE_KEY": """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEghbrxUobMr7spkkt6pX6eddHqYl4kHI79CvRWaqTXl
-----END PRIVATE KEY-----
""",
}
"""The secrets that examples read."""

COMMANDS, HOSTS = ["df", "echo"], ["api.example.com:443"]
"""The programs that examples run, and the hosts that they name."""

SPECS = Library(standard_roots(), Diagnostics()).all()


FILE = "example.test.gxo.yaml"
"""Where all modules may be: a test playbook."""


def playbook(spec: ModuleSpec, *, is_test: bool = True) -> str:
    """The example, after a producer for each stream that it reads.

    is_test: it is for a test playbook, which has to say what the example may reach.
    """
    example = yaml.safe_load(spec.doc.example)
    producers = [
        {
            "name": name,
            "lifecycle": {"policy": "run_once"},
            "process": {"module": "data:generate_from_list", "params": {"items": [RECORD]}},
        }
        for name in example.get("stream_inputs", [])
    ]
    for read, name in OPENS.items():
        if read in spec.doc.example:
            [opens] = [yaml.safe_load(one.doc.example) for one in SPECS if one.name == name]
            producers.append(opens)
    if ".refused." in spec.doc.example:
        producers.append(REFUSED)
    reach = {"secrets": SECRETS, "allow": {"commands": COMMANDS, "network": HOSTS}}
    head = {
        "name": "example",
        "schemaVersion": "v1.0.0",
        **(reach if is_test else {}),
        "workloads": producers,
    }
    body = "\n".join("  " + line for line in spec.doc.example.splitlines())
    return yaml.safe_dump(head, sort_keys=False).removesuffix("[]\n").rstrip() + f"\n-\n{body}\n"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_an_example_is_valid(spec: ModuleSpec) -> None:
    compilation = Compilation(FILE)
    text = playbook(spec)
    assert compilation.read(text.encode()) and compilation.analyse(), [
        (item.span.line, item.message) for item in compilation.diagnostics.sorted()
    ]


def orders() -> bytes:
    """A database of SQLite."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE orders AS SELECT 1 AS id, 250 AS total")
        return database.serialize()


FILES: dict[str, dict[str, str | bytes]] = {
    "database:query": {"orders.db": orders()},
    "filesystem:read": {"motd.txt": "welcome\n"},
    "filesystem:list": {"logs/a.log": "", "logs/b.txt": ""},
    "filesystem:archive": {"logs/a.log": ""},
    "filesystem:copy": {"app.conf": ""},
    "filesystem:extract": {"release.tar.gz": gzip.compress(bytes(1024))},
    "crypto:encrypt": {"dump.sql.gz": ""},
    "crypto:hash": {"release.tar.gz": ""},
    "crypto:sign": {"release.tar.gz": ""},
    "crypto:verify": {"release.txt": "hello"},
    "vault:encrypt": {"vars.yml": "token: abc"},
}
"""What an example finds in its workspace."""

BEFORE = {"crypto:decrypt": "crypto:encrypt", "vault:decrypt": "vault:encrypt"}
"""Examples that go on with what another one has made."""

ELSEWHERE = ("http:", "connection:", "dns:", "ssh:", "object_storage:")
"""Namespaces whose examples need a server, and are run with one."""


@pytest.mark.parametrize(
    "spec",
    [spec for spec in SPECS if not spec.name.startswith(ELSEWHERE) and not spec.pauses],
    ids=lambda spec: spec.name,
)
def test_an_example_runs(spec: ModuleSpec, tmp_path: Path) -> None:
    [before] = [one for one in SPECS if one.name == BEFORE.get(spec.name, spec.name)]
    for one in {before.name: before, spec.name: spec}.values():
        run_example(one, tmp_path)


def run_example(spec: ModuleSpec, folder: Path) -> None:
    for name, content in FILES.get(spec.name, {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    compilation = Compilation(FILE)
    assert compilation.read(playbook(spec).encode()) and compilation.analyse()
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    assert main(names["job"], None, ["--workspace", str(folder), "--log-level", "error"]) == 0
