"""The quick check of a playbook's form and jsonschema agree on every value."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.frontend import schema
from gxo.compiler.frontend.schema_check import checker

SCHEMA = json.loads(schema.schema_text())
STEP = {
    "id": "big",
    "uses": "data:filter",
    "needs": ["a"],
    "when": True,
    "with": {"condition": "x"},
}
PLAYBOOK = {
    "name": "demo",
    "schemaVersion": "v1.0.0",
    "inputs": {"limit": {"type": "int", "default": 3, "enum": [3, 4], "description": "", "secret": False}},
    "vars": {"page": 1},
    "assets": ["hosts.csv"],
    "outputs": ["out/*"],
    "state_policy": {"access_mode": "deep_copy"},
    "channel_policy": {"buffer_size": 3, "overflow_strategy": "block"},
    "workload_policy": {"skip_on_no_input": True},
    "security_context": {"allow_paths": [{"path": "/srv", "access": "ro"}]},
    "workloads": [
        {
            "name": "a",
            "lifecycle": {"policy": "run_once"},
            "process": {"module": "exec", "params": {"command": "uname"}},
            "register": "out",
            "when": "{{ .limit }} > 2",
            "loop": [1, 2],
            "loop_control": {"loop_var": "x", "parallel": 2, "index_var": "i"},
            "retry": {"attempts": 2, "delay": "1s", "max_delay": "1m", "backoff_factor": 1.5, "jitter": 0.5},
            "timeout": "3s",
            "ignore_errors": True,
            "on_record_error": "skip",
            "on_failure": [{"name": "undo", "process": {"module": "exec"}}],
        },
        {
            "name": "b",
            "lifecycle": {"policy": "supervise", "restart": "never", "backoff": {"initial": "1s", "factor": 2}},
            "process": {"module": "stream:pipeline", "params": {"steps": [STEP]}},
            "needs": ["a"],
            "stream_inputs": ["a", "a.errors"],
        },
        {
            "name": "c",
            "lifecycle": {"policy": "event_driven", "source": "b", "concurrency": 3},
            "process": {"module": "exec", "params": None},
        },
        {
            "name": "d",
            "lifecycle": {"policy": "scheduled", "cron": "@hourly", "overlap": "skip"},
            "process": {"module": "exec"},
        },
    ],
    "finally": [{"name": "tidy", "process": {"module": "exec"}}],
}  # fmt: skip
WORDS = sorted(
    {name for one in SCHEMA["$defs"].values() for name in one.get("properties", ())}
    | {"tasks", "workloads", "run_once", "scheduled", "event_driven", "stream:pipeline", "", "a b"}
    | {"string", "block", "1s", "-1s", "v1.0.0", "v2.0.0", "a\n", "a.errors", "never"}
)
SCALARS = st.sampled_from([None, True, False, 0, 1, -1, 0.5, 1.0, 2.5, *WORDS])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each map and list in the value with each of its keys, the outer ones first."""
    found = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(item, dict | list):
            found += places(item)
    return found


def test_a_playbook_fits() -> None:
    assert schema._fits()(PLAYBOOK)


@given(st.data())
def test_the_quick_check_says_what_jsonschema_says(data: st.DataObject) -> None:
    playbook = copy.deepcopy(PLAYBOOK)
    for _ in range(data.draw(st.integers(0, 2))):
        inside, key = data.draw(st.sampled_from(places(playbook)))
        change = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            inside[key] = data.draw(VALUES)
        elif change == "remove":
            inside.pop(key)
        elif isinstance(inside, dict):
            inside[data.draw(st.sampled_from(WORDS))] = data.draw(VALUES)
        else:
            inside.append(data.draw(VALUES))
    assert schema._fits()(playbook) == schema._validator().is_valid(playbook), playbook


@given(VALUES)
def test_of_any_value_too(value: Any) -> None:
    assert schema._fits()(value) == schema._validator().is_valid(value)


def test_a_keyword_that_is_not_known_is_no_permission() -> None:
    with pytest.raises(KeyError, match="maxItems"):
        checker({"type": "array", "maxItems": 3})
