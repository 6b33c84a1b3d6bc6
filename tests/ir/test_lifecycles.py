"""A lifecycle that a module does not declare; the front end does not let one through yet."""

from dataclasses import replace

from gxo.compiler.codes import Example, complete
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.frontend.playbook import Lifecycle, Playbook
from gxo.compiler.ir.build import build
from gxo.compiler.modules.index import Library, standard_roots


def supervised(module: str) -> Playbook:
    text = f"- name: a\n  process: {{module: {module}, params: {{command: uname, duration: 1s}}}}\n"
    playbook = load_playbook(complete(Example("yaml", text)).encode(), "a.yaml", Diagnostics())
    assert playbook is not None
    [workload] = playbook.workloads
    assert workload.lifecycle is not None
    policy = replace(workload.lifecycle.policy, text="supervise")
    return replace(playbook, workloads=(replace(workload, lifecycle=Lifecycle(policy)),))


def told(playbook: Playbook) -> list[str]:
    diags = Diagnostics()
    build(playbook, Library(standard_roots(), diags), diags)
    return [f"{item.code}: {item.message}" for item in diags.sorted()]


def test_a_lifecycle_is_one_of_those_that_the_module_declares() -> None:
    assert told(supervised("exec")) == []
    message = "control:sleep cannot run with the lifecycle supervise"
    assert told(supervised("control:sleep")) == [f"GXO0510: {message}"]
