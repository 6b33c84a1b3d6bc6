"""What a compiled job links against: the names that generated code may use, and nothing more.

A name's file is loaded when the name is first used, so that a job pays only for what it needs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.errors import Unknown
    from gxo.runtime.job import Input, Job, Loop, Retry
    from gxo.runtime.kernel.state import deep_copy
    from gxo.runtime.lifecycles import Backoff, EventDriven, Scheduled, Supervise
    from gxo.runtime.pipelines.steps import Event, Results, Steps
    from gxo.runtime.spec import Record
    from gxo.runtime.streams.copies import copies_of
    from gxo.runtime.streams.pipes import Channel
    from gxo.runtime.streams.ports import Inputs, Out, Records
    from gxo.runtime.streams.stages import Stage

__all__ = [
    "Backoff",
    "Channel",
    "Context",
    "Event",
    "EventDriven",
    "Input",
    "Inputs",
    "Job",
    "Loop",
    "Out",
    "Record",
    "Records",
    "Results",
    "Retry",
    "Scheduled",
    "Stage",
    "Steps",
    "Supervise",
    "Unknown",
    "copies_of",
    "deep_copy",
]

_FILES = {
    "Backoff": "lifecycles",
    "Channel": "streams.pipes",
    "Context": "context",
    "Event": "pipelines.steps",
    "EventDriven": "lifecycles",
    "Input": "job",
    "Inputs": "streams.ports",
    "Job": "job",
    "Loop": "job",
    "Out": "streams.ports",
    "Record": "spec",
    "Records": "streams.ports",
    "Results": "pipelines.steps",
    "Retry": "job",
    "Scheduled": "lifecycles",
    "Stage": "streams.stages",
    "Steps": "pipelines.steps",
    "Supervise": "lifecycles",
    "Unknown": "errors",
    "copies_of": "streams.copies",
    "deep_copy": "kernel.state",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module 'gxo.runtime' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"gxo.runtime.{_FILES[name]}"), name)
    globals()[name] = value
    return value
