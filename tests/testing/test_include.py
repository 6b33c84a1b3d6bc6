"""`include`: what of the playbook's run a test sees, by the cases in `include.yaml`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services.process import free_port
from tests.testing.support import Ran, compiled, run, write

CASES = yaml.safe_load((Path(__file__).parent / "include.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("optimize", [True, False], ids=["O1", "O0"])
@pytest.mark.parametrize("name", CASES)
def test_include(
    name: str, optimize: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    if "PORT" in case["test"]:
        case = case | {"test": case["test"].replace("PORT", str(free_port()))}
    compilation = compiled(write(tmp_path, case), optimize=optimize)
    warned = [item.message for item in compilation.diagnostics.sorted()]
    assert warned == case.get("warnings", [])
    ran = run(compilation, tmp_path, case.get("options", []))
    log = capsys.readouterr().err
    assert ran.exit_code == case.get("exit", 0), log
    place = 0
    for line in case.get("log", []):
        place = log.find(line, place)
        assert place >= 0, f"{line!r} is not there, or not after the others:\n{log}"
    for text in case.get("not in the log", []):
        assert text not in log
    for path, wanted in case.get("included", {}).items():
        assert found(ran, path) == wanted, path


def found(ran: Ran, path: str) -> Any:
    value = ran.included
    for name in path.split("."):
        value = value.get(name, "(not there)")
    return value
