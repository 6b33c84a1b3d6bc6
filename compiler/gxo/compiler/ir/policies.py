"""Policies that stand at the playbook and again at a workload, merged key by key."""

from gxo.compiler.frontend.playbook import ChannelPolicy, StatePolicy
from gxo.compiler.ir.nodes import Channel, Policies


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
