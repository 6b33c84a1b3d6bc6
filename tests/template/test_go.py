"""What Go prints, gxo prints: random templates over random data."""

import subprocess
from base64 import b64decode
from typing import Any

from hypothesis import HealthCheck, given, settings

from gxo.runtime.regex.scripts import script
from tests.template.evaluator import evaluate
from tests.template.generated import DATA, ON_PURPOSE, STRICTER, TEMPLATES
from tests.tools.go_oracle.oracle import HERE, Oracle


def test_scripts_are_those_of_go(oracle: Oracle) -> None:
    program = HERE / "scripts/main.go"
    printed = subprocess.run(["go", "run", program], capture_output=True, text=True, check=True)
    for line in printed.stdout.splitlines():
        name, *words = line.split()
        pairs = [word.split("-") for word in words]
        assert script(name) == tuple((int(pair[0], 16), int(pair[-1], 16)) for pair in pairs)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEMPLATES, DATA)
def test_gxo_gives_what_go_gives(oracle: Oracle, template: str, data: Any) -> None:
    expected = oracle.ask(template, data)
    outcome = evaluate(template, data)
    if not outcome.ok:
        # what no data could make succeed may be refused when compiling
        as_in_go = not expected["ok"] and outcome.error in (expected["error"], "parse")
        assert as_in_go or STRICTER.search(outcome.message), expected
    elif expected["ok"]:
        output = outcome.output.encode("utf-8", "surrogateescape")
        assert output == b64decode(expected.get("bytes", ""))
    else:
        assert ON_PURPOSE.search(expected["message"]), outcome.output
