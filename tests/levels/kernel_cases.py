"""The cases of the kernel as playbooks: what a workload does are the steps of `script:do`.

    a: {after: [b], loop: [1, 2], do: [sleep_item], timeout: 5}

    - {name: a, needs: [b], loop: [1, 2], timeout: 5s, lifecycle: {policy: run_once},
       process: {module: script:do, params: {steps: [sleep_item], item: "{{ .item }}", ...}}}

Left out are cases that no playbook can say: Python where the language has none, and settings that the
compiler decides (what runs in the background, what spills, which secrets a workload has).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "runtime" / "kernel" / "cases"

Part = dict[str, Any]

SAME = ("register", "ignore_errors", "on_record_error")
BY_THE_COMPILER = {"background", "spills", "secrets", "takes"}
ONLY_IN_PYTHON = ("secret", "note", "in_task", "act_on_item")
TEMPLATES = (
    (r"ctx\.state\['(\w+)'\]\['(\w+)'\]", r".\1.\2"),
    (r"ctx\.state\.get\('(\w+)'\)", r"(default nil .\1)"),
    (r"ctx\.workloads\['(\w+)'\]\.summary\['(\w+)'\]", r"._gxo.workloads.\1.summary.\2"),
    (r"ctx\.workloads\['(\w+)'\]\.(\w+)", r"._gxo.workloads.\1.\2"),
    (r"ctx\.(status|failure\.workload)", r"._gxo.\1"),
    (r" and ", " && "),
    (r" or ", " || "),
    (r"\bnot ", "!"),
    (r"\b(True|False)\b", lambda found: found[1].lower()),
)


REFUSED = {
    "loops/over something else",
    "loops/a failure upstream is no item's fault",
    "order/a cycle that the compiler should have found is told, not waited for",
    "retry/a module that can go on after records is retried",
}
"""Cases in which the compiler finds a mistake."""


class NoPlaybook(Exception):
    """The case is one that no playbook can say."""


def kernel_cases() -> Iterator[tuple[str, Part, Part]]:
    """The name of each case that a playbook can say, the case, and the playbook."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if f"{path.stem}/{name}" in REFUSED:
                continue
            try:
                yield f"{path.stem}/{name}", case, _playbook(case)
            except NoPlaybook:
                continue


def _playbook(case: Part) -> Part:
    if case.keys() & {"secrets", "environment"}:
        raise NoPlaybook
    made: Part = {
        key: given for key in ("inputs", "vars") if (given := _plain(case.get(key))) is not None
    }
    made["workloads"] = [
        _workload(name, given or {}) | {"lifecycle": {"policy": "run_once"}}
        for name, given in case["workloads"].items()
    ]
    if "finally" in case:
        made["finally"] = [_workload(*one) for one in case["finally"].items()]
    return made


def _workload(name: str, given: Part | None) -> Part:
    given = given or {}
    if given.keys() & BY_THE_COMPILER:
        raise NoPlaybook
    made: Part = {"name": name, "process": _process(given)}
    made |= {key: given[key] for key in SAME if key in given}
    if "after" in given:
        made["needs"] = given["after"]
    if reads := [*given.get("records", ()), *given.get("inputs", ())]:
        made["stream_inputs"] = reads
    if (when := _when(given)) is not None:
        made["when"] = when
    if "loop" in given:
        loop = given["loop"]
        is_python = isinstance(loop, str) and loop.startswith("=")
        made["loop"] = _template(loop[1:]) if is_python else loop
        made["loop_control"] = {"parallel": given.get("parallel", 1)}
    if "timeout" in given:
        made["timeout"] = f"{given['timeout']}s"
    if "retry" in given:
        made["retry"] = _retry(given["retry"])
    if "channel" in given:
        words = {"overflow": "overflow_strategy"}
        made["channel_policy"] = {words.get(key, key): one for key, one in given["channel"].items()}
    if given.get("skip_on_no_input"):
        made["workload_policy"] = {"skip_on_no_input": True}
    if "on_failure" in given:
        made["on_failure"] = [_workload(*one) for one in given["on_failure"].items()]
    return made


def _process(given: Part) -> Part:
    steps = given.get("do", [])
    if any(step.split()[0] in ONLY_IN_PYTHON for step in steps):
        raise NoPlaybook
    if "inputs" in given:
        return {"module": "script:read", "params": {"steps": steps}}
    params: Part = {"steps": steps}
    if "loop" in given:
        params |= {"item": "{{ .item }}", "label": "{{ .item | toJson | upper }}"}
    return {"module": "script:do", "params": params}


def _when(given: Part) -> Any:
    """Its condition; one that observes others must ask for their status."""
    observed = " && ".join(
        f"._gxo.workloads.{name}.status != 'Running'" for name in given.get("observes", ())
    )
    if "when" not in given:
        return f"{{{{ {observed} }}}}" if observed else None
    return _template(given["when"])


def _template(python: str) -> Any:
    """An expression of the case in the language of templates."""
    if python in ("True", "False"):
        return python == "True"
    text = python
    for before, after in TEMPLATES:
        text = re.sub(before, after, text)
    if re.search(r"ctx|_ for|\bNone\b|[{}\[\]]", text):
        raise NoPlaybook
    return f"{{{{ {text} }}}}"


def _retry(given: Part) -> Part:
    words = {"backoff": "backoff_factor"}
    made = {words.get(key, key): value for key, value in given.items()}
    for key in ("delay", "max_delay"):
        if key in made:
            made[key] = f"{made[key]}s"
    return made


def _plain(given: Part | None) -> Part | None:
    if given and any(isinstance(one, str) and one.startswith("=") for one in given.values()):
        raise NoPlaybook
    return given
