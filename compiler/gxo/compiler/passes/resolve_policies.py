"""Merge the playbook's policies with each workload's own.

before:  channel_policy: {buffer_size: 10} at the playbook, {overflow_strategy: error} at `a`
after:   a.policies.channel = Channel(10, "error")
"""

from dataclasses import replace

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.playbook import ChannelPolicy, StatePolicy
from gxo.compiler.ir.nodes import Channel, Plan, Policies, Workload
from gxo.compiler.ir.walk import map_workloads


def run(plan: Plan, diagnostics: Diagnostics) -> Plan:
    del diagnostics

    def resolve(workload: Workload) -> Workload:
        decl = workload.decl
        policies = merge(
            plan.policies, decl.state_policy, decl.channel_policy, decl.skip_on_no_input
        )
        return replace(workload, policies=policies)

    return map_workloads(plan, resolve)


def merge(
    base: Policies,
    state: StatePolicy | None,
    channel: ChannelPolicy | None,
    skip_on_no_input: bool | None,
) -> Policies:
    """The base with what is given in its place, key by key."""
    size = channel.buffer_size if channel else None
    overflow = channel.overflow if channel else None
    return Policies(
        state_copies=state.access_mode == "deep_copy" if state else base.state_copies,
        channel=Channel(
            base.channel.buffer_size if size is None else size, overflow or base.channel.overflow
        ),
        skip_on_no_input=base.skip_on_no_input if skip_on_no_input is None else skip_on_no_input,
    )
