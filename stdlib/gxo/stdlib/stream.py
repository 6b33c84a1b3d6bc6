"""The module `stream:pipeline`: steps inside one workload."""

from typing import TypedDict

from gxo.runtime.context import Context
from gxo.runtime.pipelines.steps import Steps
from gxo.runtime.spec import module
from gxo.runtime.streams.ports import Out, Records


class Piped(TypedDict):
    """records_processed: how many events were read."""

    records_processed: int


@module("stream:pipeline", changes="by_call", lifecycles=["run_once", "event_driven"])
async def pipeline(ctx: Context, records: Records, out: Out | None, *, steps: Steps) -> Piped:
    """Work on each event of a stream in several steps.

    A step `uses` a module `with` its parameters and `needs` other steps; their order in the file
    says nothing. Steps are compiled, as workloads are.

    A step works on each record that the step it needs emits, and on each event if it needs none. A
    module that reads no stream is called for each record; what it returns (or each record, if it is
    a source) is what the step emits. A module that reads a stream runs all the time, so that a
    `data:aggregate` counts over all events. A step that needs several waits until all of them are
    done with the same event, and works on the event.

    Templates see the fields of the record that the step works on; those of the event; the results
    of the steps that it needs, directly or not, by id; and inputs, vars and registers. A step that
    joins events together, as `data:aggregate` and `data:format` do (their pages say so), emits
    records of its own: after it, only what it emits can be read. It reads the records of all steps
    that it needs. Parameters that are no per-record templates of a module that reads a stream are
    evaluated once.

    `when` skips a step for one record, and with it the steps that need it alone. To a step that
    needs several its result is then nil.

    What a step cannot do with an event is a record error (language, section 5), also when a module
    that is called for it fails. Events are worked on one after the other; all that is made of one
    is in memory until it is through. What the last steps emit, those that no other needs, is the
    output stream.

    A dry run works on every event; each step is treated as a workload with its module would be.

    Args:
        steps: What is done with each event. Each has an `id`, by which its result is read, the
            module that it `uses`, its parameters in `with`, the ids of steps that it `needs`, and
            a condition `when` it is done.

    Returns:
        `records_processed`, how many events were read.

    Raises:
        A module of a step fails.

    Example:
        name: greet
        lifecycle: {policy: run_once}
        stream_inputs: [users]
        process:
          module: stream:pipeline
          params:
            steps:
              - id: active
                uses: data:filter
                with: {condition: '{{ .status }} == "active"'}
              - id: hello
                uses: exec
                needs: [active]
                with: {command: echo, args: ["hello, {{ .name }}"]}
              - id: said
                uses: data:map
                needs: [hello]
                with: {fields: {id: "{{ .id }}", text: "{{ .hello.stdout | trim }}"}}
    """
    ctx.changes_nothing()  # its steps say what they do
    return {"records_processed": await steps.run(ctx, records, out)}
