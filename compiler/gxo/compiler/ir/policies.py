"""Policies that stand at the playbook and again at a workload, merged key by key."""

from gxo.compiler.frontend.playbook import Playbook, WorkloadDecl
from gxo.compiler.ir.nodes import AllowedPath, Channel, Policies


def merge(base: Policies, owner: Playbook | WorkloadDecl) -> Policies:
    """The base with what the owner gives in its place, key by key."""
    state, channel = owner.state_policy, owner.channel_policy
    skip_on_no_input, allowed = owner.skip_on_no_input, owner.allow_paths
    size = channel.buffer_size if channel else None
    overflow = channel.overflow if channel else None
    return Policies(
        state_copies=state.access_mode == "deep_copy" if state else base.state_copies,
        channel=Channel(
            base.channel.buffer_size if size is None else size, overflow or base.channel.overflow
        ),
        skip_on_no_input=base.skip_on_no_input if skip_on_no_input is None else skip_on_no_input,
        allow_paths=base.allow_paths
        if allowed is None
        else tuple(AllowedPath(one.normal, one.access) for one in allowed),
    )
