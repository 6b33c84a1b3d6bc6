"""The passes, in order. Each is one file with `run(plan, diagnostics) -> plan`; none knows another.

Needed passes make the plan right and run at every level; optimizing ones change nothing that can be
observed and run at -O1. The verifier checks the plan after each.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.passes import (
    accept_findings,
    batch_channels,
    bind_arguments,
    check_assertions,
    check_commands,
    check_conversions,
    check_fields,
    check_flows,
    check_isolation,
    check_joins,
    check_missing,
    check_mocks,
    check_options,
    check_renders,
    check_schedules,
    check_skipped,
    copy_state,
    detect_cycles,
    drop_dead,
    elide_copies,
    fold_constants,
    fuse_streams,
    link_states,
    link_steps,
    link_streams,
    reduce_edges,
    report_dead,
    resolve_names,
    resolve_policies,
    share_expressions,
    size_channels,
    start_mocks,
    trace_secrets,
    unroll_loops,
)


@dataclass(frozen=True, slots=True)
class Pass:
    name: str
    run: Callable[[Plan, Diagnostics], Plan]
    reason: str
    optimizes: bool = False


PASSES: tuple[Pass, ...] = (
    Pass("resolve_policies", resolve_policies.run, "later passes read the merged policies"),
    Pass("bind_arguments", bind_arguments.run, "types decide how a parameter's text is read"),
    Pass("check_options", check_options.run, "what does not go together is known before the run"),
    Pass("link_steps", link_steps.run, "what a step needs decides what its templates see"),
    Pass("resolve_names", resolve_names.run, "what a template reads decides the edges"),
    Pass("check_conversions", check_conversions.run, "what can never fit is known before the run"),
    Pass("check_assertions", check_assertions.run, "what can never hold tests nothing"),
    Pass("check_renders", check_renders.run, "a template that is rendered is compiled before"),
    Pass("check_commands", check_commands.run, "whether a shell runs a command is decided here"),
    Pass("check_isolation", check_isolation.run, "a test is told what it may not touch"),
    Pass("check_flows", check_flows.run, "outside values are no code, and secrets stay unseen"),
    Pass("accept_findings", accept_findings.run, "an author may know better, and says why"),
    Pass("link_states", link_states.run, "registers, statuses and `needs` become edges"),
    Pass("link_streams", link_streams.run, "`stream_inputs` become edges between ports"),
    Pass("check_schedules", check_schedules.run, "what a stream connects runs at the same times"),
    Pass("check_joins", check_joins.run, "a join needs each of its streams once, and one probe"),
    Pass("check_fields", check_fields.run, "a field that no record has would be null everywhere"),
    Pass("check_mocks", check_mocks.run, "a mock sends what the module could have sent"),
    Pass("detect_cycles", detect_cycles.run, "a run must be able to end"),
    Pass("start_mocks", start_mocks.run, "a mock is there before what it stands in for is used"),
    Pass("check_missing", check_missing.run, "a result may be missing where it is used"),
    Pass("check_skipped", check_skipped.run, "so may that of a step in its pipeline"),
    Pass("trace_secrets", trace_secrets.run, "a workload's secrets are looked up before it starts"),
    Pass("report_dead", report_dead.run, "what can never run is a mistake or a leftover"),
    Pass(
        "fold_constants",
        fold_constants.run,
        "what is the same in every run is computed once, here",
        optimizes=True,
    ),
    Pass("drop_dead", drop_dead.run, "what can never run needs no module", optimizes=True),
    Pass("copy_state", copy_state.run, "a module must not change what others read"),
    Pass(
        "elide_copies",
        elide_copies.run,
        "a copy for who changes nothing only takes time",
        optimizes=True,
    ),
    Pass(
        "reduce_edges", reduce_edges.run, "an edge that a path implies says nothing", optimizes=True
    ),
    Pass(
        "unroll_loops",
        unroll_loops.run,
        "what is known of an item is computed here",
        optimizes=True,
    ),
    Pass("batch_channels", batch_channels.run, "what waits for nothing can be sent together"),
    Pass("fuse_streams", fuse_streams.run, "a record need not wait between stages", optimizes=True),
    Pass(
        "share_expressions",
        share_expressions.run,
        "what was computed for one value is there for the next",
        optimizes=True,
    ),
    Pass("size_channels", size_channels.run, "what nobody will take need not wait", optimizes=True),
)
