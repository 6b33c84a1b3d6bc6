"""Objects in whole jobs: the examples of the documentation, and an artifact with what it is linked with."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gxo.cli.main import main as gxo
from gxo.compiler.driver import Compilation
from gxo.runtime.main import main
from tests.modules.test_examples import playbook
from tests.reports import read_report
from tests.services.moto import Moto
from tests.stdlib.harness import module_spec

LINKED = {"anyio", "certifi", "h11", "httpcore", "httpx", "idna", "sniffio"}
VERBS = ["put_object", "get_object", "list_objects", "delete_object"]


@pytest.fixture
def environment(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket of the examples, and who may use it; gives the secret."""
    status, body = moto.ask("PUT", "/backups")
    assert status == 200, body
    moto.ask("PUT", "/backups/db/today.dump", b"today")
    moto.ask("PUT", "/backups/db/yesterday.dump", b"yesterday")
    secret = moto.keys["admin"]["secret_access_key"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.keys["admin"]["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    return secret


def here(text: str, moto: Moto) -> str:
    """The playbook with moto's address instead of Amazon's."""
    assert "region: eu-west-1" in text
    return text.replace("region: eu-west-1", f"endpoint: {moto.endpoint}")


@pytest.mark.parametrize("verb", VERBS)
def test_an_example(verb: str, moto: Moto, environment: str, tmp_path: Path) -> None:
    text = here(playbook(module_spec(f"object_storage:{verb}"), is_test=False), moto)
    text = text.replace("  process:", "  register: it\n  process:", 1)
    (tmp_path / "today.dump").write_text("today's")
    compilation = Compilation("example.gxo.yaml")
    valid = compilation.read(text.encode()) and compilation.analyse()
    assert valid, [(one.code, one.message) for one in compilation.diagnostics.sorted()]
    names: dict[str, Any] = {}
    exec(compile(compilation.generate(pretty=False).text, "gxo_job.py", "exec"), names)
    report = tmp_path / "report.json"
    options = ["--workspace", str(tmp_path), "--log-level", "error", "--report", str(report)]
    assert main(names["job"], None, options) == 0
    [result] = read_report(report)["workload_results"].values()
    expected = {"count": 2} if verb == "list_objects" else {"changed": True}
    assert result["summary"] | expected == result["summary"]
    assert environment not in report.read_text()


def test_an_artifact_holds_what_it_needs_and_keeps_its_secret(
    moto: Moto, environment: str, tmp_path: Path
) -> None:
    source, artifact = tmp_path / "job.gxo.yaml", tmp_path / "job.pyz"
    text = here(playbook(module_spec("object_storage:put_object"), is_test=False), moto)
    source.write_text(text.replace("source: today.dump", "content: hello"))
    assert gxo(["compile", str(source), "-o", str(artifact)]) == 0
    names = zipfile.ZipFile(artifact).namelist()
    linked = {name.split("/")[0] for name in names if "/" in name and "-" not in name}
    assert linked - {"_gxo", "gxo"} == LINKED
    for wrong in (False, True):
        variables = dict(os.environ)
        if wrong:
            variables["AWS_SECRET_ACCESS_KEY"] = environment[::-1]
        command = [sys.executable, "-I", str(artifact), "--workspace", str(tmp_path)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert done.returncode == (1 if wrong else 0), done.stderr
        assert variables["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    assert "refuses the secret key, for object 'db/today.dump' in bucket 'backups'" in done.stderr
    assert moto.ask("GET", "/backups/db/today.dump")[1] == b"hello"
