"""Compiles a template and runs it in this process, with the code of `gxo eval`.

The dot is a value of unknown type; `secret` and `env` answer as the conformance README says.
"""

import copy
from typing import Any

from gxo.cli.evaluate import FakeContext, Outcome, rendered


class StoppedClock(FakeContext):
    def now(self) -> str:
        return "2024-05-06T07:08:09Z"


def evaluate(text: str, data: Any) -> Outcome:
    """Compile and render."""
    return rendered(text, copy.deepcopy(data), StoppedClock())
