"""What a job touches outside its process, one fact at a time, as the manifest lists it.

process: {module: exec, params: {command: df, args: [-P]}}
Effect("commands", "df", detail="df -P", workload="disks", module="exec")
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

EffectKind = Literal[
    "commands",  # programs, and lines for a shell
    "remote_commands",  # what other hosts are told to run
    "hosts",  # names and addresses that are connected to
    "ports",  # the same with the port: `db-1:5432`
    "listens",  # addresses at which connections are taken
    "lookups",  # names that a name server is asked for
    "reads",  # files and folders
    "writes",
    "outputs",  # files that are copied out of the workspace
    "remote_paths",  # files on other hosts
    "buckets",  # of an object storage
    "sql",  # statements
    "secrets",  # names
    "environment",  # names of variables
    "distributions",  # third-party code
    "code",  # the user's own modules
]

KINDS: tuple[EffectKind, ...] = get_args(EffectKind)


@dataclass(frozen=True, slots=True, order=True)
class Effect:
    """One thing that a job touches.

    what: a literal text, such as the program; of a `dynamic` one, which only the run knows, the
    expression that computes it. detail: more of it where there is more, such as the command's whole
    line, an address, or the hash of code. expression: of what is not dynamic, and yet what somebody
    who starts the job can change by `--var`: how it is computed. workload: the one that does it, ""
    for the job itself. module: the module that does it, "" for a template.
    """

    kind: EffectKind
    what: str
    dynamic: bool = False
    detail: str = ""
    expression: str = ""
    workload: str = ""
    module: str = ""


class Capability(NamedTuple):
    """An effect without who has it: what a comparison looks at."""

    kind: EffectKind
    what: str
    dynamic: bool
    detail: str
    expression: str


def capabilities(effects: Iterable[Effect]) -> Mapping[Capability, tuple[Effect, ...]]:
    """Each capability with the effects that make it one, sorted as they are printed."""
    found: dict[Capability, list[Effect]] = {}
    for effect in effects:
        key = Capability(effect.kind, effect.what, effect.dynamic, effect.detail, effect.expression)
        found.setdefault(key, []).append(effect)
    return {key: tuple(sorted(found[key])) for key in sorted(found)}
