"""What a test playbook's own keys become."""

import pytest

from gxo.compiler.driver import Compilation

WORKLOADS = """\
workloads:
  - name: main
    process: {module: control:assert, params: {condition: "{{ 1 }} == 1"}}
"""
KEYS = """\
secrets: {TOKEN: "it's s3cret"}
allow: {network: ["db:5432"], commands: [gzip]}
expect: Failed
"""
ALL = """\
job = Job(
    "kv.test",
    test=Test(
        secrets={"TOKEN": "it's s3cret"}, network=["db:5432"], commands=["gzip"], expect_failed=True
    ),
)
"""


def head_of(text: str, file: str = "kv.test.gxo.yaml") -> str:
    compilation = Compilation(file)
    assert compilation.read(text.encode()) and compilation.analyse()
    return compilation.stage_text("python").partition("\n\n\n")[0] + "\n"


@pytest.mark.parametrize(
    ("keys", "job"), [("", 'job = Job("kv.test", test=Test())\n'), (KEYS, ALL)], ids=["none", "all"]
)
def test_only_what_is_given_is_written(keys: str, job: str) -> None:
    head = head_of(keys + WORKLOADS)
    assert head.endswith(f"\n\n{job}")
    assert "\nfrom gxo.runtime.testing import Test\n" in head


def test_another_playbook_has_no_test() -> None:
    text = WORKLOADS.replace("main\n", "main\n    lifecycle: {policy: run_once}\n")
    assert "Test" not in head_of(text, "kv.gxo.yaml")
