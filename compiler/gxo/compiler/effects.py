"""What a job touches outside its process, one fact at a time, as the manifest lists it.

process: {module: exec, params: {command: df}}
Effect("commands", "df", workload="disks", module="exec")
"""

from dataclasses import dataclass
from typing import Literal, get_args

EffectKind = Literal["commands", "hosts", "reads", "writes", "listens", "secrets", "environment"]

KINDS: tuple[EffectKind, ...] = get_args(EffectKind)


@dataclass(frozen=True, slots=True, order=True)
class Effect:
    """One thing that a job touches.

    what: a literal text, such as the command; of a `dynamic` one, which only the run knows, the
    expression that computes it. workload: the one that does it, "" for the job's own vars.
    module: the module that does it, "" for a template.
    """

    kind: EffectKind
    what: str
    dynamic: bool = False
    workload: str = ""
    module: str = ""
