"""What a template in a step of a `stream:pipeline` can name (language, section 7).

    .fetch.body     the result of the step `fetch`, if this step needs it, directly or not
    .attempts       a field of the record that the step works on, else of the event, else outer

Where the fields of a record are known it is not asked for others, so the generated code looks only
where a name can be.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from gxo.compiler.template import ast
from gxo.compiler.types import Shape


@dataclass(frozen=True, slots=True)
class RecordNames:
    """The fields of one record; `python` is its name in generated code."""

    python: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name that means something elsewhere in the pipeline means nothing here."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class StepNames:
    """What a step sees besides the playbook's names.

    ids: of all steps of its pipeline; find: the result of one, or why it cannot be read here.
    records: those whose fields it reads, innermost first; the dot alone is the first one. why_not:
    the hint when a name means nothing here.
    """

    ids: Collection[str]
    find: Callable[[str], ast.Root | Refusal]
    records: tuple[RecordNames, ...] = ()
    why_not: str | None = None

    def seen(self) -> list[str]:
        """The ids of the steps whose results can be read."""
        return [name for name in self.ids if isinstance(self.find(name), ast.Root)]

    def certain(self, name: str) -> bool:
        """Whether a record is known to have the field."""
        return any(record.shape.requires(name) for record in self.records)
