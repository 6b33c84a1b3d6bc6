"""The examples of the documentation, run with a real host."""

from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import Compilation
from gxo.runtime.main import main
from tests.modules.test_examples import playbook
from tests.services.openssh import SshServer
from tests.stdlib.harness import library, module_spec

MODULES = [name for name in library().names() if name.startswith("ssh:")]


@pytest.fixture
def workspace(sshd: SshServer, tmp_path: Path) -> Path:
    """What the examples find here and there."""
    (tmp_path / "known_hosts").write_text(sshd.known_hosts)
    (tmp_path / "facts.sh").write_text('#!/bin/sh\necho "$@"')
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("hello")
    (sshd.temporary.parent / "logs").mkdir(exist_ok=True)
    (sshd.temporary.parent / "logs" / "app.log").write_text("started\n")
    return tmp_path


@pytest.mark.parametrize("name", MODULES)
def test_an_example(
    name: str, sshd: SshServer, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = playbook(module_spec(name), is_test=False)
    for written, real in (
        ("port: 2222", f"port: {sshd.port}"),
        ("user: deploy", f"user: {sshd.user}"),
        ("/var/log/app", f"{sshd.temporary.parent}/logs"),
    ):
        text = text.replace(written, real)
    compilation = Compilation("example.gxo.yaml")
    valid = compilation.read(text.encode()) and compilation.analyse()
    assert valid, [(one.code, one.message) for one in compilation.diagnostics.sorted()]
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    monkeypatch.setenv("DEPLOY_KEY", sshd.private_key)
    options = ["--workspace", str(workspace), "--log-level", "error"]
    assert main(names["job"], None, options) == 0
    if name == "ssh:download":
        assert (workspace / "logs" / "web" / "app.log").read_text() == "started\n"
