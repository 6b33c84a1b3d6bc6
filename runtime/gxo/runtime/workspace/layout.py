"""The workspace's beginning and end: assets in, outputs out."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gxo.runtime.bundle import ASSETS, manifest
from gxo.runtime.errors import GxoError
from gxo.runtime.workspace.workspace import Workspace

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.workspace.outputs import Copied

SHOWN = 3  # of the outputs that are left out


def make_workspace(run: "Run") -> Workspace:
    """A fresh workspace, or that of `--workspace`, with the assets in it. Blocks."""
    directory = run.settings.workspace
    workspace = Workspace.existing(directory) if directory else Workspace.create(run.environment)
    had_assets = run.journal is not None and run.journal.has_assets
    if run.job.assets and run.bundle is not None and not had_assets:
        bundle = run.bundle
        assets = (
            (
                asset["path"],
                0o755 if asset["executable"] else 0o644,
                bundle.read(ASSETS + asset["path"]),
            )
            for asset in manifest(bundle)["assets"]
        )
        try:
            if directory and run.forecast is not None:
                run.forecast.lay_out(workspace, assets)
            else:
                workspace.lay_out(assets)
        except BaseException:
            workspace.remove()
            raise
    return workspace


def leave_workspace(run: "Run", workspace: Workspace | None) -> None:
    """Copy the outputs out, and remove a fresh workspace. Blocks.

    workspace: None when nothing has asked for it. Outputs of a playbook that a test includes stay
    in the workspace, where the test can look at them.
    """
    if workspace is None:
        if run.forecast is None and run.journal is None:
            _tell_missing(run, run.job.outputs)
        return
    is_included = run.testing is not None and run.job.test is None
    if run.job.outputs and run.forecast is None and not is_included:
        from gxo.runtime.workspace.outputs import copy_out

        try:
            copied = copy_out(workspace, run.job.outputs, run.settings.outputs or ".")
        except (GxoError, OSError) as error:
            hint = error.hint if isinstance(error, GxoError) else None
            run.fail(f"the outputs could not be copied: {run.explain(error)}", hint)
        else:
            _tell(run, copied)
    if not workspace.remove():
        run.log.write("warning", f"the workspace {workspace.path} could not be removed")


def _tell(run: "Run", copied: "Copied") -> None:
    for path in copied.paths:
        run.log.write("info", f"output: {path}")
    if copied.left_out:
        names = ", ".join(f"'{path}'" for path in copied.left_out[:SHOWN])
        if (more := len(copied.left_out) - SHOWN) > 0:
            names += f" and {more} more"
        run.log.write("warning", f"no regular files, and so no outputs: {names}")
    _tell_missing(run, copied.missing)


def _tell_missing(run: "Run", outputs: Iterable[str]) -> None:
    """Say which outputs are not there, unless the job has failed or not begun: that tells why."""
    if run.ending.error is None and any(node.over for node in run.nodes.values()):
        for output in outputs:
            run.log.write("warning", f"there is no output '{output}' in the workspace")
