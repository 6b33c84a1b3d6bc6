"""`data:map`: each record becomes another one."""

from collections.abc import Callable
from typing import Any, TypedDict

from gxo.runtime.context import Context
from gxo.runtime.errors import ParameterError
from gxo.runtime.spec import Each, FieldName, Record, module
from gxo.runtime.streams.ports import Out, Records
from gxo.stdlib.data._batches import Paced, deliver


class Mapped(TypedDict):
    """records: how many were made."""

    records: int


@module(
    "data:map",
    per_record=True,
    sends=["template", "fields"],
    keeps="keep",
    drops="drop",
    inline=True,
)
async def map_(
    ctx: Context,
    records: Records,
    out: Out | None,
    *,
    template: Each[Record] | None = None,
    fields: dict[str, Each[Any]] | None = None,
    keep: bool = False,
    drop: list[FieldName] | None = None,
) -> Mapped:
    """Make a new record of each record.

    With `template`, a text that is JSON once its actions are replaced by values becomes the record,
    built directly: an action inside a JSON string is text, one in value position its own value. Any
    other text becomes `{value: text}`. With `fields`, each field has the value of its template. A
    record for which a template fails is a record error (language, section 5).

    Args:
        template: The new record as text. Either this, or `fields` and `drop`.
        fields: The new record's fields by name.
        keep: Whether the record's other fields stay.
        drop: Fields that do not stay; all others then do, as with `keep`.

    Returns:
        How many records were made.

    Raises:
        ParameterError: not one of `template` and `fields` or `drop`.

    Example:
        name: brief
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: data:map
          params:
            fields:
              name: "{{ .name | trim }}"
              team: '{{ .team | default "none" }}'
    """
    make = _maker(template, fields, keep, drop)
    seen = made = 0
    async for batch in Paced(records):
        results: list[Record] = []
        add = results.append
        for number, record in enumerate(batch, seen + 1):
            try:
                add(make(record))
            except Exception as error:
                await ctx.record_failed(record, error, number)
        seen += len(batch)
        made += len(results)
        await deliver(out, results)
    return {"records": made}


def _maker(
    template: Each[Record] | None,
    fields: dict[str, Each[Any]] | None,
    keep: bool,
    drop: list[str] | None,
) -> Callable[[Record], Record]:
    if template is not None:
        if fields is not None or keep or drop is not None:
            raise ParameterError(
                "`template` makes the whole record: leave out fields, keep and drop"
            )
        return template
    if fields is None and drop is None:
        raise ParameterError("give one of `template`, `fields` and `drop`")
    entries = tuple((fields or {}).items())
    if drop is not None:
        gone = frozenset(drop)

        def reduced(record: Record) -> Record:
            made = {name: value for name, value in record.items() if name not in gone}
            for name, value_of in entries:
                made[name] = value_of(record)
            return made

        return reduced
    if keep:
        return lambda record: {**record, **{name: value_of(record) for name, value_of in entries}}
    return lambda record: {name: value_of(record) for name, value_of in entries}
